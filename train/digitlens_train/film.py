"""Films of a sheet, for the live benchmark: shaken by a hand, or standing still."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digitlens.core.errors import PictureError
from digitlens_train.hand_shake import RATE, shaken
from digitlens_train.page_photos import Page

GRAIN = 4.0
"""Standard deviation of the camera's noise, in gray levels."""


def write(path: Path, sheet: Page, count: int, seed: int, still: bool = False) -> None:
    """Write `count` frames of a sheet (H, W, 3) uint8 BGR as Motion JPEG, of the sheet's size.

    Raises:
        PictureError: it cannot be written.
    """
    random = np.random.default_rng(seed)
    size = sheet.shape[1], sheet.shape[0]
    frames = _still(sheet, count, random) if still else shaken(sheet, count, random, size=size, grain=GRAIN)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, size)
    if not film.isOpened():
        raise PictureError(f"{path}: cannot be written; films are AVI files, in a folder that is there")
    for frame in frames:
        film.write(frame)
    film.release()


def _still(sheet: Page, count: int, random: np.random.Generator) -> Iterator[Page]:
    """The sheet with other noise each time: one field of it, seen at another place."""
    height, width = sheet.shape[:2]
    field = np.round(random.normal(0, GRAIN, (height + 64, width + 64, 3))).astype(np.int16)
    for _ in range(count):
        left, top = (int(place) for place in random.integers(0, 64, 2))
        yield np.clip(sheet + field[top : top + height, left : left + width], 0, 255).astype(np.uint8)
