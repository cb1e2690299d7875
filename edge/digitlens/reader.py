"""Reader: picture -> Reading; the same for photos, videos and the live camera."""

import warnings
from collections.abc import Callable, Sequence
from statistics import fmean, median
from time import perf_counter

import cv2
import msgspec
import numpy as np

from digitlens.config.parameters import DEFAULT, Parameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens.core.errors import PictureError
from digitlens.core.readings import Digit, Number, Reading, number, resized, union
from digitlens.core.row_trace import RowTrace
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.models import cards
from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.numbers import prior, roman_numerals
from digitlens.numbers.grouping import separated, to_numbers
from digitlens.paper.segment import Glyph, Points, Segmented, segment
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
            self.classifier, watch, self.separator, self.row_network, self._recognizer, self._parameters
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
        gray = _gray(image)
        height, width = gray.shape
        gray = _reduced(gray, self._parameters.reader)
        page = segment(gray)
        enlarged = _enlarged(gray, page.glyphs, self._parameters.reader)
        if enlarged is not None:
            gray, page = enlarged, segment(enlarged)
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
            size=(gray.shape[1], gray.shape[0]),
            numbers=numbers,
            milliseconds=milliseconds,
        )
        return resized(reading, (width, height))

    def _trace(
        self,
        gray: Gray,
        page: Segmented,
        resolved: Resolved,
        rows: tuple[RowTrace, ...],
        numbers: tuple[Number, ...],
        milliseconds: dict[str, float],
    ) -> Trace:
        return Trace(
            gray=gray,
            ink=page.ink.mask,
            sure_ink=np.where(page.ink.sure, np.uint8(255), np.uint8(0)),
            without_lines=page.mask,
            glyphs=page.glyphs,
            parts=resolved.parts,
            resolved=resolved.glyphs,
            crops=to_mnist(resolved.glyphs, self._parameters.glyphs),
            probabilities=resolved.probabilities,
            rows=rows,
            numbers=numbers,
            milliseconds=milliseconds,
        )

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

    def _group(self, digits: Sequence[Digit], borders: Sequence[Points]) -> tuple[Number, ...]:
        return to_numbers(digits, borders, self._parameters.numbers)

    def _cut_numbers(self, resolved: Resolved, page: Segmented) -> tuple[Number, ...]:
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
        numbers = self._group(digits, page.borders)
        if trained is None:
            return tuple(found for found in numbers if _mean(found.digits) >= limits.min_confidence)
        chances = {id(digit): float(chance) for digit, chance in zip(digits, is_digit, strict=True)}
        return tuple(
            part
            for found in numbers
            for part in _split_at_signs(found, chances, non_digits, self._parameters)
        )

    def _finished(self, numbers: tuple[Number, ...], page: Segmented) -> tuple[Number, ...]:
        """The numbers without Roman numerals, and with decimal separators if those are asked for."""
        parameters = self._parameters.numbers
        numbers = roman_numerals.without(numbers, parameters)
        if not self.separator:
            return numbers
        return tuple(separated(found, page.dots, self.separator, parameters) for found in numbers)


def _mean(digits: Sequence[Digit]) -> float:
    return fmean(digit.confidence for digit in digits)


def _split_at_signs(
    found: Number, chances: dict[int, float], non_digits: float, parameters: Parameters
) -> list[Number]:
    """Update a number's confidences by the class prior of its own glyphs; split it at signs, drop words.

    `chances` are the probabilities, by the id of each Digit, that it is a digit at all; `non_digits` is the
    page's fraction of non-digits.
    """
    numbers, limits = parameters.numbers, parameters.reader
    before = np.array([chances[id(digit)] for digit in found.digits])
    posterior, _ = prior.em_class_prior(before, non_digits, non_digits, numbers.page_weight, numbers)
    digits = [
        msgspec.structs.replace(digit, confidence=float(digit.confidence * chance / max(last, 1e-9)))
        for digit, chance, last in zip(found.digits, posterior, before, strict=True)
    ]
    if _mean(digits) < limits.min_posterior:
        return []
    parts: list[list[Digit]] = [[]]
    sign: Digit | None = None
    for digit, chance in zip(digits, posterior, strict=True):
        if chance < limits.min_digit:
            parts.append([])
            sign = digit
        elif sign is not None and not parts[-1] and _is_subscript(digit, sign, limits):
            sign = msgspec.structs.replace(sign, box=union((sign.box, digit.box)))
        else:
            parts[-1].append(digit)
    return [number(tuple(part)) for part in parts if part]


def _is_subscript(digit: Digit, sign: Digit, limits: ReaderParameters) -> bool:
    """Whether a digit is small and close behind a letter, as in d1 and x2."""
    x, _, _, height = digit.box
    left, _, width, tall = sign.box
    return height < limits.subscript_height * tall and x - (left + width) < limits.subscript_gap * tall


def _reduced(gray: Gray, limits: ReaderParameters) -> Gray:
    """The picture, its longer side reduced to the longest that is read."""
    height, width = gray.shape
    shrink = limits.longest_side / max(gray.shape)
    if shrink >= 1:
        return gray
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _enlarged(gray: Gray, glyphs: list[Glyph], limits: ReaderParameters) -> Gray | None:
    """The picture with low writing enlarged; None if it is not low, or the picture too large.

    Where strokes are two pixels wide, ink is a matter of parts of a pixel.
    """
    height = median(glyph.box[3] for glyph in glyphs) if glyphs else limits.low_writing
    scale = min(
        limits.largest_scale, limits.enlarged_height / height, (limits.enlarged_area / gray.size) ** 0.5
    )
    if height >= limits.low_writing or scale < limits.smallest_scale:
        return None
    size = round(gray.shape[1] * scale), round(gray.shape[0] * scale)
    return cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _gray(image: Pixels) -> Gray:
    if image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 3:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    raise PictureError(f"a picture must be (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}")
