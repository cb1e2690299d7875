"""Videos of huge frames in a few kilobytes: refused before they are decoded, whatever their header says."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlens.images.pictures import load
from digitlens.images.video_limits import jpeg_size

SMALL, HUGE = (64, 48), (9000, 9000)
REFUSED = "frames of 9000 x 9000 are too large; at most 16 million pixels are read: scale it down"
MOST_KILOBYTES = 100_000
"""Of its own that a process may take; a decoded frame of HUGE takes 81 to 243 MB more."""


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def film(codec: bytes, frames: list[bytes], size: tuple[int, int]) -> bytes:
    """An AVI whose header says that its frames are of `size`."""
    main = struct.pack("<14I", 100_000, 0, 0, 0x10, len(frames), 0, 1, 0, *size, 0, 0, 0, 0)
    stream = struct.pack("<4s4s10I4H", b"vids", codec, 0, 0, 0, 1, 10, 0, len(frames), 0, 0, 0, 0, 0, *size)
    picture = struct.pack("<IiiHH4sIiiII", 40, *size, 1, 24, codec, size[0] * size[1] * 3, 0, 0, 0, 0)
    streams = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", picture))
    content = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + streams) + chunk(
        b"LIST", b"movi" + b"".join(chunk(b"00dc", frame) for frame in frames)
    )
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"AVI " + content


def encoded(size: tuple[int, int], kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 200).save(file, kind, compress_level=1)
    return file.getvalue()


@pytest.fixture(scope="module")
def pictures() -> dict[tuple[str, tuple[int, int]], bytes]:
    return {(kind, size): encoded(size, kind) for kind in ("PNG", "JPEG") for size in (SMALL, HUGE)}


def read(path: Path) -> tuple[str, str, int]:
    """stdout and stderr of `digitlens live`, and the kilobytes of its own that it took at the most."""
    program = (
        "import sys; from digitlens.commands.main import main\n"
        "main(['live', '--camera', sys.argv[1], '--display', 'none', '--rate', '0', '--record', sys.argv[2]])"
        "\nprint(*(line for line in open('/proc/self/status') if line.startswith(('VmHWM', 'RssFile'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path, path.with_name("record.avi")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    peak, files = (int(done.stdout.split(name)[1].split()[0]) for name in ("VmHWM:", "RssFile:"))
    return done.stdout, done.stderr, peak - files


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "kind", "sizes", "stated", "said"),
    [
        (b"MPNG", "PNG", [HUGE], HUGE, REFUSED),
        (b"MPNG", "PNG", [HUGE], SMALL, REFUSED),
        (b"MPNG", "PNG", [SMALL, HUGE], SMALL, ""),  # ends there, as if it were cut off
        (b"MJPG", "JPEG", [HUGE], HUGE, REFUSED),
        (b"MJPG", "JPEG", [HUGE], SMALL, REFUSED),
        (b"MJPG", "JPEG", [SMALL, HUGE], SMALL, REFUSED),
        (b"MJPG", "PNG", [HUGE], HUGE, REFUSED),
        (b"", "JPEG", [SMALL, SMALL, HUGE, HUGE], SMALL, ""),
    ],
)  # fmt: skip
def test_huge_frames_cost_no_memory(
    tmp_path: Path,
    pictures: dict[tuple[str, tuple[int, int]], bytes],
    codec: bytes,
    kind: str,
    sizes: list[tuple[int, int]],
    stated: tuple[int, int],
    said: str,
) -> None:
    frames = [pictures[kind, size] for size in sizes]
    path = tmp_path / ("film.avi" if codec else "film.mjpeg")
    path.write_bytes(film(codec, frames, stated) if codec else b"".join(frames))
    _, errors, kilobytes = read(path)
    ours = [line for line in errors.splitlines() if line.startswith("digitlens: ")]
    assert ours == ([f"digitlens: {path}: {said}"] if said else [])
    assert kilobytes < MOST_KILOBYTES


@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_in_a_jpegs_header(progressive: bool) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a description"
    Image.new("RGB", (64, 48)).save(
        file, "JPEG", progressive=progressive, exif=exif, comment=b"\xff\xc0" * 20
    )
    jpeg = file.getvalue()
    assert jpeg_size(jpeg) == (64, 48)
    frame = jpeg.index(b"\xff\xc2" if progressive else b"\xff\xc0\x00\x11")
    assert jpeg_size(jpeg[:frame] + b"\xff" * 9 + jpeg[frame:]) == (64, 48)  # fill bytes
    assert jpeg_size(jpeg[:frame] + b"\x00\xff\x00\xff\xd0\xff\x01" + jpeg[frame:]) == (64, 48)
    assert jpeg_size(jpeg[: frame + 6]) is jpeg_size(b"") is jpeg_size(b"\x89PNG") is None
    assert jpeg_size(jpeg[:frame] + jpeg[frame + 19 :]) is None


def test_large_frames_are_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (4096, 2160))
    for level in (50, 200):
        video.write(np.full((2160, 4096, 3), level, np.uint8))
    video.release()
    assert [(one.size, round(int(one.pixels[0, 0]), -1)) for one in load(path)] == [
        ((4096, 2160), 50),
        ((4096, 2160), 200),
    ]
