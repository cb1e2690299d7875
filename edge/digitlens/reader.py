"""Reader: picture -> Reading; the same for photos, videos and the live camera."""

from collections.abc import Callable, Sequence
from statistics import fmean, median
from time import perf_counter

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from digitlens.config.settings import RowNetworkUse
from digitlens.core.errors import PictureError
from digitlens.core.readings import Digit, Number, Reading, number, resized, union
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.models import cards
from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.numbers import prior, roman_numerals
from digitlens.numbers.grouping import separated, to_numbers
from digitlens.paper.segment import Glyph, Segmented, segment
from digitlens.rows.reading import RowReader
from digitlens.rows.recognizer import DEFAULT, RowRecognizer

Watch = Callable[[npt.NDArray[np.uint8], Segmented, Resolved], None]

LONGEST = 1280
"""Pixels of the longer side above which a picture is reduced first; its boxes keep its own scale."""
LOW = 16
"""Pixels of the writing's height below which a picture is enlarged and looked at again."""
FINE = 32
"""Pixels of height that such writing is enlarged to, the pixels of the picture allowing it."""
MOST_PIXELS = 1_000_000
LARGEST_SCALE = 4.0
LEAST_SCALE = 1.3
LEAST_CONFIDENCE = 0.75
"""Of a number's digits on average: less is a word or a scribble.

One doubtful digit among sure ones stays, for a number that lacks a digit is worse than one in doubt.
"""
LEAST_AMONG = 0.45
"""The same for a network that knows what is no digit, the others on the page being taken into account."""
LEAST_DIGIT = 0.02
"""The chance of being a digit at all, below which a glyph among digits is a sign of another kind."""
SUBSCRIPT = 0.75
"""Of a letter's height: a lower digit that follows it closely belongs to it."""
NEAR = 0.35
"""Of a letter's height: how closely."""
KEPT = 16 << 20
"""Bytes; of freed memory the process keeps twice as much for the next picture."""


class Reader:
    """Reads the numbers of a picture; one thread at a time, for it keeps what it has read for the next one.

    Args:
        classifier: None takes the shipped int8 network.
        watch: is handed the stages of each picture, see digitlens.stages; None does without.
        separator: what stands in a number's text for a decimal point or comma; nothing leaves them out.
        whole: which rows are read whole by the network `numbers`: those in doubt, all, or none.
        strips: that network; None takes the shipped one, where it is.
    """

    def __init__(
        self,
        classifier: Classifier | None = None,
        watch: Watch | None = None,
        separator: str = "",
        whole: RowNetworkUse = "doubtful",
        strips: RowRecognizer | None = None,
    ) -> None:
        self.classifier = classifier or Classifier.load()
        self.separator = separator
        self.whole = whole
        if strips is None and whole != "none" and DEFAULT in cards.names(rows=True):
            strips = RowRecognizer.load()
        self._rows = RowReader(strips, self._likely, to_numbers) if strips is not None else None
        self._watch: Watch = watch or (lambda gray, page, resolved: None)
        # An int8 network's answers are the same to the bit in whatever batch; others are always asked.
        self._exact = self.classifier.card.input.dtype == "uint8"
        self._glyphs: TwoFrameCache[bytes, npt.NDArray[np.float32]] = TwoFrameCache()
        # To give a picture's buffers back to the system and to get them again takes a third of the reader's
        # time. glibc keeps what is smaller than the largest block that was ever freed: mallopt(3). This one
        # is never touched, and takes no memory.
        np.empty(KEPT, np.uint8)

    def read(self, image: npt.NDArray[np.uint8], source: str = "", time: float = 0.0) -> Reading:
        """Read (H, W, 3) uint8 BGR or (H, W) uint8 gray; `source` and `time` are handed through.

        Raises:
            PictureError: another shape or dtype.
        """
        started = perf_counter()
        self._glyphs.turn()
        if self._rows is not None:
            self._rows.next_frame()
        gray = _gray(image)
        height, width = gray.shape
        shrink = LONGEST / max(gray.shape)
        if shrink < 1:
            size = max(1, round(width * shrink)), max(1, round(height * shrink))
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        page = segment(gray)
        finer = _enlarged(gray, page.glyphs)
        if finer is not None:
            gray, page = finer, segment(finer)
        segmented = perf_counter()
        resolved = resolve(page.glyphs, self._classify)
        numbers = self._numbers(resolved, page)
        ended = perf_counter()
        self._watch(gray, page, resolved)
        reading = Reading(
            source=source,
            time=time,
            size=(gray.shape[1], gray.shape[0]),
            numbers=numbers,
            milliseconds={
                "segment": (segmented - started) * 1000,
                "classify": (ended - segmented) * 1000,
                "total": (ended - started) * 1000,
            },
        )
        return resized(reading, (width, height))

    def _classify(self, glyphs: list[Glyph]) -> npt.NDArray[np.float32]:
        return self._likely(to_mnist(glyphs))

    def _likely(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if not self._exact:
            return self.classifier.probabilities(crops)
        likely = self._glyphs.all(
            [crop.tobytes() for crop in crops],
            lambda places: list(self.classifier.probabilities(crops[places])),
        )
        return np.array(likely, np.float32).reshape(-1, 10)

    def _numbers(self, resolved: Resolved, segmented: Segmented) -> tuple[Number, ...]:
        """The glyphs as numbers, without those that are words or scribbles."""
        probabilities = resolved.probabilities
        values, best = probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0).astype(np.float64)
        others = self.classifier.card.others
        sure = probabilities.sum(axis=1, dtype=np.float64)
        nowhere = 0.0
        if others is not None and len(best):
            likely, nowhere = prior.em_class_prior(sure, others, prior.BEFORE, prior.PAGE)
            best, sure = best * likely / np.maximum(sure, 1e-9), likely
        digits = [
            Digit(int(value), float(confidence), glyph.box)
            for glyph, value, confidence in zip(resolved.glyphs, values, best, strict=True)
        ]
        numbers = to_numbers(digits, segmented.borders)
        if others is None:
            numbers = tuple(found for found in numbers if _mean(found.digits) >= LEAST_CONFIDENCE)
        else:
            chances = {id(digit): float(chance) for digit, chance in zip(digits, sure, strict=True)}
            numbers = tuple(part for found in numbers for part in _among_its_own(found, chances, nowhere))
        if self._rows is not None:
            numbers, _ = self._rows.reread(numbers, segmented, resolved, self.whole)
        numbers = roman_numerals.without(numbers)
        if self.separator:
            numbers = tuple(separated(found, segmented.dots, self.separator) for found in numbers)
        return numbers


