"""Reader: picture -> Reading; the same for photos, videos and the live camera."""

import warnings
from collections.abc import Callable, Sequence
from statistics import fmean
from time import perf_counter
from typing import Literal

import cv2
import numpy as np

from digitlens.config.parameters import DEFAULT, Parameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens.core.errors import ModelError, PictureError
from digitlens.core.readings import Box, Digit, Number, Reading, moved
from digitlens.core.row_trace import RowTrace
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.glyphs.orientation import turned, turned_back, upright_turn
from digitlens.models import cards
from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.numbers import prior, roman_numerals
from digitlens.numbers.attempt import Attempt
from digitlens.numbers.gaps import to_numbers
from digitlens.numbers.grouping import Grouper, separated
from digitlens.numbers.plausibility import Plausibility
from digitlens.numbers.printed import marked_printed
from digitlens.numbers.signs import split_at_signs
from digitlens.paper.kinds import kinds
from digitlens.paper.looking import Look
from digitlens.paper.network import DEFAULT as INK_MODEL
from digitlens.paper.network import InkNetwork
from digitlens.paper.page import Glyph, Page, find_page
from digitlens.paper.rules.segment import find_page as find_page_by_rules
from digitlens.paper.scale import better_scale, enlarged, reduced
from digitlens.paper.skew import Leveled, level, tilt
from digitlens.paper.threshold import threshold_page
from digitlens.paper.witness import Witness
from digitlens.rows.reading import RowReader
from digitlens.rows.recognizer import DEFAULT as ROW_MODEL
from digitlens.rows.recognizer import RowRecognizer
from digitlens.rows.row_reading import Group

