"""Characters on their way to paper: pen paths or pictures, in units of the writing's height."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.shapes import smooth

Lines = Sequence[Doubles]

WIDEST = 1.5
"""Width of a character in heights above which its height is reduced."""
ROUNDED = 90.0
"""Height from which the corners of pen paths are rounded, in pixels."""
REPENNED = 14.0
"""Height from which a picture's strokes can be made thicker or thinner, in pixels."""
PEN_LIMIT = 0.4
"""Width of the thickest pen, in heights of what it writes."""
THINNEST = 0.1
"""How far a thinner pen takes a picture's edges in, in widths of its own pen; more would break strokes."""
THICKEST = 0.05
"""How far a thicker pen takes a picture's edges out, in heights; more would fill loops."""
SOLID = 80
"""Gray value of a picture from which it is ink: below half, since thin strokes are gray all over."""


@dataclass(frozen=True)
class Shape:
    """Pen paths of one character: the lines points[0 : ends[0]], points[ends[0] : ends[1]], ...

    Attributes:
        points: (N, 2) in heights: y 0 top, 1 baseline, x from 0.
    """

    points: Doubles
    ends: list[int]

    @classmethod
    def join(cls, lines: Lines) -> "Shape":
        """Of lines that are in heights already."""
        points = np.concatenate(lines) if len(lines) > 1 else lines[0]
        return cls(points, list(accumulate(len(line) for line in lines)))

    @classmethod
    def fit(cls, lines: Lines, widest: float = WIDEST) -> "Shape":
        """Of lines in any unit: 1 tall, or less if it were wider than `widest`, and on the baseline."""
        shape = cls.join(lines)
        low, high = shape.points.min(axis=0), shape.points.max(axis=0)
        wide, tall = (high - low).tolist()
        scale = 1 / max(tall, wide / widest, 1e-6)
        return cls((shape.points - low) * scale + (0.0, 1.0 - tall * scale), shape.ends)


@dataclass
class Glyph:
    """A character to be written: a shape, or a picture and the box of its ink, perhaps with strokes added.

    Attributes:
        native: width of the pen of the picture, in heights.
    """

    width: float
    shape: Shape | None = None
    picture: Gray | None = None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    slant: float = 0.0
    native: float = 0.0

    def wide(self, height: float, pen: float) -> float:
        """Width of its ink in pixels, by a pen `pen` pixels wide."""
        if self.picture is not None:
            return self.width * height
        pen = min(pen, PEN_LIMIT * height)
        return self.width * (height - pen) + pen

    def add(self, line: Doubles) -> None:
        """Add a stroke, (N, 2) in heights."""
        if self.shape is None:
            self.shape = Shape(line, [len(line)])
        else:
            points = np.concatenate([self.shape.points, line])
            self.shape = Shape(points, [*self.shape.ends, len(points)])


def from_shape(shape: Shape, slant: float = 0.0, stretch: float = 1.0) -> Glyph:
    """A glyph of pen paths, slanted by `slant` pixels a row, stretched horizontally."""
    points = shape.points @ np.array([[stretch, 0.0], [-slant, 1.0]])  # rows are points
    x = points[:, 0]
    x -= x.min()
    return Glyph(float(x.max()), Shape(points, shape.ends))


def from_picture(picture: Gray, slant: float = 0.0, stretch: float = 1.0) -> Glyph:
    """A glyph of a picture (h, w), white on black."""
    inside = (picture > SOLID).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(inside)
    if not w:
        return Glyph(0.3, Shape(np.array([[0.0, 0.0], [0.3, 1.0]]), [2]))
    wide = min(w * stretch / h, WIDEST) + abs(slant)
    return Glyph(wide, None, picture, (x, y, w, h), slant, _pen(inside)[0] / h)


def paint(
    canvas: Canvas,
    kind: Kind,
    glyph: Glyph,
    place: tuple[float, float],
    height: float,
    pen: float,
    dark: float,
) -> None:
    """Write a glyph with its top left at `place`, x and y, so that its ink is `height` tall; `pen` in pixels.

    A picture is written by its own pen if `pen` is 0.
    """
    if glyph.picture is not None:
        canvas.paint(kind, _enlarged(glyph, height, pen), *place, dark)
        pen = pen or glyph.native * height
    if glyph.shape is None:
        return
    pen = min(pen, PEN_LIMIT * height)
    points = glyph.shape.points * (height - pen) + (place[0] + pen / 2, place[1] + pen / 2)
    if height < ROUNDED:
        canvas.trace(kind, points, glyph.shape.ends, pen, dark)
    else:
        lines = [points[start:end] for start, end in pairwise((0, *glyph.shape.ends))]
        canvas.polylines(kind, [smooth(line) if len(line) > 3 else line for line in lines], pen, dark)


