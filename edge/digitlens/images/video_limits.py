"""What a frame of a video may cost: its size, known before it is decoded, and what FFmpeg may allocate."""

import ctypes
import re
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

from digitlens.core.errors import PictureError

MOST_PIXELS = 1 << 24
"""Largest frame of a video; films with larger ones are refused; in pixels."""
MOST_BYTES = 4 * MOST_PIXELS
"""Largest block that FFmpeg may allocate, in bytes: a frame of four channels."""
MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers of a frame's header."""
ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xD8)))
"""JPEG's markers that no length follows."""
ENDS = frozenset((0xD8, 0xD9, 0xDA))
"""JPEG's markers before which the frame's header must have come."""


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height in a JPEG's header, in pixels, found as libjpeg does; None if it has none."""
    if not jpeg.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while (found := MARKER.search(jpeg, place)) is not None:
        marker, place = found[1][0], found.end()
        if marker in ALONE:
            continue
        if marker in ENDS or place + 7 > len(jpeg):
            return None
        length, _, height, width = struct.unpack_from(">HBHH", jpeg, place)
        if marker in FRAMES:
            return width, height
        place += max(2, length)
    return None


def check_size(path: Path, width: float, height: float) -> None:
    """Whether frames of this width and height, in pixels, may be decoded.

    Raises:
        PictureError: they are too large.
    """
    if width * height > MOST_PIXELS:
        raise PictureError(
            f"{path}: frames of {width:.0f} x {height:.0f} are too large; at most {MOST_PIXELS // 1_000_000} "
            "million pixels are read: scale it down"
        )


@cache
def limit_ffmpeg() -> None:
    """Let FFmpeg, as OpenCV has loaded it, allocate no larger block than MOST_BYTES.

    It decodes the first frames when a file is opened, before anybody can ask for their size, and a later one
    may be larger. A frame that is refused so counts as broken. Without a shared libavutil nothing is limited.
    """
    with suppress(OSError, AttributeError, StopIteration):
        loaded = Path("/proc/self/maps").read_text(errors="replace").splitlines()
        library = next(line.split(maxsplit=5)[5] for line in loaded if "/libavutil" in line)
        ctypes.CDLL(library).av_max_alloc(ctypes.c_size_t(MOST_BYTES))
