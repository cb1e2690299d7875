"""Films and frames of one level of gray, for the tests of cameras."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.cameras.base import Camera

Pixels = npt.NDArray[np.uint8]
LONG = 120.0
"""Seconds that no test reaches unless it fails."""


def plain(level: int, width: int = 64, height: int = 48) -> Pixels:
    return np.full((height, width, 3), level, np.uint8)


def film(path: Path, levels: list[int], rate: int = 10) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (64, 48))
    for level in levels:
        writer.write(plain(level))
    writer.release()
    return path


def levels(camera: Camera) -> list[int]:
    """The rest of a replay, each frame as its level rounded to tens."""
    found = []
    while (frame := camera.newest(LONG)) is not None:
        found.append(round(int(frame.gray[0, 0]) / 10) * 10)
    return found


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
