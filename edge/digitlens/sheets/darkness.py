"""How dark paper is at each place, whatever light falls on it."""

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray

COARSE_PER_MM = 1.0
"""Resolution at which the light is estimated, pixels a millimeter."""
LARGEST_INK = 11.0
"""Side of the largest dark thing that is ink and no shadow, a fiducial; millimeters."""
DARKEST_PAPER = 12.0
"""Brightness below which paper is taken for this bright, so that noise in the dark is no ink; gray levels."""


def darkness(gray: Gray, per_mm: float) -> Floats:
    """(H, W) uint8 at `per_mm` pixels a millimeter -> (H, W) float32: 0 is the paper there, 1 is black."""
    dark = _paper(gray, per_mm)  # a page is large: all of it is done in place
    np.maximum(dark, np.float32(DARKEST_PAPER), out=dark)
    np.divide(gray, dark, out=dark)
    np.subtract(1, dark, out=dark)
    return np.asarray(np.clip(dark, 0, 1, out=dark), np.float32)


def _paper(gray: Gray, per_mm: float) -> Floats:
    """The paper's brightness: dark things up to LARGEST_INK are closed, then it is smoothed."""
    height, width = gray.shape
    shrink = min(1.0, COARSE_PER_MM / per_mm)
    size = max(8, round(width * shrink)), max(8, round(height * shrink))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    side = 2 * max(1, round(LARGEST_INK * per_mm * shrink / 2)) + 1
    # The mean of a pixel's millimeter is darker than its paper wherever there is print: dilate once more.
    light = cv2.dilate(cv2.medianBlur(small, 3), np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(
        light, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8), borderType=cv2.BORDER_REPLICATE
    )
    soft = cv2.GaussianBlur(closed, (0, 0), side / 4, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
    # Where smoothing lies above the paper, as beside a shadow's edge, the lower one counts.
    soft = np.minimum(soft, cv2.blur(closed, (3, 3)).astype(np.float32))
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
