"""A glyph's ink -> the 28 x 28 input of the classifiers, in training too.

MNIST's own rules (LeCun, Bottou, Bengio and Haffner 1998): aspect kept, fitted into 20 x 20 with gray
edges, centered by mass in 28 x 28. A pen much thinner than MNIST's is thickened first: at 20 pixels a
hairline would fade.
"""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from digitlens.config.parameters.glyphs import GlyphParameters
from digitlens.core.arrays import Gray
from digitlens.paper.stroke_width import stroke_width

DEFAULT = GlyphParameters()

SIDE = 28
FIT = 20
MIDDLE = SIDE / 2
"""The pixel that the center of mass is put on: with 14 MNIST's own digits stay in place, with 13.5 half of
MNIST moves."""


class HasInk(Protocol):
    """Anything with an ink crop: (H, W) uint8, white ink on black."""

    @property
    def ink(self) -> Gray: ...  # noqa: D102


def to_mnist(glyphs: Sequence[HasInk], parameters: GlyphParameters = DEFAULT) -> Gray:
    """Glyphs -> (N, 28, 28) uint8, white ink on black; one without ink gives a black picture."""
    return normalized([glyph.ink for glyph in glyphs], parameters)


def normalize(ink: Gray, parameters: GlyphParameters = DEFAULT) -> Gray:
    """One ink crop (H, W) uint8, white on black -> (28, 28) uint8."""
    picture: Gray = normalized([ink], parameters)[0]
    return picture


def normalized(inks: Sequence[Gray], parameters: GlyphParameters = DEFAULT) -> Gray:
    """Ink crops (H, W) uint8, white on black -> (N, 28, 28) uint8."""
    fitted = np.zeros((len(inks), FIT, FIT), np.uint8)
    sizes = [_fit(ink, spot, parameters) for ink, spot in zip(inks, fitted, strict=True)]
    return _centered(_stretched(fitted), sizes)


def _fit(ink: Gray, spot: Gray, parameters: GlyphParameters) -> tuple[int, int]:
    """Scale the ink into the upper left of a black `spot`, (20, 20); its width and height there."""
    x, y, width, height = cv2.boundingRect(ink)
    if width == 0 or height == 0:
        return 0, 0
    ink = ink[y : y + height, x : x + width]
    scale = FIT / max(width, height)
    stroke = stroke_width(ink) * scale
    if stroke < parameters.thinnest_stroke:
        ink = _thicken(ink, (parameters.thinnest_stroke - stroke) / scale, parameters.largest_radius)
        height, width = ink.shape
        scale = FIT / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cv2.resize(ink, size, dst=spot[: size[1], : size[0]], interpolation=method)
    return size


def _thicken(ink: Gray, more: float, largest: int) -> Gray:
    """Dilate by `more` pixels in all, with a frame so that the new edge has room."""
    radius = max(1, round(more / 2))
    if radius > largest:  # a hairline across the picture: at its own size dilation would take seconds
        shrink = largest / radius
        size = max(1, round(ink.shape[1] * shrink)), max(1, round(ink.shape[0] * shrink))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        radius = largest
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    framed = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=(0,))
    return cv2.dilate(framed, kernel).astype(np.uint8, copy=False)


def _stretched(fitted: Gray) -> Gray:
    """Brighten pictures (N, h, w) until the brightest pixel of each is white."""
    peaks = np.maximum(fitted.max(axis=(1, 2)), 1)
    bright = fitted * (255 / peaks).astype(np.float32)[:, np.newaxis, np.newaxis]
    stretched: Gray = np.rint(bright, out=bright).astype(np.uint8)
    return stretched


def _centered(fitted: Gray, sizes: Sequence[tuple[int, int]]) -> Gray:
    """Move pictures (N, 20, 20), their ink of these sizes in the upper left, into the middle of (N, 28, 28).

    The middle is the center of mass.
    """
    columns, rows = (fitted.sum(axis=axis, dtype=np.int64) for axis in (1, 2))
    mass, places = np.maximum(columns.sum(axis=1), 1), np.arange(FIT)
    lefts, tops = (np.rint(MIDDLE - along @ places / mass).astype(np.intp) for along in (columns, rows))
    pictures = np.zeros((len(fitted), SIDE, SIDE), np.uint8)
    for picture, small, (width, height), left, top in zip(
        pictures, fitted, sizes, lefts.tolist(), tops.tolist(), strict=True
    ):
        left, top = min(max(left, 0), SIDE - width), min(max(top, 0), SIDE - height)
        picture[top : top + height, left : left + width] = small[:height, :width]
    return pictures
