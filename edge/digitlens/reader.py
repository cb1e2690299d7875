"""Reader: picture -> Reading; the same for photos, videos and the live camera."""

import warnings
from collections.abc import Callable, Sequence
from statistics import fmean
from time import perf_counter

import cv2
import numpy as np

from digitlens.config.parameters import DEFAULT, Parameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens.core.errors import PictureError
from digitlens.core.readings import Box, Digit, Number, Reading, moved, resized
from digitlens.core.row_trace import RowTrace
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.glyphs.orientation import turned, turned_back, upright_turn
from digitlens.models import cards
from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.numbers import prior, roman_numerals
from digitlens.numbers.grouping import Grouper, separated
from digitlens.numbers.plausibility import Plausibility
from digitlens.numbers.printed import marked_printed
from digitlens.numbers.signs import split_at_signs
from digitlens.paper.kinds import kinds
from digitlens.paper.looking import Look
from digitlens.paper.network import DEFAULT as INK_MODEL
from digitlens.paper.network import InkNetwork
from digitlens.paper.page import Glyph, Page, find_page
from digitlens.paper.skew import Leveled, level, tilt
from digitlens.paper.threshold import threshold_page
from digitlens.rows.reading import RowReader
from digitlens.rows.recognizer import DEFAULT as ROW_MODEL
from digitlens.rows.recognizer import RowRecognizer

Watch = Callable[[Trace], None]

KEPT = 16 << 20
"""Freed memory of which the process keeps twice as much for the next picture, in bytes."""


