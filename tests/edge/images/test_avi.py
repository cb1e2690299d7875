"""Motion JPEG without FFmpeg: the films of --record, OpenCV's, broken ones."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.core.errors import PictureError
from digitlens.images import avi, pictures

COUNT = 5


def _picture(level: int) -> npt.NDArray[np.uint8]:
    picture = np.full((48, 64, 3), 200, np.uint8)
    picture[10:30, 20:40] = level
    return picture


@pytest.fixture(params=["MJPG", "XVID"])
def film(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Five frames, each darker in the middle than the one before."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*request.param), 12.5, (64, 48))
    for count in range(COUNT):
        writer.write(_picture(150 - 20 * count))
    writer.release()
    return path


@pytest.mark.parametrize("color", [False, True])
def test_all_frames_come(film: Path, color: bool) -> None:
    seen = list(pictures.load(film, color))
    assert [one.pixels.shape for one in seen] == [(48, 64, 3) if color else (48, 64)] * COUNT
    assert [one.size for one in seen] == [(64, 48)] * COUNT
    assert [one.time for one in seen] == pytest.approx([count / 12.5 for count in range(COUNT)], abs=0.09)
    for count, one in enumerate(seen):
        assert abs(float(one.pixels[15:25, 25:35].mean()) - (150 - 20 * count)) < 6
    assert pictures.rate(film) == pytest.approx(12.5)


def test_gray_is_what_colored_frames_have(film: Path) -> None:
    for gray, colored in zip(pictures.load(film), pictures.load(film, True), strict=True):
        other = cv2.cvtColor(colored.pixels, cv2.COLOR_BGR2GRAY)
        assert int(cv2.absdiff(gray.pixels, other).max()) <= 3


def test_a_cut_off_film_ends_and_torn_frames_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for count in range(COUNT):
        writer.write(_picture(10 * count))
    writer.release()
    content = path.read_bytes()
    frames = list(avi.jpegs(path))
    assert len(frames) == COUNT
    path.write_bytes(content[: content.index(frames[3]) + 30])
    assert len(list(pictures.load(path))) == 3
    path.write_bytes(content.replace(frames[2], b"\0" * len(frames[2])))
    assert len(list(pictures.load(path))) == COUNT - 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\xff\xff\xff\xffAVI ",
        b"RIFF\x10\0\0\0AVI LIST\x04\0\0\0hdrlstrh\xff\xff\xff\xffvids",
    ],
)
def test_no_film_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.avi"
    path.write_bytes(content)
    assert avi.probe(path) is None
    with pytest.raises(PictureError, match=r"film\.avi: not a video"):
        list(pictures.load(path))
    assert pictures.rate(path) == 0


@pytest.mark.parametrize("kind", [".jpg", ".png", ".bmp", ".ppm", ".webp"])
def test_a_picture_of_a_videos_name_is_read_as_a_picture(tmp_path: Path, kind: str) -> None:
    pictures.save(tmp_path / f"sheet{kind}", _picture(30))
    (expected,) = pictures.load(tmp_path / f"sheet{kind}")
    named = (tmp_path / f"sheet{kind}").rename(tmp_path / "sheet.avi")
    (found,) = pictures.load(named)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert pictures.rate(named) == 0


@pytest.mark.parametrize("name", ["large.png", "large.avi"])
def test_too_large_pictures_are_refused_before_decoding(tmp_path: Path, name: str) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 5_000, 8, 0, 0, 0, 0))
    # Decoded, it would be found to be cut off.
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")))
    with pytest.raises(PictureError, match="too large"):
        next(pictures.load(tmp_path / name))
