"""AVI files of Motion JPEG, as `digitlens live --record` and many cameras write them: JPEG by JPEG.

Without FFmpeg reading takes half the time, gray frames are not decoded in color first, and its libraries and
buffers stay out of memory.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

LISTS = (b"RIFF", b"LIST")
MOTION_JPEG = (b"MJPG", b"mjpg")
MAX_JPEG_BYTES = 64 << 20
"""Longest JPEG of a film, in bytes."""


class Film(NamedTuple):
    """A film's frames per second (0: unknown), and its width and height in pixels."""

    rate: float
    size: tuple[int, int]


def probe(path: Path) -> Film | None:
    """The film's rate and size; None if it is no AVI of Motion JPEG.

    Raises:
        OSError: it cannot be read.
    """
    rate = 0.0
    handler = b""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"AVI ":
            return None
        for name, length in _chunks(file):
            if name == b"strh":
                kind, handler, _, _, _, scale, ticks = struct.unpack("<4s4sIIIII", _exactly(file, length, 28))
                rate = ticks / scale if kind == b"vids" and scale else 0.0
            elif name == b"strf" and rate:
                _, width, height, _, _, named = struct.unpack("<IiiHH4s", _exactly(file, length, 20))
                film = Film(rate, (width, abs(height)))
                return film if named in MOTION_JPEG or handler in MOTION_JPEG else None
            elif name.endswith((b"dc", b"db")):
                return None
    return None


def jpegs(path: Path) -> Iterator[bytes]:
    """The frames of an AVI of Motion JPEG, each as a JPEG's bytes; a film that is cut off ends there.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        for name, length in _chunks(file):
            if name.endswith((b"dc", b"db")) and 0 < length < MAX_JPEG_BYTES:
                frame = file.read(length)
                if len(frame) == length:
                    yield frame


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk, those in lists included; the file stands at the chunk's first byte."""
    place = 0
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = head[:4], int.from_bytes(head[4:], "little")
        place += 12 if name in LISTS else 8 + length + length % 2
        if name not in LISTS:
            yield name, length


def _exactly(file: BinaryIO, length: int, count: int) -> bytes:
    """The chunk's first `count` bytes, padded with zeros."""
    return file.read(min(length, count)).ljust(count, b"\0")
