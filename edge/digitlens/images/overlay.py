"""(picture, reading) -> the picture with its numbers."""

from statistics import median

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.readings import Box, Reading, resized

SURE_COLOR = (60, 160, 0)
"""Color of the boxes of sure digits and of labels, BGR."""
DOUBTFUL_COLOR = (0, 110, 230)
"""Color of the boxes of doubtful digits, BGR."""
TEXT_COLOR = (255, 255, 255)
"""Color of the labels' digits, BGR."""
SURE = 0.9
"""Confidence from which a digit is drawn as sure, a probability."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21
"""Height of the font's digits at size 1, in pixels."""


def draw(image: Pixels, reading: Reading) -> Pixels:
    """(H, W) gray or (H, W, 3) BGR -> a new (H, W, 3) BGR with a box per digit and a label per number.

    A doubtful digit has a thinner box of another color.
    """
    colored = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image
    canvas: Pixels = colored.astype(np.uint8, copy=image.ndim == 3)
    height, width = canvas.shape[:2]
    reading = resized(reading, (width, height))
    thick = max(1, round(max(height, width) / 500))
    for number in reading.numbers:
        for digit in number.digits:
            sure = digit.confidence >= SURE
            x, y, w, h = _grown(digit.box, thick * 2)
            corner, across = (x, y), (x + w, y + h)
            cv2.rectangle(
                canvas,
                corner,
                across,
                SURE_COLOR if sure else DOUBTFUL_COLOR,
                thick if sure else max(1, thick // 2),
            )
        high = median(digit.box[3] for digit in number.digits)
        _label(canvas, number.text, _grown(number.box, thick * 2), high)
    return canvas


def _grown(box: Box, margin: int) -> Box:
    x, y, width, height = box
    return x - margin, y - margin, width + 2 * margin, height + 2 * margin


def _label(canvas: Pixels, text: str, box: Box, digit: float) -> None:
    """White on a filled strip above the box, about half a digit high; below it where there is no room."""
    height, width = canvas.shape[:2]
    size = max(0.45, min(digit * 0.35 / CAPITAL, max(height, width) / 700))
    pen = max(1, round(size * 2))
    (wide, high), base = cv2.getTextSize(text, FONT, size, pen)
    margin = pen + 2
    left = max(0, min(box[0], width - wide - 2 * margin))
    strip = high + base + margin
    top = box[1] - strip if box[1] >= strip else min(box[1] + box[3], max(0, height - strip))
    cv2.rectangle(canvas, (left, top), (left + wide + 2 * margin, top + strip), SURE_COLOR, -1)
    cv2.putText(
        canvas, text, (left + margin, top + high + margin // 2), FONT, size, TEXT_COLOR, pen, cv2.LINE_AA
    )
