"""Elastic distortion: pictures rotated, slanted, stretched, warped and shifted a little anew each epoch."""

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray

KNOTS = 5
"""Points a side of the grid of random displacements, interpolated smoothly (after Simard et al. 2003)."""
UNDISTORTED = 0.15
"""Share of the pictures that stay as they are."""
CHUNK = 2000
"""Pictures whose maps are computed at once: enough for NumPy, little memory."""


def distort(pictures: Gray, random: np.random.Generator, strength: float) -> Gray:
    """(N, 28, 28) uint8 -> the same shape, each distorted by its own draw; 1 is natural handwriting."""
    changed = np.empty_like(pictures)
    for start in range(0, len(pictures), CHUNK):
        chunk = pictures[start : start + CHUNK]
        across, down = _maps(len(chunk), chunk.shape[1], random, strength)
        for index, picture in enumerate(chunk):
            changed[start + index] = cv2.remap(picture, across[index], down[index], cv2.INTER_CUBIC)
    spared = random.random(len(pictures)) < UNDISTORTED
    changed[spared] = pictures[spared]
    return changed


def _maps(count: int, side: int, random: np.random.Generator, strength: float) -> tuple[Floats, Floats]:
    """The source column and row of each pixel of each picture, (count, side, side) both."""
    turn = random.normal(0, np.deg2rad(6) * strength, count)
    slant = random.normal(0, 0.13 * strength, count)
    across, down = np.exp(random.normal(0, 0.07 * strength, (2, count)))
    cos, sin = np.cos(turn), np.sin(turn)
    grid = np.arange(side, dtype=np.float32) - (side - 1) / 2
    fields = random.normal(0, 0.55 * strength, (2, count, KNOTS, KNOTS)).astype(np.float32)
    fields += random.normal(0, 0.5 * strength, (2, count, 1, 1)).astype(np.float32)  # a common shift
    smooth = cv2.resize(np.eye(KNOTS, dtype=np.float32), (KNOTS, side), interpolation=cv2.INTER_CUBIC)
    warp = smooth @ fields @ smooth.T + np.float32((side - 1) / 2)
    x, y = grid[np.newaxis, np.newaxis, :], grid[np.newaxis, :, np.newaxis]
    linear = np.stack([cos * across, cos * slant - sin, sin * across, sin * slant + cos * down])
    a, b, c, d = linear.astype(np.float32)[:, :, np.newaxis, np.newaxis]
    return warp[0] + a * x + b * y, warp[1] + c * x + d * y
