"""USB cameras: busy, missing, unplugged."""

from pathlib import Path

import cv2
import pytest

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.v4l2 import Source, UsbDriver
from digitlens.core.errors import CameraError
from tests.edge.films import film


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


def test_a_usb_camera_that_another_program_has(tmp_path: Path) -> None:
    """V4L2 does not open it; in the device's place is a file, which V4L2 does not open either."""
    (tmp_path / "video63").touch()
    driver = UsbDriver(tmp_path)
    with pytest.raises(CameraError, match=r"usb:63: busy, or no camera .*: end the program that has it"):
        driver.open("usb:63", CameraOptions())
    with pytest.raises(CameraError, match=r"usb:9: no such camera .*; there are usb:63"):
        driver.open("usb:9", CameraOptions())


def test_the_first_of_no_usb_cameras(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no camera found"):
        UsbDriver(tmp_path).open("auto", CameraOptions())
