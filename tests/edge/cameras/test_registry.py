"""Which camera is opened, and the one line where there is none."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from digitlens.cameras.registry import open_camera
from digitlens.cameras.v4l2 import Source
from digitlens.core.errors import CameraError
from tests.edge.films import film


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
    assert not {"digitlens.cameras.v4l2", "digitlens.cameras.replay", "picamera2"} & set(run.stdout.split())


def test_a_usb_camera_that_another_program_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """V4L2 does not open it; in the device's place is a file, which V4L2 does not open either."""
    from digitlens.cameras import v4l2

    (tmp_path / "video63").touch()
    monkeypatch.setattr(v4l2, "Path", lambda name: tmp_path / Path(name).name)
    with pytest.raises(CameraError, match=r"usb:63: busy, or no camera .*: end the program that has it"):
        open_camera("usb:63")
    with pytest.raises(CameraError, match=r"usb:9: no such camera .*; there are usb:63"):
        open_camera("usb:9")
