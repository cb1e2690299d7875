"""Videos of every container -> pictures.load, and as a camera's replay."""

import random
import struct
from pathlib import Path

import cv2
import numpy as np

from digitlens.core.errors import CameraError, PictureError
from digitlens.images import pictures
from fuzz.cases import Found, Ready, mutated, one_line

KINDS = (
    (".avi", "MJPG"),
    (".avi", "XVID"),
    (".mp4", "mp4v"),
    (".mov", "mp4v"),
    (".mkv", "MJPG"),
    (".mkv", "mp4v"),
)
LISTS = (
    b"ffconcat version 1.0\nfile other.avi\n",
    b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.avi\n",
    b'<?xml version="1.0"?><MPD><Period><BaseURL>other.avi</BaseURL></Period></MPD>',
    b"v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    b"[playlist]\nFile1=other.avi\n",
)
"""Texts that FFmpeg may take for a list of other files."""
SECRET = 203
"""Gray level of the frames of the other file, which no list may lead to."""
SIZES = (1, 48, 64, 4096, 4097, 9000, 20_000, 65_535, 2**31 - 1)
MOST_FRAMES = 12


def video(case: random.Random, folder: Path, ready: Ready) -> None:
    """Videos: intact, mutated, with other sizes in their headers, and texts that name another file."""
    other = folder / "other.avi"
    if not other.exists():
        _write(other, "MJPG", (64, 48), 2, SECRET)
    suffix, codec = case.choice(KINDS)
    path = folder / f"case{suffix}"
    is_list = case.random() < 0.15
    if is_list:
        content = case.choice((b"", b"", b"RIFF", b"\0\0\0\x08ftyp")) + case.choice(LISTS)
    else:
        content = _film(case, path, codec)
    for _ in range(case.choice([0, 0, 1, 1, 2, 8])):
        content = mutated(case, content)
    if case.random() < 0.1:
        path.unlink(missing_ok=True)
        path = path.with_suffix(case.choice(sorted(pictures.VIDEOS)))
    path.write_bytes(content)
    color = case.random() < 0.5
    ready()
    try:
        if case.random() < 0.2:
            pictures.rate(path)
        for count, found in enumerate(pictures.load(path, color)):
            if (
                found.pixels.dtype != np.uint8
                or found.pixels.ndim != (3 if color else 2)
                or not found.pixels.size
            ):
                raise Found(f"{found.pixels.shape} {found.pixels.dtype}, color={color}")
            if is_list and abs(int(np.median(found.pixels)) - SECRET) < 3:
                raise Found("a list led to another file")
            if count == MOST_FRAMES:
                break
    except (PictureError, CameraError) as error:
        one_line(error)
    finally:
        path.unlink()


def _write(path: Path, codec: str, size: tuple[int, int], frames: int, level: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, size)
    for count in range(frames):
        frame = np.full((size[1], size[0], 3), level, np.uint8)
        frame[count % size[1]] = 0
        writer.write(frame)
    writer.release()


def _film(case: random.Random, path: Path, codec: str) -> bytes:
    """A film, with another size in its headers from time to time."""
    size = case.choice([(64, 48), (160, 120), (642, 482)])
    _write(path, codec, size, case.choice([1, 3, 9]), case.randrange(0, 180))
    content = path.read_bytes() if path.exists() else b""
    if case.random() < 0.3:
        for order in ("<HH", "<II", ">HH"):
            own = struct.pack(order, *size)
            limit = 65_535 if order.endswith("H") or "H" in order else 2**31 - 1
            stated = struct.pack(order, *(min(limit, case.choice(SIZES)) for _ in range(2)))
            content = content.replace(own, stated, case.choice([1, 1, 9]))
    return content
