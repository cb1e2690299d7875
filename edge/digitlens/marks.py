"""Tracked numbers and a status line, drawn on a live picture of any size."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.readings import Box
from digitlens.track import Tracked

Pixels = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

STEADY: Color = (40, 120, 0)
READING: Color = (0, 190, 255)
"""Of what is not steady yet; on a dark rim, for no color is seen on all papers."""
RIM: Color = (20, 20, 20)
INK: Color = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21
"""The font's digits are so many pixels high at size 1."""
LOWEST = 13
"""Pixels of height that a label's digits have at the least."""
PART = 34
"""Of the picture's height, that they have on a larger screen."""


def mark(canvas: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str = "") -> None:
    """Draw on `canvas` (H, W, 3) uint8 BGR, in place.

    A steady number has a solid box and a filled label, one that is still being read a dotted box and an
    outlined label.

    Args:
        canvas: the picture as large as it is shown, so that labels are sharp and readable there.
        numbers: their boxes are in pixels of a picture of `size`.
        size: width and height.
        status: the line at the bottom; without it there is none.
    """
    height, width = canvas.shape[:2]
    across, down = width / size[0], height / size[1]
    thick = max(1, round(height / 400))
    low = height - _bar(canvas, status)
    boxes = [_scaled(one.number.box, across, down, 2 * thick + 1) for one in numbers]
    taken: list[Box] = []
    for one, box in zip(numbers, boxes, strict=True):
        if one.steady:
            _rectangle(canvas, box, RIM, thick + 2)
            _rectangle(canvas, box, STEADY, thick)
        else:
            _dotted(canvas, box, thick)
    # Steady ones choose their place first.
    for one, box in sorted(zip(numbers, boxes, strict=True), key=lambda pair: not pair[0].steady):
        others = [other for other in boxes if other is not box]
        digit = max(digit.box[3] for digit in one.number.digits) * down
        taken.append(_label(canvas, one, box, digit, low, taken, others))


def _label(
    canvas: Pixels, one: Tracked, box: Box, digit: float, low: int, taken: list[Box], others: list[Box]
) -> Box:
    """Write the number beside its box, where it hides the least; returns the place."""
    height, width = canvas.shape[:2]
    least = max(LOWEST, height / PART)
    size = max(least, min(0.45 * digit, 2 * least)) / CAPITAL
    wide, _ = _text_size(one.number.text, size)
    margin = max(3, round(0.25 * size * CAPITAL))
    wide, tall = wide + 2 * margin, round(size * CAPITAL) + 2 * margin
    x, y, w, h = box
    places = [(x, y - tall), (x, y + h), (x + w, y), (x - wide, y), (x + w - wide, y - tall)]
    spots = [(min(max(0, left), max(0, width - wide)), top, wide, tall) for left, top in places]
    free = [spot for spot in spots if spot[1] >= 0 and spot[1] + tall <= low]
    # Rather over another number than over its label.
    spot = min(free or spots, key=lambda spot: 4 * _hidden(spot, taken) + _hidden(spot, [*others, box]))
    spot = (spot[0], min(max(0, spot[1]), max(0, low - tall)), wide, tall)
    left, top = spot[:2]
    at = (left + margin, top + tall - margin)
    if one.steady:
        cv2.rectangle(canvas, (left, top), (left + wide, top + tall), STEADY, -1)
        _write(canvas, one.number.text, at, size, INK)
    else:
        thick = max(1, round(height / 400))
        _rectangle(canvas, spot, RIM, thick + 2)
        _rectangle(canvas, spot, READING, thick)
        _write(canvas, one.number.text, at, size, READING, RIM)
    return spot


def _bar(canvas: Pixels, status: str) -> int:
    """Write the status line on a dark strip; returns its height."""
    if not status:
        return 0
    height, width = canvas.shape[:2]
    size = max(LOWEST - 2, height / (PART + 8)) / CAPITAL
    wide, base = _text_size(status, size)
    size *= min(1.0, (width - 8) / wide)  # all of it, on the narrowest screen
    margin = max(3, round(0.3 * size * CAPITAL))
    strip = round(size * CAPITAL) + 2 * margin + base // 2
    top = max(0, height - strip)
    canvas[top:] //= 4
    _write(canvas, status, (margin, height - margin - base // 2), size, INK)
    return strip


def _write(
    canvas: Pixels, text: str, at: tuple[int, int], size: float, ink: Color, rim: Color | None = None
) -> None:
    pen = max(1, round(size * 2))
    if rim is not None:
        cv2.putText(canvas, text, at, FONT, size, rim, pen + 2 + pen, cv2.LINE_AA)
    cv2.putText(canvas, text, at, FONT, size, ink, pen, cv2.LINE_AA)


def _text_size(text: str, size: float) -> tuple[int, int]:
    (wide, _), base = cv2.getTextSize(text, FONT, size, max(1, round(size * 2)))
    return wide, base


def _rectangle(canvas: Pixels, box: Box, color: Color, thick: int) -> None:
    x, y, width, height = box
    cv2.rectangle(canvas, (x, y), (x + width, y + height), color, thick)


def _dotted(canvas: Pixels, box: Box, thick: int) -> None:
    """Dots along the box, each with a dark rim."""
    x, y, width, height = box
    step = 5 * thick
    dots = [(x + along, side) for along in range(0, width, step) for side in (y, y + height)]
    dots += [(side, y + along) for along in range(0, height, step) for side in (x, x + width)]
    for color, radius in ((RIM, thick + 1), (READING, thick)):
        for dot in dots:
            cv2.circle(canvas, dot, radius, color, -1)


def _scaled(box: Box, across: float, down: float, margin: int) -> Box:
    x, y, width, height = box
    left, top = round(x * across) - margin, round(y * down) - margin
    return left, top, round(width * across) + 2 * margin, round(height * down) + 2 * margin


def _hidden(spot: Box, boxes: Iterable[Box]) -> int:
    """Pixels of the boxes under the spot."""
    x, y, width, height = spot
    return sum(
        max(0, min(x + width, a + w) - max(x, a)) * max(0, min(y + height, b + h) - max(y, b))
        for a, b, w, h in boxes
    )
