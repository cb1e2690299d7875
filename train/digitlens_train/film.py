"""Films of a sheet, for the live benchmark: under a hand-held camera, or a fixed one."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import PictureError
from digitlens_train.hand_shake import RATE, frames

GRAIN = 4.0
"""Standard deviation of the sensor's noise, in gray levels."""


def write(path: Path, sheet: Pixels, count: int, seed: int, still: bool = False) -> None:
    """Write `count` frames of a sheet (H, W, 3) uint8 BGR, of its size, as Motion JPEG at RATE.

    Raises:
        PictureError: the file cannot be written.
    """
    random = np.random.default_rng(seed)
    size = sheet.shape[1], sheet.shape[0]
    drawn = _still(sheet, count, random) if still else frames(sheet, count, random, size=size, grain=GRAIN)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, size)
    if not film.isOpened():
        raise PictureError(f"{path}: cannot be written; films are AVI files, in a folder that exists")
    for frame in drawn:
        film.write(frame)
    film.release()


def _still(sheet: Pixels, count: int, random: np.random.Generator) -> Iterator[Pixels]:
    """The sheet with new noise each frame: a window that moves over one noise field."""
    height, width = sheet.shape[:2]
    field = np.round(random.normal(0, GRAIN, (height + 64, width + 64, 3))).astype(np.int16)
    for _ in range(count):
        left, top = (int(place) for place in random.integers(0, 64, 2))
        yield np.clip(sheet + field[top : top + height, left : left + width], 0, 255).astype(np.uint8)
