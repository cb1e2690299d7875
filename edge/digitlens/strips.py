"""A row of writing -> a gray strip as the network `numbers` takes it; training uses the same function."""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

HEIGHT = 32
"""Pixels of a strip."""
WIDTHS = (64, 128, 192, 256, 384)
"""Pixels that a strip is padded to, with paper on its right."""
PAD = 0.14
"""Of the row's height, that is left above and below it."""
STRONGEST = 0.99
"""Of a strip's pixels are paler than what becomes full black."""
LEAST = 36.0
"""Gray levels of contrast, at the least, that become full black: empty paper stays pale."""


def to_strip(contrast: Gray, top: float, bottom: float, left: float, right: float) -> Gray:
    """(H, W) uint8, how much darker than its paper a pixel is -> (HEIGHT, w) uint8, w as wide as it comes.

    The four sides are pixels of the picture and may lie beyond it: there is paper.
    """
    y, x = round(top), round(left)
    high, wide = max(1, round(bottom) - y), max(1, round(right) - x)
    crop = np.zeros((high, wide), np.uint8)
    rows, columns = slice(max(0, y), max(0, y + high)), slice(max(0, x), max(0, x + wide))
    seen = contrast[rows, columns]
    crop[max(0, -y) : max(0, -y) + seen.shape[0], max(0, -x) : max(0, -x) + seen.shape[1]] = seen
    size = max(4, round(wide * HEIGHT / high)), HEIGHT
    how = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(crop, size, interpolation=how)
    counts = np.cumsum(np.bincount(small.ravel(), minlength=256))
    level = max(LEAST, float(np.searchsorted(counts, STRONGEST * counts[-1])))
    return cv2.convertScaleAbs(small, alpha=255 / level).astype(np.uint8, copy=False)


def padded(strip: Gray) -> Gray | None:
    """The strip in the next of WIDTHS; None if it is wider than all."""
    width = next((width for width in WIDTHS if width >= strip.shape[1]), None)
    if width is None:
        return None
    return cv2.copyMakeBorder(strip, 0, 0, 0, width - strip.shape[1], cv2.BORDER_CONSTANT, value=(0,)).astype(
        np.uint8, copy=False
    )
