"""A glyph's ink -> the 28 x 28 picture that the classifiers know; training goes through here too.

MNIST's own rules (LeCun, Bottou, Bengio and Haffner 1998): aspect kept, fitted into 20 x 20 with gray
edges, centered by mass in 28 x 28. Besides, a pen much thinner than MNIST's is thickened first: at
20 pixels a hairline would otherwise fade away.
"""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

SIDE = 28
FIT = 20
MIDDLE = SIDE / 2
"""The pixel that the center of mass is put on: with 14 MNIST's own digits stay where they are, with 13.5
half of them move."""
THINNEST = 1.6
"""The narrowest stroke that is left as it is, in pixels of the 20 x 20 fit; MNIST's mean is 2.4."""


class HasInk(Protocol):
    """Anything with an ink crop: (H, W) uint8, white ink on black."""

    @property
    def ink(self) -> Gray: ...  # noqa: D102


def to_mnist(glyphs: Sequence[HasInk]) -> Gray:
    """Glyphs -> (N, 28, 28) uint8, white ink on black; one without ink gives a black picture."""
    batch = np.zeros((len(glyphs), SIDE, SIDE), np.uint8)
    for index, glyph in enumerate(glyphs):
        batch[index] = normalize(glyph.ink)
    return batch


def normalize(ink: Gray) -> Gray:
    """One ink crop (H, W) uint8, white on black -> (28, 28) uint8."""
    x, y, width, height = cv2.boundingRect(ink)
    if width == 0 or height == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = np.ascontiguousarray(ink[y : y + height, x : x + width])
    scale = FIT / max(width, height)
    stroke = stroke_width(ink) * scale
    if stroke < THINNEST:
        ink = _thicken(ink, (THINNEST - stroke) / scale)
        height, width = ink.shape
        scale = FIT / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    peak = int(np.max(fitted))
    if 0 < peak < 255:
        fitted = cv2.convertScaleAbs(fitted, alpha=255 / peak)
    return _center(fitted.astype(np.uint8, copy=False))


def stroke_width(ink: Gray) -> float:
    """The mean stroke width of an ink crop (H, W), in its pixels: twice the area over the perimeter."""
    pen = np.zeros(
        (ink.shape[0] + 2, ink.shape[1] + 2), bool
    )  # framed: the crop's own border is an edge, too
    np.greater(ink, 127, out=pen[1:-1, 1:-1])
    area = int(np.count_nonzero(pen))
    if area == 0:
        return 0.0
    edges = int(np.count_nonzero(pen[1:] != pen[:-1]) + np.count_nonzero(pen[:, 1:] != pen[:, :-1]))
    # City-block edges are longer than the contour by 4 / pi on average over all directions.
    return 2 * area / (edges * np.pi / 4)


def _thicken(ink: Gray, more: float) -> Gray:
    """Dilate by `more` pixels in all, with a frame so that the new edge has room."""
    radius = max(1, round(more / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    framed = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=(0,))
    return cv2.dilate(framed, kernel).astype(np.uint8, copy=False)


def _center(fitted: Gray) -> Gray:
    """Paste (h, w), at most 20 x 20, into 28 x 28 with the center of mass in the middle."""
    height, width = fitted.shape
    mass = cv2.moments(fitted)
    left = round(MIDDLE - mass["m10"] / mass["m00"])
    top = round(MIDDLE - mass["m01"] / mass["m00"])
    left, top = min(max(left, 0), SIDE - width), min(max(top, 0), SIDE - height)
    picture = np.zeros((SIDE, SIDE), np.uint8)
    picture[top : top + height, left : left + width] = fitted
    return picture
