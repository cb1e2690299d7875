"""The crop of a row, as training and the runtime make it: gray, its paper evened out, not binarized."""

import cv2
import numpy as np

from digitlens.core.arrays import Gray

CROP_HEIGHT = 32
"""Height of a row crop, pixels."""
PAD = 0.14
"""Height of the paper above and below a row in its crop, row heights."""
FULL_INK = 0.99
"""Fraction of a crop's pixels that are paler than those made full black."""
LEAST_CONTRAST = 36.0
"""Smallest contrast that is made full black, so that empty paper stays pale, gray levels."""


def crop_row(contrast: Gray, top: float, bottom: float, left: float, right: float) -> Gray:
    """Crop a row of a picture: (CROP_HEIGHT, w) uint8, bright ink, w as the aspect has it.

    `contrast` (H, W) uint8 is how much darker than its paper a pixel is. The four sides are in its pixels;
    beyond it is paper.
    """
    y, x = round(top), round(left)
    high, wide = max(1, round(bottom) - y), max(1, round(right) - x)
    size = crop_size(top, bottom, left, right)
    crop = np.zeros((high, wide), np.uint8)
    rows, columns = slice(max(0, y), max(0, y + high)), slice(max(0, x), max(0, x + wide))
    visible = contrast[rows, columns]
    crop[max(0, -y) : max(0, -y) + visible.shape[0], max(0, -x) : max(0, -x) + visible.shape[1]] = visible
    interpolation = cv2.INTER_AREA if high > CROP_HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(crop, size, interpolation=interpolation)
    counts = np.cumsum(np.bincount(small.ravel(), minlength=256))
    level = max(LEAST_CONTRAST, float(np.searchsorted(counts, FULL_INK * counts[-1])))
    return cv2.convertScaleAbs(small, alpha=255 / level).astype(np.uint8, copy=False)


def crop_size(top: float, bottom: float, left: float, right: float) -> tuple[int, int]:
    """Width and height of the crop that `crop_row` makes for these sides."""
    high, wide = max(1, round(bottom) - round(top)), max(1, round(right) - round(left))
    return max(4, round(wide * CROP_HEIGHT / high)), CROP_HEIGHT


def sheared(crop: Gray, shear: float) -> Gray:
    """(CROP_HEIGHT, W) uint8 moved `shear` pixels to the right for each pixel up; the middle line stays."""
    return _warped(crop, [[1.0, shear, -shear * (CROP_HEIGHT - 1) / 2], [0.0, 1.0, 0.0]])


def stretched(crop: Gray, factor: float) -> Gray:
    """(CROP_HEIGHT, W) uint8 stretched vertically; the middle line stays."""
    return _warped(crop, [[1.0, 0.0, 0.0], [0.0, factor, (1 - factor) * (CROP_HEIGHT - 1) / 2]])


def raised(crop: Gray, pixels: float) -> Gray:
    """(CROP_HEIGHT, W) uint8 moved up."""
    return _warped(crop, [[1.0, 0.0, 0.0], [0.0, 1.0, -pixels]])


def _warped(crop: Gray, matrix: list[list[float]]) -> Gray:
    return cv2.warpAffine(crop, np.array(matrix), crop.shape[::-1]).astype(np.uint8, copy=False)
