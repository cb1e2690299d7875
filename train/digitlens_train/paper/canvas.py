"""Blank paper to draw on: how much each class covers every pixel, how dark it is, which numbers are there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens_train.paper.classes import Kind

Points = npt.NDArray[np.float64]
"""(N, 2) of x to the right and y downward."""

Place = tuple[float, float, float, float]
"""Left, top, width and height of a box, in pixels."""

IN_NUMBERS = ".,"
"""Signs that part no number."""
SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws with."""
FEW = 40
"""Points of lines that are drawn as they are."""
TOLERANCE = 4.0
"""How far a line may leave its points to be drawn of fewer, in 2 ** -SHIFT pixels."""


@dataclass(frozen=True)
class Truth:
    """A number as it was written or printed; `box` is x, y, width, height in pixels.

    `between` are the numbers between its signs, the 8 and the 12 of 8/12; none where no sign parts it, as a
    point and a comma do not.
    """

    text: str
    box: Place
    printed: bool = False
    between: "tuple[Truth, ...]" = ()

    @property
    def parts(self) -> "tuple[Truth, ...]":
        """What the Reader makes of it, unless it keeps signs: the numbers between them."""
        return self.between or (self,)


class Canvas:
    """Blank paper of `height` x `width` pixels; what is drawn outside of it is clipped.

    Attributes:
        alpha: (5, H, W) uint8, coverage by Kind; that of Kind.PAPER stays 0.
        tone: (H, W) uint8, darkness: coverage x dark, combined by maximum.
        tint: (H, W) uint8, the paper's own lightness x 255, or None while nothing is shaded.
        numbers: what was recorded.
        neat: whether the paper is written on with care, for somebody to read: a firm pen on thin lines, and
            room around the numbers.
    """

    def __init__(self, height: int, width: int, neat: bool = False) -> None:
        self.height, self.width, self.neat = height, width, neat
        self.alpha: Gray = np.zeros((len(Kind), height, width), np.uint8)
        self.tone: Gray = np.zeros((height, width), np.uint8)
        self.tint: Gray | None = None
        self.numbers: list[Truth] = []

    def paint(self, kind: Kind, ink: Gray, x: float, y: float, dark: float) -> None:
        """Ink (h, w) of coverage 0..255 with its top left at x, y, rounded to pixels; `dark` is 0..1."""
        left, top = round(x), round(y)
        high, wide = ink.shape
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, self.width), min(top + high, self.height)
        if x0 >= x1 or y0 >= y1:
            return
        part = ink[y0 - top : y1 - top, x0 - left : x1 - left]
        cover = self.alpha[kind, y0:y1, x0:x1]
        np.maximum(cover, part, out=cover)
        tone = self.tone[y0:y1, x0:x1]
        shaded = cv2.convertScaleAbs(part, alpha=min(max(dark, 0.0), 1.0))
        np.maximum(tone, shaded.reshape(tone.shape), out=tone, casting="unsafe")

    def polyline(self, kind: Kind, points: Points, pen: float, dark: float) -> None:
        """A line (N, 2) with round ends by a pen `pen` pixels wide; one point is a dot."""
        self.polylines(kind, [points], pen, dark)

    def polylines(self, kind: Kind, lines: Sequence[Points], pen: float, dark: float) -> None:
        """Several lines of one character, painted at once, which is faster."""
        points = np.concatenate(lines) if len(lines) > 1 else lines[0]
        self.trace(kind, points, list(accumulate(len(line) for line in lines)), pen, dark)

    def trace(self, kind: Kind, points: Points, ends: Sequence[int], pen: float, dark: float) -> None:
        """The lines points[0 : ends[0]], points[ends[0] : ends[1]], ..., painted at once."""
        dots = np.rint(points * (1 << SHIFT)).astype(np.int32)
        x, y, wide, tall = cv2.boundingRect(dots)
        margin = int(pen / 2) + 3
        x0, y0 = max((x >> SHIFT) - margin, 0), max((y >> SHIFT) - margin, 0)
        x1 = min(((x + wide) >> SHIFT) + margin, self.width)
        y1 = min(((y + tall) >> SHIFT) + margin, self.height)
        if x0 >= x1 or y0 >= y1:
            return
        dots -= np.array((x0 << SHIFT, y0 << SHIFT), np.int32)
        lines = [dots[start:end] for start, end in pairwise((0, *ends))]
        if len(dots) > FEW:
            lines = [cv2.approxPolyDP(line, TOLERANCE, False).astype(np.int32, copy=False) for line in lines]
        ink = np.zeros((y1 - y0, x1 - x0), np.uint8)
        # A hairline's lost width is lost coverage.
        cover = round(255 * min(1.0, max(pen, 0.2)))
        cv2.polylines(ink, lines, False, (cover,), max(1, round(pen)), cv2.LINE_AA, SHIFT)
        self.paint(kind, ink, x0, y0, dark)

    def fill(self, x0: float, y0: float, x1: float, y1: float, level: float) -> None:
        """Shade a rectangle of the paper: `level` 1 leaves it as light as the sheet, 0 makes it black."""
        if self.tint is None:
            self.tint = np.full((self.height, self.width), 255, np.uint8)
        left, top, right, bottom = (max(0, round(value)) for value in (x0, y0, x1, y1))
        self.tint[top:bottom, left:right] = round(255 * min(max(level, 0.0), 1.0))

    def record(
        self, text: str, box: Place, printed: bool = False, characters: Sequence[tuple[str, Place]] = ()
    ) -> None:
        """Note that the number `text` stands in `box`, x, y, width, height in pixels.

        The boxes of its `characters` tell where its parts stand, if signs part it.
        """
        self.numbers.append(Truth(text, box, printed, tuple(_between(characters))))


def _between(characters: Sequence[tuple[str, Place]]) -> Iterator[Truth]:
    """The numbers between signs, if there is a sign."""
    if all(text in IN_NUMBERS or text.isdigit() for text, _ in characters):
        return
    for is_sign, part in groupby(characters, lambda one: not (one[0] in IN_NUMBERS or one[0].isdigit())):
        texts, boxes = zip(*part, strict=True)
        if is_sign or not any(text.isdigit() for text in texts):
            continue
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
        yield Truth("".join(texts), (left, top, right - left, bottom - top))