Watch = Callable[[Trace], None]
Front = Literal["auto", "rules", "network"]

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
        front: what finds the ink: `rules`, `network`, or `auto`, which reads by rules, and by the network
            where the rules' reading does not fit what the network sees.
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
        front: Front = "auto",
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
        self._front = front
        self._watch = watch
        self._parameters = parameters
        self._rule_rows = self._row_reader(self._group_at_gaps)
        if ink is not None:
            self._group_by_pairs = Grouper.load()
            self._plausibility = Plausibility.load(parameters.reader.least_plausible)
            self._network_rows = self._row_reader(self._group_by_pairs)
        # An int8 network's outputs are the same to the bit in any batch; others are computed every time.
        self._cacheable = self.classifier.card.input.dtype == "uint8"
        self._cache: TwoFrameCache[bytes, Floats] = TwoFrameCache()
        # Returning a picture's buffers to the system and getting them again takes a third of the reader's
        # time. glibc keeps blocks smaller than the largest that was ever freed: mallopt(3). This one is never
        # touched and takes no memory.
        np.empty(KEPT, np.uint8)

    def _row_reader(self, group: Group) -> RowReader | None:
        if self._recognizer is None:
            return None
        parameters = self._parameters
        return RowReader(self._recognizer, self._probabilities, group, parameters.rows, parameters.decision)

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
            front=self._front,
        )

    def read(self, image: Pixels, source: str = "", time: float = 0.0) -> Reading:
        """Read (H, W, 3) uint8 BGR or (H, W) uint8 gray; the reading carries `source` and `time` (seconds).

        Raises:
            PictureError: another shape or dtype.
        """
        started = perf_counter()
        self._cache.next_frame()
        if self._recognizer is not None:
            self._recognizer.next_frame()
        turn = 0 if self._turn is None else self._turn // 90
        original = turned(_gray(image), turn)
        attempt = self._attempt(original)
        milliseconds = {**attempt.milliseconds, "total": (perf_counter() - started) * 1000}
        if self._watch is not None:
            self._watch(self._trace(attempt, milliseconds))
        height, width = image.shape[:2]
        numbers = moved(attempt.numbers, lambda box: turned_back(box, turn, (width, height)))
        return Reading(source, time, (width, height), numbers, milliseconds)

    def _attempt(self, original: Gray) -> Attempt:
        """The better of the readings by rules and by the network, in pixels of the picture."""
        limits = self._parameters.reader
        if self._look is None or self._front == "rules":
            return self._by_rules(original)
        if self._front == "network" or self._printed:
            return self._by_network(original)
        if min(original.shape) < limits.least_side:
            return self._by_rules(original)
        gray = reduced(original, limits)
        witness = Witness(self._look.logits(gray), self._look.scale)
        scale = gray.shape[1] / original.shape[1]
        first = self._by_rules(original)
        fit = first.fit(witness, scale)
        stands = self._turn is not None or not upright_turn(
            first.page.glyphs, self._classify, self._parameters.orientation
        )
        if fit >= limits.good_fit and stands:
            return first
        second = self._by_network(original)
        best = max((found.confidence for found in second.numbers), default=0.0)
        if not first.numbers and best < limits.least_alone:
            return first
        better = second.fit(witness, scale) - fit
        return second if better > (limits.better_fit if stands else 0) else first

    def _by_rules(self, original: Gray) -> Attempt:
        """Read by the front of rules, at one scale and upright."""
        started = perf_counter()
        limits = self._parameters.reader
        gray = reduced(original, limits)
        find = threshold_page if self._ink is None else find_page_by_rules
        page = find(gray)
        larger = enlarged(gray, page.glyphs, limits)
        if larger is not None:
            gray, page = larger, find(larger)
        attempt = self._numbers(gray, page, self._rule_rows, self._group_at_gaps, started)
        return attempt.moved(lambda box: box, _size(gray), _size(original))

    def _by_network(self, original: Gray) -> Attempt:
        """Read by the front of the network, at the scale of the writing, turned upright and leveled."""
        started = perf_counter()
        turn = 0
        gray, page = self._scaled(original)
        if self._turn is None:
            turn = upright_turn(page.glyphs, self._classify, self._parameters.orientation)
            if turn:
                gray, page = self._scaled(turned(original, turn))
        height, width = gray.shape
        size = (height, width) if turn % 2 else (width, height)
        leveled = self._leveled(gray, page)
        if leveled is not None:
            gray, page = leveled.gray, self._find(leveled.gray)
        attempt = self._numbers(gray, page, self._network_rows, self._group_by_pairs, started)
        attempt = attempt.with_numbers(self._plausibility(attempt.numbers, page))
        return attempt.moved(lambda box: turned_back(_back(box, leveled), turn, size), size, _size(original))

    def _numbers(
        self, gray: Gray, page: Page, rows: RowReader | None, group: Group, started: float
    ) -> Attempt:
        """A page's numbers, in pixels of `gray`."""
        resolved = resolve(page.glyphs, self._classify, self._parameters.lattice, self._parameters.glyphs)
        found = perf_counter()
        numbers = self._cut_numbers(resolved, page, group)
        grouped = perf_counter()
        traces: tuple[RowTrace, ...] = ()
        if rows is not None:
            numbers, traces = rows.reread(numbers, page, resolved, self.row_network)
        rows_read = perf_counter()
        numbers = self._finished(numbers, page)
        ended = perf_counter()
        milliseconds = {
            "glyphs": (found - started) * 1000,
            "rows": (rows_read - grouped) * 1000,
            "numbers": (grouped - found + ended - rows_read) * 1000,
        }
        return Attempt(gray, page, resolved, numbers, numbers, traces, milliseconds)

    def _scaled(self, original: Gray) -> tuple[Gray, Page]:
        """The picture at the scale that its writing is read at, and its page."""
        limits = self._parameters.reader
        gray = reduced(original, limits)
        page = self._find(gray)
        scale = better_scale(original, gray, page.glyphs, limits)
        if scale == 1:
            return gray, page
        size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
        method = cv2.INTER_CUBIC if size[0] > original.shape[1] else cv2.INTER_AREA
        other = cv2.resize(original, size, interpolation=method).astype(np.uint8, copy=False)
        return other, self._find(other)

    def _leveled(self, gray: Gray, page: Page) -> Leveled | None:
        """The picture leveled, where its page is tilted."""
        limits = self._parameters.skew
        degrees = tilt(page, limits)
        return level(gray, degrees) if limits.least_tilt <= abs(degrees) <= limits.largest_tilt else None

    def _trace(self, attempt: Attempt, milliseconds: dict[str, float]) -> Trace:
        page, resolved = attempt.page, attempt.resolved
        return Trace(
            gray=attempt.gray,
            ink=page.ink,
            kinds=kinds(page),
            digit_ink=page.mask,
            glyphs=page.glyphs,
            parts=resolved.parts,
            resolved=resolved.glyphs,
            crops=to_mnist(resolved.glyphs, self._parameters.glyphs),
            probabilities=resolved.probabilities,
            rows=attempt.rows,
            numbers=attempt.seen,
            milliseconds=milliseconds,
        )

    def _group_at_gaps(self, digits: Sequence[Digit], page: Page) -> tuple[Number, ...]:
        return to_numbers(digits, page.borders, self._parameters.numbers)

    def _find(self, gray: Gray) -> Page:
        if self._look is None:
            raise ModelError("reads by rules alone: there is no network for the ink")
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

    def _cut_numbers(self, resolved: Resolved, page: Page, group: Group) -> tuple[Number, ...]:
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
        numbers = group(digits, page)
        if trained is None:
            least = limits.min_confidence
            return tuple(n for n in numbers if fmean(digit.confidence for digit in n.digits) >= least)
        chances = {id(digit): float(chance) for digit, chance in zip(digits, is_digit, strict=True)}
        return tuple(
            part for found in numbers for part in split_at_signs(found, chances, non_digits, self._parameters)
        )

    def _finished(self, numbers: tuple[Number, ...], page: Page) -> tuple[Number, ...]:
        """The numbers without Roman numerals; with marks of print and decimal separators as asked for."""
        parameters = self._parameters.numbers
        numbers = roman_numerals.without(numbers, parameters)
        if self._printed:
            numbers = marked_printed(numbers, page.glyphs)
        if not self.separator:
            return numbers
        return tuple(separated(found, page.dots, self.separator, parameters) for found in numbers)


def _size(gray: Gray) -> tuple[int, int]:
    """Width and height."""
    return gray.shape[1], gray.shape[0]


def _back(box: Box, leveled: Leveled | None) -> Box:
    return box if leveled is None else leveled.boxed_back(box)


def _gray(image: Pixels) -> Gray:
    if image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 3:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    raise PictureError(f"a picture must be (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}")