def _mean(digits: Sequence[Digit]) -> float:
    return fmean(digit.confidence for digit in digits)


def _among_its_own(found: Number, chances: dict[int, float], page: float) -> list[Number]:
    """The number with its digits' confidences as the others of its digits make them more or less likely.

    `chances` are those that a Digit, by its id, is one at all: which one it is, is another question. A sign
    among digits parts two numbers; a word is none.
    """
    sure = np.array([chances[id(digit)] for digit in found.digits])
    likely, _ = prior.em_class_prior(sure, page, page, prior.NUMBER)
    digits = [
        msgspec.structs.replace(digit, confidence=float(digit.confidence * chance / max(before, 1e-9)))
        for digit, chance, before in zip(found.digits, likely, sure, strict=True)
    ]
    if _mean(digits) < LEAST_AMONG:
        return []
    parts: list[list[Digit]] = [[]]
    sign: Digit | None = None
    for digit, chance in zip(digits, likely, strict=True):
        if chance < LEAST_DIGIT:
            parts.append([])
            sign = digit
        elif sign is not None and not parts[-1] and _is_subscript(digit, sign):
            sign = msgspec.structs.replace(sign, box=union((sign.box, digit.box)))
        else:
            parts[-1].append(digit)
    return [number(tuple(part)) for part in parts if part]


def _is_subscript(digit: Digit, sign: Digit) -> bool:
    """Whether a digit is small and close behind a letter, as in d1 and x2: it is no number's."""
    x, _, _, height = digit.box
    left, _, width, tall = sign.box
    return height < SUBSCRIPT * tall and x - (left + width) < NEAR * tall


def _enlarged(gray: npt.NDArray[np.uint8], glyphs: list[Glyph]) -> npt.NDArray[np.uint8] | None:
    """The picture with its low writing enlarged; None if that is not needed, or too large.

    Where strokes are two pixels wide, ink is a matter of parts of a pixel.
    """
    height = median(glyph.box[3] for glyph in glyphs) if glyphs else LOW
    scale = min(LARGEST_SCALE, FINE / height, (MOST_PIXELS / gray.size) ** 0.5)
    if height >= LOW or scale < LEAST_SCALE:
        return None
    size = round(gray.shape[1] * scale), round(gray.shape[0] * scale)
    return cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _gray(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 3:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    raise PictureError(f"a picture must be (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}")
