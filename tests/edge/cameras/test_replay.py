"""Files in place of a camera: in order, at their rate, and their faults."""

import os
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import pytest

from digitlens.cameras.orientation import oriented
from digitlens.cameras.registry import open_camera
from digitlens.core.errors import CameraError, CameraStalled
from tests.edge.films import LONG, film, levels, plain


def test_a_video_is_played_in_order_and_ends(tmp_path: Path) -> None:
    camera = open_camera(str(film(tmp_path / "film.avi", [0, 50, 100, 200])), rate=0)
    first = camera.newest(LONG)
    assert first is not None
    assert first.image.shape == (48, 64, 3)
    assert first.gray.shape == (48, 64)
    assert first.time == 0
    second = camera.newest(LONG)
    assert second is not None
    assert second.time == pytest.approx(0.1)  # the film's own ten frames a second
    assert levels(camera) == [100, 200]
    assert camera.newest(LONG) is None
    assert camera.dropped == 0


def test_a_folder_of_pictures_and_videos(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), plain(10))
    film(tmp_path / "b.avi", [100, 150])
    cv2.imwrite(str(tmp_path / "c.png"), plain(200))
    assert levels(open_camera(str(tmp_path), rate=0)) == [10, 100, 150, 200]
    twice = open_camera(str(tmp_path), rate=0, repeat=2, hold=2)
    assert levels(twice) == [10, 10, 100, 150, 200, 200] * 2


def test_a_picture_repeats_without_end(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), plain(10))
    camera = open_camera(str(tmp_path / "a.png"), rate=0, repeat=0)
    assert all(camera.newest(LONG) is not None for _ in range(100))
    camera.close()
    assert camera.newest(LONG) is None


def test_a_late_caller_gets_the_newest(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", list(range(0, 250, 10)))
    camera = open_camera(str(path), rate=1000)
    assert camera.newest(LONG) is not None
    begin = monotonic()
    while monotonic() < begin + 0.0105:  # somebody reads the first frame meanwhile
        pass
    late = camera.newest(LONG)
    assert late is None or late.time >= 0.010
    assert camera.dropped >= 9


def test_frames_come_at_their_rate(tmp_path: Path) -> None:
    camera = open_camera(str(film(tmp_path / "film.avi", [0, 10, 20, 30, 40, 50])), rate=50)
    begin = monotonic()
    assert camera.newest(LONG) is not None
    while camera.newest(LONG) is not None:
        pass
    assert monotonic() - begin >= 0.1


def test_a_slow_replay_says_that_nothing_came(tmp_path: Path) -> None:
    camera = open_camera(str(film(tmp_path / "film.avi", [0, 10])), rate=0.01)
    assert camera.newest(0.0) is not None
    with pytest.raises(CameraStalled, match="next frame is due in"):
        camera.newest(0.01)


def test_a_file_of_a_folder_that_is_deleted_in_the_middle(tmp_path: Path) -> None:
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"{name}.png"), plain(ord(name)))
    camera = open_camera(str(tmp_path), rate=0)
    assert camera.newest(LONG) is not None
    (tmp_path / "b.png").unlink()
    with pytest.raises(CameraError, match=r"b\.png: no such file"):
        camera.newest(LONG)
    assert levels(camera) == [100]  # c, and the end


def test_pictures_of_other_sizes_and_torn_ones(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), plain(10))
    cv2.imwrite(str(tmp_path / "b.jpg"), np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8))
    data = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "c.jpg").write_bytes(data[: len(data) // 2])
    cv2.imwrite(str(tmp_path / "d.png"), plain(20, 20, 30))
    camera = open_camera(str(tmp_path), rate=0)
    assert [found.gray.shape for found in (camera.newest(LONG), camera.newest(LONG)) if found] == [
        (48, 64),
        (90, 70),
    ]
    with pytest.raises(CameraError, match=r"c\.jpg: .*truncated"):
        camera.newest(LONG)
    last = camera.newest(LONG)
    assert last is not None
    assert last.gray.shape == (30, 20)


def test_without_color_the_image_is_the_gray_one(tmp_path: Path) -> None:
    camera = open_camera(str(film(tmp_path / "film.avi", [0])), rate=0, color=False)
    found = camera.newest(LONG)
    assert found is not None
    assert found.image is found.gray


@pytest.mark.parametrize(
    ("rotation", "flip", "corner"),
    [(0, "", (0, 0)), (90, "", (0, -1)), (180, "", (-1, -1)), (270, "", (-1, 0)),
     (0, "horizontal", (0, -1)), (0, "vertical", (-1, 0)), (0, "both", (-1, -1)), (90, "horizontal", (0, 0))],
)  # fmt: skip
def test_rotation_and_flip(rotation: int, flip: str, corner: tuple[int, int]) -> None:
    picture = np.zeros((4, 6), np.uint8)
    picture[0, 0] = 255
    result = oriented(picture, rotation, flip)
    assert result.shape == ((4, 6) if rotation % 180 == 0 else (6, 4))
    assert result[corner] == 255


@pytest.mark.parametrize("name", ["text.avi", "text.png"])
def test_a_file_that_is_no_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello, world\n" * 100)
    camera = open_camera(str(tmp_path / name), rate=0)
    with pytest.raises(CameraError, match="not a"):
        camera.newest(LONG)
    assert camera.newest(LONG) is None


def test_memory_is_flat_over_a_long_replay(tmp_path: Path) -> None:
    """Two thousand frames: a queue of them would be 26 MB."""
    camera = open_camera(str(film(tmp_path / "film.avi", [0, 50] * 10)), rate=0, repeat=150)
    for _ in range(500):
        camera.newest(LONG)
    before = _resident()
    assert len(levels(camera)) == 2500
    assert _resident() - before < 5_000


def _resident() -> int:
    pages = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