class Reader:
    """Reads the numbers of a picture; one thread at a time, because it caches what it read last.

    Args:
        classifier: None takes the shipped int8 network.
        watch: called with the trace of each picture, see digitlens.images.stages; None makes none.
        separator: written in a number's text for a decimal point or comma; "" leaves them out.
        row_network: the rows that the network `numbers` reads, too: doubtful ones, all, or none.
        recognizer: that network; None takes the shipped one, where it is.
        parameters: of all stages.
        ink: the network that says which ink is a digit's; None takes the shipped one.
        printed: printed digits are read, too, and marked so.
        turn: degrees counterclockwise, 0, 90, 180 or 270, by which a picture is turned to read it; None finds
            out which way is up. Boxes are always in the picture's own pixels.
        film: successive pictures are frames of one film: where one has not changed, the last one's ink
            stands.
        whole: the former name of `row_network`.
    """

    def __init__(
        self,
        classifier: Classifier | None = None,
        watch: Watch | None = None,
        separator: str = "",
        row_network: RowNetworkUse = "doubtful",
        recognizer: RowRecognizer | None = None,
        parameters: Parameters = DEFAULT,
        *,
        ink: InkNetwork | None = None,
        printed: bool = False,
        turn: int | None = None,
        film: bool = False,
        whole: RowNetworkUse | None = None,
    ) -> None:
        if whole is not None:
            warnings.warn("Reader(whole=) is now row_network=", DeprecationWarning, stacklevel=2)
            row_network = whole
        self.classifier = classifier or Classifier.load()
        self.separator = separator
        self.row_network = row_network
        if recognizer is None and row_network != "none" and ROW_MODEL in cards.names(rows=True):
            recognizer = RowRecognizer.load(parameters=parameters.rows)
        self._recognizer = recognizer
        if ink is None and self.classifier.card.others is not None:
            ink = InkNetwork.load(INK_MODEL)
        if turn not in (None, 0, 90, 180, 270):
            raise ValueError(f"turn={turn}: take None, 0, 90, 180 or 270")
        self._ink, self._printed, self._turn, self._film = ink, printed, turn, film
        self._look = None if ink is None else Look(ink, parameters.paper, film)
        self._group = Grouper.load()
        self._plausibility = (
            Plausibility.load(parameters.reader.least_plausible) if self._ink is not None else None
        )
        self._watch = watch
        self._parameters = parameters
        self._rows = (
            RowReader(recognizer, self._probabilities, self._group, parameters.rows, parameters.decision)
            if recognizer is not None
            else None
        )
        # An int8 network's outputs are the same to the bit in any batch; others are computed every time.
        self._cacheable = self.classifier.card.input.dtype == "uint8"
        self._cache: TwoFrameCache[bytes, Floats] = TwoFrameCache()
        # Returning a picture's buffers to the system and getting them again takes a third of the reader's
        # time. glibc keeps blocks smaller than the largest that was ever freed: mallopt(3). This one is never
        # touched and takes no memory.
        np.empty(KEPT, np.uint8)

    def watched(self, watch: Watch) -> "Reader":
        """Another reader with the same networks and parameters, whose traces go to `watch`."""
        return Reader(
            self.classifier,
            watch,
            self.separator,
            self.row_network,
            self._recognizer,
            self._parameters,
            ink=self._ink,
            printed=self._printed,
            turn=self._turn,
            film=self._film,
        )

    def read(self, image: Pixels, source: str = "", time: float = 0.0) -> Reading:
        """Read (H, W, 3) uint8 BGR or (H, W) uint8 gray; the reading carries `source` and `time` (seconds).

        Raises:
            PictureError: another shape or dtype.
        """
        started = perf_counter()
        self._cache.next_frame()
        if self._rows is not None:
            self._rows.next_frame()
        original = _gray(image)
        turn = 0 if self._turn is None else self._turn // 90
        gray, page = self._scaled(turned(original, turn))
        if self._turn is None and self._ink is not None:
            turn = upright_turn(page.glyphs, self._classify, self._parameters.orientation)
            if turn:
                gray, page = self._scaled(turned(original, turn))
        height, width = gray.shape
        size = (height, width) if turn % 2 else (width, height)
        leveled = self._leveled(gray, page)
        if leveled is not None:
            gray, page = leveled.gray, self._find(leveled.gray)
        resolved = resolve(page.glyphs, self._classify, self._parameters.lattice, self._parameters.glyphs)
        found = perf_counter()
        numbers = self._cut_numbers(resolved, page)
        grouped = perf_counter()
        rows: tuple[RowTrace, ...] = ()
        if self._rows is not None:
            numbers, rows = self._rows.reread(numbers, page, resolved, self.row_network)
        rows_read = perf_counter()
        numbers = self._finished(numbers, page)
        ended = perf_counter()
        milliseconds = {
            "glyphs": (found - started) * 1000,
            "rows": (rows_read - grouped) * 1000,
            "numbers": (grouped - found + ended - rows_read) * 1000,
            "total": (ended - started) * 1000,
        }
        if self._watch is not None:
            self._watch(self._trace(gray, page, resolved, rows, numbers, milliseconds))
        reading = Reading(
            source=source,
            time=time,
            size=size,
            numbers=moved(numbers, lambda box: turned_back(_back(box, leveled), turn, size)),
            milliseconds=milliseconds,
        )
        return resized(reading, (original.shape[1], original.shape[0]))

    def _scaled(self, original: Gray) -> tuple[Gray, Page]:
        """The picture at the scale that its writing is read at, and its page."""
        limits = self._parameters.reader
        gray = _reduced(original, limits)
        page = self._find(gray)
        scale = _better_scale(original, gray, page.glyphs, limits)
        if scale == 1:
            return gray, page
        size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
        method = cv2.INTER_CUBIC if size[0] > original.shape[1] else cv2.INTER_AREA
        other = cv2.resize(original, size, interpolation=method).astype(np.uint8, copy=False)
        return other, self._find(other)

    def _leveled(self, gray: Gray, page: Page) -> Leveled | None:
        """The picture leveled, where its page is tilted."""
        if self._ink is None:
            return None
        limits = self._parameters.skew
        degrees = tilt(page, limits)
        return level(gray, degrees) if limits.least_tilt <= abs(degrees) <= limits.largest_tilt else None

    def _trace(
        self,
        gray: Gray,
        page: Page,
        resolved: Resolved,
        rows: tuple[RowTrace, ...],
        numbers: tuple[Number, ...],
        milliseconds: dict[str, float],
    ) -> Trace:
        return Trace(
            gray=gray,
            ink=page.ink,
            kinds=kinds(page),
            digit_ink=page.mask,
            glyphs=page.glyphs,
            parts=resolved.parts,
            resolved=resolved.glyphs,
            crops=to_mnist(resolved.glyphs, self._parameters.glyphs),
            probabilities=resolved.probabilities,
            rows=rows,
            numbers=numbers,
            milliseconds=milliseconds,
        )

    def _find(self, gray: Gray) -> Page:
        """The picture's ink; a network that knows no other signs gets every piece of it."""
        if self._look is None:
            return threshold_page(gray, self._parameters.paper)
        return find_page(gray, self._look, self._printed, self._parameters.paper)

    def _classify(self, glyphs: list[Glyph]) -> Floats:
        return self._probabilities(to_mnist(glyphs, self._parameters.glyphs))

    def _probabilities(self, crops: Gray) -> Floats:
        """(N, 28, 28) uint8 -> (N, 10), from the cache where a crop is the same as in the last frame."""
        if not self._cacheable:
            return self.classifier.probabilities(crops)
        rows = self._cache.all(
            [crop.tobytes() for crop in crops],
            lambda places: list(self.classifier.probabilities(crops[places])),
        )
        return np.array(rows, np.float32).reshape(-1, 10)

    def _cut_numbers(self, resolved: Resolved, page: Page) -> tuple[Number, ...]:
        """The glyphs as numbers, without words and scribbles."""
        settings, limits = self._parameters.numbers, self._parameters.reader
        probabilities = resolved.probabilities
        values, best = probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0).astype(np.float64)
        trained = self.classifier.card.others
        is_digit = probabilities.sum(axis=1, dtype=np.float64)
        non_digits = 0.0
        if trained is not None and len(best):
            posterior, non_digits = prior.em_class_prior(
                is_digit, trained, settings.prior_non_digits, settings.prior_weight, settings
            )
            best, is_digit = best * posterior / np.maximum(is_digit, 1e-9), posterior
        digits = [
            Digit(int(value), float(confidence), glyph.box)
            for glyph, value, confidence in zip(resolved.glyphs, values, best, strict=True)
        ]
        numbers = self._group(digits, page)
        if trained is None:
            return tuple(found for found in numbers if _mean(found.digits) >= limits.min_confidence)
        chances = {id(digit): float(chance) for digit, chance in zip(digits, is_digit, strict=True)}
        return tuple(
            part for found in numbers for part in split_at_signs(found, chances, non_digits, self._parameters)
        )

    def _finished(self, numbers: tuple[Number, ...], page: Page) -> tuple[Number, ...]:
        """The numbers without Roman numerals; with marks of print and decimal separators as asked for."""
        parameters = self._parameters.numbers
        numbers = roman_numerals.without(numbers, parameters)
        if self._plausibility is not None:
            numbers = self._plausibility(numbers, page)
        if self._printed:
            numbers = marked_printed(numbers, page.glyphs)
        if not self.separator:
            return numbers
        return tuple(separated(found, page.dots, self.separator, parameters) for found in numbers)