def _enlarged(glyph: Glyph, height: float, pen: float) -> Gray:
    """The picture's ink (height, glyph.width * height) of smooth strokes."""
    source = glyph.box[3]
    native = glyph.native * height
    # A thicker pen needs room around the strokes, a thinner one leaves some.
    more = 0.0
    if pen and height >= REPENNED:
        more = min(max((pen - native) / 2, -THINNEST * native), THICKEST * height)
    room = max(more, -0.1 * height)
    tall, wide = max(3, round(height)), max(3, round(glyph.width * height))
    # Large ones are smoothed at a smaller size, which looks the same and costs less.
    shrink = max(1.0, tall / (8 * source))
    high, broad = max(3, round(tall / shrink)), max(3, round(wide / shrink))
    margin = math.ceil(max(0.0, -room) / shrink + 1.5 * high / source) + 1
    ink = _smoothed(glyph, high, broad, room / shrink, margin)
    if abs(more) > 0.3:
        ink = _repenned(ink, more / shrink)
    ink = ink[margin : margin + high, margin : margin + broad]
    if shrink > 1:
        large = cv2.resize(ink, (wide, tall), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        ink = np.clip((large - 127.5) * np.float32(shrink) + 127.5, 0, 255).astype(np.uint8)
    return ink


def _smoothed(glyph: Glyph, tall: int, wide: int, room: float, margin: int) -> Gray:
    """The picture's ink, `room` pixels from the edges of (tall, wide), with a margin around that."""
    if glyph.picture is None:
        return np.zeros((tall + 2 * margin, wide + 2 * margin), np.uint8)
    x, y, w, h = glyph.box
    edge = 0.35  # of a pixel of the picture, which smoothing takes from the ink's ends
    down = max(tall - 2 * room, 1.0) / (h + edge)
    lean = abs(glyph.slant) * (h + edge) * down
    across = max(wide - 2 * room - lean, 0.35 * wide) / (w + edge)
    # Pictures are never reduced by warping, which would skip pixels.
    reduced = max(1.0, 1 / down)
    down, across, lean = down * reduced, across * reduced, lean * reduced
    shear = -glyph.slant * down
    left = (room + margin) * reduced + (lean if glyph.slant > 0 else 0.0) + across * edge / 2
    top = (room + margin) * reduced + down * edge / 2
    matrix = np.array(
        [
            [across, shear, left - 0.5 - across * (x - 0.5) - shear * (y - 0.5)],
            [0, down, top - 0.5 - down * (y - 0.5)],
        ]
    )
    high, broad = tall + 2 * margin, wide + 2 * margin
    size = round(broad * reduced), round(high * reduced)
    large = cv2.warpAffine(glyph.picture, matrix, size, flags=cv2.INTER_LINEAR)
    zoom = (down + across) / 2
    if zoom > 1.2:
        soft = cv2.GaussianBlur(large, (0, 0), 0.5 * zoom)
        contrast = 1.4 * zoom
        faint = cv2.subtract(soft, np.full_like(soft, max(0, round(SOLID - 127.5 / contrast))))
        large = cv2.convertScaleAbs(faint, alpha=contrast)
    if reduced > 1:
        large = cv2.resize(large, (broad, high), interpolation=cv2.INTER_AREA)
    return large.astype(np.uint8, copy=False)


def _repenned(ink: Gray, more: float) -> Gray:
    """The same strokes, their edges `more` pixels further out."""
    inside = (ink > 127).astype(np.uint8)
    pen, within = _pen(inside)
    signed = within - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) + np.float32(more)
    if pen > 6:  # the strokes' bumps
        signed = cv2.GaussianBlur(signed, (0, 0), 0.15 * pen).astype(np.float32, copy=False)
    return np.clip(signed * 255 + np.float32(127.5), 0, 255).astype(np.uint8)


def _pen(inside: Gray) -> tuple[float, Floats]:
    """Width of the pen that wrote a picture (h, w) of 0 and 1; (h, w) distance from the strokes' edges."""
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5).astype(np.float32, copy=False)
    area = cv2.countNonZero(inside)
    # A ribbon's mean distance to its edge is a quarter of its width.
    width = 4 * cv2.sumElems(within)[0] / max(area, 1)
    return min(width, 0.5 * max(inside.shape)), within  # without paper no distance is known
