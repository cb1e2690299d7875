"""Cameras: files replayed, V4L2's absence, and a reader thread over real callables that block or raise."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.cameras import Camera, Frame, open_camera, turned
from digitlens.cameras.newest import Newest
from digitlens.cameras.v4l2 import Source
from digitlens.errors import CameraError, CameraStalled

Pixels = npt.NDArray[np.uint8]
LONG = 20.0
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


def frame(level: int = 0) -> Frame:
    return Frame(plain(level), plain(level)[..., 0], 0.0, monotonic())


@contextmanager
def running(grab: Callable[[], Frame | None], release: Callable[[], None] = lambda: None) -> Iterator[Newest]:
    camera = Newest("test", grab, release)
    try:
        yield camera
    finally:
        camera.close()


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


def test_who_is_late_gets_the_newest(tmp_path: Path) -> None:
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
    whole = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "c.jpg").write_bytes(whole[: len(whole) // 2])
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
    result = turned(picture, rotation, flip)
    assert result.shape == ((4, 6) if rotation % 180 == 0 else (6, 4))
    assert result[corner] == 255


def bad(tmp_path: Path, kind: str) -> str:
    if kind == "missing":
        return str(tmp_path / "missing.avi")
    if kind == "empty":
        return str(tmp_path)
    return kind


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "no such file"),
        ("empty", "no pictures in this folder"),
        ("usb:9", "usb:9: no such camera"),
        ("usb:x", "take usb:N"),
        ("picamera", "picamera2 is not installed"),
    ],
)
def test_a_camera_that_is_not_there_is_one_line(tmp_path: Path, kind: str, said: str) -> None:
    with pytest.raises(CameraError, match=said) as caught:
        open_camera(bad(tmp_path, kind))
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("wrong", [{"rotation": 45}, {"flip": "sideways"}])
def test_what_cannot_be_turned_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(CameraError, match="take a rotation of 0, 90, 180, 270"):
        open_camera(str(tmp_path), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["text.avi", "text.png"])
def test_a_file_that_is_no_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello, world\n" * 100)
    camera = open_camera(str(tmp_path / name), rate=0)
    with pytest.raises(CameraError, match="not a"):
        camera.newest(LONG)
    assert camera.newest(LONG) is None


def test_only_the_newest_is_kept() -> None:
    count = 0
    enough = threading.Event()

    def grab() -> Frame | None:
        nonlocal count
        if count == 1000:
            enough.set()
            enough_taken.wait(LONG)
        count += 1
        return frame(count % 256)

    enough_taken = threading.Event()
    with running(grab) as camera:
        assert enough.wait(LONG)
        found = camera.newest(LONG)
        assert found is not None
        assert found.image[0, 0, 0] == 1000 % 256
        assert camera.dropped == 999
        enough_taken.set()


def test_a_camera_that_blocks_is_stalled_and_its_close_does_not_hang() -> None:
    blocked = threading.Event()

    def grab() -> Frame | None:
        blocked.wait(LONG)
        return None

    camera = Newest("test", grab)
    with pytest.raises(CameraStalled, match="no frame for"):
        camera.newest(0.01)
    begin = monotonic()
    camera.close(timeout=0.01)
    assert monotonic() - begin < LONG / 2
    blocked.set()


def test_a_camera_that_fails_says_so_after_its_last_frame() -> None:
    frames = iter([frame(1)])
    released = []

    def grab() -> Frame | None:
        try:
            return next(frames)
        except StopIteration:
            raise OSError("no such device") from None

    with running(grab, lambda: released.append(True)) as camera:
        camera._thread.join(LONG)
        assert camera.newest(LONG) is not None
        for _ in range(2):
            with pytest.raises(CameraError, match="test: no such device"):
                camera.newest(LONG)
    assert released == [True]


def test_unusable_frames_are_counted() -> None:
    frames: Iterator[Frame | None] = iter([None, None, None, frame(7)])
    blocked = threading.Event()

    def grab() -> Frame | None:
        try:
            return next(frames)
        except StopIteration:
            blocked.wait(LONG)
            return None

    with running(grab) as camera:
        found = camera.newest(LONG)
        assert found is not None
        assert found.image[0, 0, 0] == 7
        assert camera.dropped == 3
        blocked.set()


def test_a_camera_whose_process_ends() -> None:
    """Frames through a pipe of another process, which is killed in the middle of one."""
    program = (
        "import os, sys, time\n"
        "os.write(1, b'\\x40' * 3072 + b'\\x80' * 1000)\n"
        "sys.stdin.read()"  # until it is killed
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    pipe = other.stdout

    def grab() -> Frame | None:
        data = pipe.read(3072)
        if len(data) < 3072:
            raise EOFError("the other process has ended")
        gray = np.frombuffer(data, np.uint8).reshape(48, 64)
        return Frame(gray, gray, 0.0, monotonic())

    with running(grab, pipe.close) as camera:
        found = camera.newest(LONG)
        assert found is not None
        assert found.gray[0, 0] == 0x40
        other.kill()
        with pytest.raises(CameraError, match="has ended"):
            camera.newest(LONG)
    other.communicate()


def test_the_source_of_a_capture_that_ends(tmp_path: Path) -> None:
    """A real cv2.VideoCapture: a film in the place of the device."""
    path = film(tmp_path / "film.avi", [50, 100])
    capture = cv2.VideoCapture(str(path))
    source = Source("usb:0", capture, path, 90, "", color=True)
    frames = [source.grab(), source.grab()]
    assert [found.gray.shape for found in frames if found] == [(64, 48)] * 2
    with pytest.raises(CameraError, match="gives no more frames"):
        source.grab()
    path.unlink()
    with pytest.raises(CameraError, match="usb:0: unplugged"):
        source.grab()
    capture.release()


def test_nothing_of_a_camera_is_loaded_until_it_is_opened() -> None:
    program = "import sys, digitlens.cameras; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"digitlens.cameras.v4l2", "digitlens.cameras.files", "picamera2"} & set(run.stdout.split())


def test_memory_is_flat_over_a_long_replay(tmp_path: Path) -> None:
    """Two thousand frames of nobody's: a queue of them would be 26 MB."""
    camera = open_camera(str(film(tmp_path / "film.avi", [0, 50] * 10)), rate=0, repeat=150)
    for _ in range(500):
        camera.newest(LONG)
    before = _resident()
    assert len(levels(camera)) == 2500
    assert _resident() - before < 5_000


def _resident() -> int:
    pages = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def test_a_usb_camera_that_another_program_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """V4L2 does not open it; in the device's place is a file, which V4L2 does not open either."""
    from digitlens.cameras import v4l2

    (tmp_path / "video63").touch()
    monkeypatch.setattr(v4l2, "Path", lambda name: tmp_path / Path(name).name)
    with pytest.raises(CameraError, match=r"usb:63: busy, or no camera .*: end the program that has it"):
        open_camera("usb:63")
    with pytest.raises(CameraError, match=r"usb:9: no such camera .*; there are usb:63"):
        open_camera("usb:9")