def _back(box: Box, leveled: Leveled | None) -> Box:
    return box if leveled is None else leveled.boxed_back(box)


def _mean(digits: Sequence[Digit]) -> float:
    return fmean(digit.confidence for digit in digits)


def _reduced(gray: Gray, limits: ReaderParameters) -> Gray:
    """The picture, its longer side reduced to the longest that is read."""
    height, width = gray.shape
    shrink = limits.longest_side / max(gray.shape)
    if shrink >= 1:
        return gray
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _better_scale(original: Gray, gray: Gray, glyphs: list[Glyph], limits: ReaderParameters) -> float:
    """The factor by which the picture as read should be enlarged or reduced for its writing; 1 if it is well.

    Where strokes are two pixels wide, ink is a matter of parts of a pixel; a pen wider than the network's
    view is a dark panel.
    """
    digits = [glyph for glyph in glyphs if glyph.classes[0] >= limits.min_digit_ink] or glyphs
    if not digits:
        # Nothing at all: writing so large that no stroke was seen as one?
        return limits.coarser if min(gray.shape) >= limits.high_writing else 1.0
    heights = sorted(glyph.box[3] for glyph in digits)
    if heights[len(heights) // 2] > limits.high_writing:
        return limits.high_writing / 2 / heights[len(heights) // 2]
    height = heights[len(heights) * 3 // 10]
    area = max(limits.enlarged_area, min(limits.largest_area, original.size))
    scale = min(limits.largest_scale, limits.enlarged_height / height, (area / gray.size) ** 0.5)
    return scale if height < limits.low_writing and scale >= limits.smallest_scale else 1.0


def _gray(image: Pixels) -> Gray:
    if image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 3:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    raise PictureError(f"a picture must be (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}")
