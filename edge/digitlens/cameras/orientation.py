"""Pictures rotated and flipped."""

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.frames import Frame

ROTATIONS = {
    0: None,
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""Degrees clockwise -> OpenCV's code."""
FLIPS = {"": None, "horizontal": 1, "vertical": 0, "both": -1}
"""Name -> OpenCV's code."""


def oriented(pixels: Pixels, rotation: int, flip: str) -> Pixels:
    """(H, W) or (H, W, 3), rotated by `rotation` (a key of ROTATIONS), then flipped by `flip` (of FLIPS)."""
    turn, mirror = ROTATIONS[rotation], FLIPS[flip]
    if turn is not None:
        pixels = cv2.rotate(pixels, turn).astype(np.uint8, copy=False)
    if mirror is not None:
        pixels = cv2.flip(pixels, mirror).astype(np.uint8, copy=False)
    return pixels


def framed(pixels: Pixels, time: float, taken: float, *, rotation: int, flip: str, color: bool) -> Frame:
    """The frame of a camera with one stream, whose picture is (H, W) gray or (H, W, 3) BGR."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    gray = oriented(gray.astype(np.uint8, copy=False), rotation, flip)
    image = oriented(pixels, rotation, flip) if color and pixels.ndim == 3 else gray
    return Frame(image, gray, time, taken)
