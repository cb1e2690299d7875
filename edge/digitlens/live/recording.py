"""Frames and their readings -> a video with JSON lines beside it, to be replayed.

OpenCV's own VideoWriter does not report a full disk. Motion JPEG in an AVI is little more than JPEGs one
after the other, and a file without its end still plays.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

import cv2
import msgspec
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import RecordError
from digitlens.core.frames import Frame
from digitlens.core.readings import Reading
from digitlens.core.tracking import Tracked
from digitlens.images.video_limits import MOST_PIXELS
from digitlens.live.observers import LiveObserver

QUALITY = 90
"""Quality of the JPEGs, 0 to 100."""
MAX_FILM_BYTES = 2_000_000_000
"""Size at which a recording ends, in bytes: players take no larger AVI without an extended index."""
RATE = 30.0
"""Rate of a film of one frame, in frames a second."""


class Recorder(LiveObserver):
    """Writes `path`, which ends in .avi, and `path` with the suffix .jsonl, a reading a frame.

    The film's rate is the mean of the frames' own times, written when it is closed. Frames of another size
    than the first are scaled to it.

    Raises:
        RecordError: they are there already, or cannot be written; `add` and `frame` raise it, too.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() != ".avi":
            raise RecordError(f"{path}: recordings are AVI files: name it {path.with_suffix('.avi')}")
        self.path = path
        self._size: tuple[int, int] | None = None
        self._lengths: list[int] = []
        self._first = self._last = 0.0
        lines = path.with_suffix(".jsonl")
        for one in (path, lines):
            if os.path.lexists(one):
                raise RecordError(f"{one}: is there already; name another film with --record, or move it")
        try:
            self._film: BinaryIO = path.open("xb", buffering=0)  # follows no symlink
            self._lines: BinaryIO = lines.open("xb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """See LiveObserver."""
        self.add(frame.image, reading)

    def add(self, image: Pixels, reading: Reading) -> None:
        """Write one frame, (H, W) gray or (H, W, 3) BGR, and its reading."""
        height, width = image.shape[:2]
        if self._size is None:
            if width * height > MOST_PIXELS:
                self.close()
                raise RecordError(
                    f"{self.path}: frames of {width} x {height} are too large to be read again, at most "
                    f"{MOST_PIXELS // 1_000_000} million pixels are: ask the camera for fewer"
                )
            self._size, self._first = (width, height), reading.time
        if image.ndim == 2:  # decoders know no gray Motion JPEG among colored
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
        if (width, height) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        jpeg += b"\0" * (len(jpeg) % 2)
        try:
            if not self._lengths:
                self._write(self._film, self._header())
            self._write(self._film, b"00dc" + struct.pack("<I", len(jpeg)) + jpeg)
            self._write(self._lines, msgspec.json.encode(reading) + b"\n")
        except OSError as error:
            self.close()
            raise self._failed(error) from error
        self._lengths.append(len(jpeg))
        self._last = reading.time
        if self._film.tell() > MAX_FILM_BYTES:
            self.close()
            raise RecordError(f"{self.path}: full at {MAX_FILM_BYTES / 1e9:.0f} GB, recording has stopped")

    def close(self) -> None:
        """Finish the files; closing twice does nothing."""
        if self._film.closed:
            return
        try:
            if self._lengths:
                self._write(self._film, self._index())
                self._film.seek(0)
                self._write(self._film, self._header())
        except OSError:
            pass  # without its index and rate the film still plays
        finally:
            self._film.close()
            self._lines.close()

    def _header(self) -> bytes:
        """Everything before the first frame; always of the same length."""
        width, height = self._size or (0, 0)
        count, seconds = len(self._lengths), self._last - self._first
        rate = (count - 1) / seconds if count > 1 and seconds > 0 else RATE
        rate = min(max(rate, 0.1), 1000.0)  # a clock may have been set meanwhile
        data = sum(self._lengths) + 8 * count
        main = struct.pack("<14I", round(1e6 / rate), 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0)
        stream = struct.pack(
            "<4s4sIIIIIIIIII4H", b"vids", b"MJPG", 0, 0, 0, 1000, round(rate * 1000), 0, count, 0, 0, 0,
            0, 0, width, height,
        )  # fmt: skip
        picture = struct.pack(
            "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0
        )
        streams = b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", picture)
        headers = _chunk(b"LIST", b"hdrl" + _chunk(b"avih", main) + _chunk(b"LIST", streams))
        length = 4 + len(headers) + 12 + data + 8 + 16 * count
        return (
            b"RIFF" + struct.pack("<I", length) + b"AVI " + headers
            + b"LIST" + struct.pack("<I", 4 + data) + b"movi"
        )  # fmt: skip

    def _index(self) -> bytes:
        entries, place = [], 4
        for length in self._lengths:
            entries.append(struct.pack("<4sIII", b"00dc", 0x10, place, length))
            place += 8 + length
        return _chunk(b"idx1", b"".join(entries))

    def _write(self, file: BinaryIO, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # unbuffered, so that a full disk is known at once
            rest = rest[file.write(rest) :]

    def _failed(self, error: OSError) -> RecordError:
        return RecordError(f"{self.path}: cannot be recorded: {error.strerror}")


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data
