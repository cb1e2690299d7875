"""Tracked numbers and a status line, drawn on a live picture of any size."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Pixels
from digitlens.core.boxes import intersections
from digitlens.core.readings import Box
from digitlens.core.tracking import Tracked

Color = tuple[int, int, int]

STEADY: Color = (40, 120, 0)
"""Color of a steady number, BGR."""
UNSTEADY: Color = (0, 190, 255)
"""Color of an unsteady number, BGR; always on a dark ground or rim, for no color shows on every paper."""
RIM: Color = (20, 20, 20)
INK: Color = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21
"""Height of the font's digits at size 1, in pixels."""
MIN_HEIGHT = 12
"""Least height of a label's digits, in pixels."""
SCREEN_LETTERS = 34
"""Height of a larger screen, in heights of a label's digits."""
STAY = 0.5
"""Least gain for which a label changes its side, as a fraction of its area: jumping labels are unreadable."""

Sides = dict[int, int]
"""Number's id -> index of the spot where its label is."""


def draw_labels(
    canvas: Pixels,
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str = "",
    place: Box | None = None,
    sides: Sides | None = None,
) -> None:
    """Draw labels on `canvas` (H, W, 3) uint8 BGR, in place.

    A steady number has a solid box and a filled label, an unsteady one a dotted box and an outlined label
    with a question mark.

    Args:
        canvas: the picture at the size at which it is shown, so that labels are sharp and readable there.
        numbers: their boxes are in pixels of a picture of `size`.
        size: width and height.
        status: the line at the bottom; empty for none.
        place: the picture's box on the canvas; None is all of it.
        sides: is changed; handed in with the next picture, it keeps labels in their places.
    """
    height, width = canvas.shape[:2]
    _draw(canvas, *_plan((width, height), numbers, size, status, place, sides), status)


def label_layer(
    shape: tuple[int, int],
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str = "",
    sides: Sides | None = None,
) -> Pixels:
    """The labels alone, as a new (H, W, 4) RGBA uint8 of `shape` (width, height), to lie over a picture.

    Drawn on black and on white: where the two differ, the picture shines through.
    """
    boxes, labels = _plan(shape, numbers, size, status, None, sides)
    black, white = (np.full((shape[1], shape[0], 3), level, np.uint8) for level in (0, 255))
    for canvas in (black, white):
        _draw(canvas, boxes, labels, status)
    rgba: Pixels = cv2.cvtColor(black, cv2.COLOR_BGR2RGBA).astype(np.uint8, copy=False)
    np.subtract(255, white[..., 1] - black[..., 1], out=rgba[..., 3])
    return rgba


class _Label(NamedTuple):
    steady: bool
    text: str
    letters: float
    margin: int
    spot: Box


def _plan(
    shape: tuple[int, int],
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str,
    place: Box | None,
    sides: Sides | None,
) -> tuple[list[tuple[bool, Box]], list[_Label]]:
    """The boxes, each steady or not, and the labels on a canvas of `shape` (width, height)."""
    width, height = shape
    x, y, w, h = place or (0, 0, width, height)
    sides = {} if sides is None else sides
    margin = 2 * _thick(height) + 1
    low = height - (_bar(shape, status).strip if status else 0)
    boxes = []
    for one in numbers:
        left, top, wide, tall = one.number.box
        corner = round(x + left * w / size[0]) - margin, round(y + top * h / size[1]) - margin
        boxes.append(
            (*corner, round(wide * w / size[0]) + 2 * margin, round(tall * h / size[1]) + 2 * margin)
        )
    labels: list[_Label] = []
    if numbers:
        # One size for all: one pen wrote them.
        digit = median(one.number.box[3] for one in numbers) * h / size[1]
        least = max(MIN_HEIGHT, height / SCREEN_LETTERS)
        letters = min(max(least, 0.4 * digit), 1.6 * least) / CAPITAL
        taken: list[Box] = []
        for one, box in sorted(zip(numbers, boxes, strict=True), key=lambda pair: not pair[0].steady):
            text = one.number.text if one.steady else f"{one.number.text} ?"
            wide, tall, margin = _label_size(text, letters)
            spots = _spots(box, (wide, tall), (width, low))
            side = _side(spots, boxes, taken, sides.get(one.id))
            sides[one.id] = side
            taken.append(spots[side])
            labels.append(_Label(one.steady, text, letters, margin, spots[side]))
        for gone in sides.keys() - {one.id for one in numbers}:
            del sides[gone]
    return [(one.steady, box) for one, box in zip(numbers, boxes, strict=True)], labels


def _draw(canvas: Pixels, boxes: list[tuple[bool, Box]], labels: list[_Label], status: str) -> None:
    thick = _thick(len(canvas))
    if status:
        bar = _bar((canvas.shape[1], len(canvas)), status)
        canvas[max(0, len(canvas) - bar.strip) :] //= 4
        _write(canvas, status, (bar.margin, len(canvas) - bar.base), bar.size, INK)
    for steady, box in boxes:
        if steady:
            _rectangle(canvas, box, RIM, thick + 2)
            _rectangle(canvas, box, STEADY, thick)
        else:
            _dotted(canvas, box, thick)
    for steady, text, letters, margin, spot in labels:
        left, top, wide, tall = spot
        cv2.rectangle(canvas, (left, top), (left + wide, top + tall), STEADY if steady else RIM, -1)
        if not steady:
            _rectangle(canvas, spot, UNSTEADY, thick)
        _write(canvas, text, (left + margin, top + tall - margin), letters, INK if steady else UNSTEADY)


def _thick(height: int) -> int:
    """Thickness of lines on a picture of this height, in pixels."""
    return max(1, round(height / 400))


def _label_size(text: str, letters: float) -> tuple[int, int, int]:
    """Width, height and margin of a label."""
    margin = max(3, round(0.25 * letters * CAPITAL))
    return _text_size(text, letters)[0] + 2 * margin, round(letters * CAPITAL) + 2 * margin, margin


def _spots(box: Box, label: tuple[int, int], room: tuple[int, int]) -> list[Box]:
    """Boxes for a label: above, below, right, left, above flush right; each moved into the room."""
    x, y, w, h = box
    wide, tall = label
    corners = ((x, y - tall), (x, y + h), (x + w, y), (x - wide, y), (x + w - wide, y - tall))
    return [
        (min(max(0, left), max(0, room[0] - wide)), min(max(0, top), max(0, room[1] - tall)), wide, tall)
        for left, top in corners
    ]


def _side(spots: list[Box], numbers: list[Box], labels: list[Box], before: int | None) -> int:
    """The spot that hides least, numbers rather than labels; the one before, if that is about as good."""
    area = spots[0][2] * spots[0][3]
    costs = ((4 * _hidden(spots, labels) + _hidden(spots, numbers)) / area).tolist()
    # A number under a corner of a label can still be read.
    costs = [0.0 if cost < 0.1 else cost for cost in costs]
    best = costs.index(min(costs))
    return before if before is not None and costs[before] <= costs[best] + STAY else best


class _Bar(NamedTuple):
    size: float
    margin: int
    base: int
    strip: int


def _bar(shape: tuple[int, int], status: str) -> _Bar:
    """The status line: its letters' size, its left margin, its baseline and its top above the edge."""
    width, height = shape
    size = max(MIN_HEIGHT - 2, height / (SCREEN_LETTERS + 8)) / CAPITAL
    wide, base = _text_size(status, size)
    size *= min(1.0, (width - 8) / wide)  # complete even on the narrowest screen
    margin = max(3, round(0.3 * size * CAPITAL))
    return _Bar(size, margin, margin + base // 2, round(size * CAPITAL) + 2 * margin + base // 2)


def _write(canvas: Pixels, text: str, at: tuple[int, int], size: float, ink: Color) -> None:
    cv2.putText(canvas, text, at, FONT, size, ink, max(1, round(size * 1.8)), cv2.LINE_AA)


def _text_size(text: str, size: float) -> tuple[int, int]:
    (wide, _), base = cv2.getTextSize(text, FONT, size, max(1, round(size * 1.8)))
    return wide, base


def _rectangle(canvas: Pixels, box: Box, color: Color, thick: int) -> None:
    x, y, width, height = box
    cv2.rectangle(canvas, (x, y), (x + width, y + height), color, thick)


def _dotted(canvas: Pixels, box: Box, thick: int) -> None:
    """Dots along the box, each with a dark rim."""
    x, y, width, height = box
    step = 7 * thick + 1  # rims do not touch
    dots = [(x + along, side) for along in range(0, width, step) for side in (y, y + height)]
    dots += [(side, y + along) for along in range(0, height, step) for side in (x, x + width)]
    for color, radius in ((RIM, thick + 1), (UNSTEADY, thick)):
        for dot in dots:
            cv2.circle(canvas, dot, radius, color, -1)


def _hidden(spots: list[Box], boxes: list[Box]) -> Doubles:
    """Pixels of the boxes under each of the spots (N,)."""
    return np.asarray(intersections(_array(spots), _array(boxes)).sum(axis=1), np.float64)


def _array(boxes: list[Box]) -> Doubles:
    return np.array(boxes, np.float64).reshape(-1, 4)
