"""The Pi camera's adapter over a stand-in for the hardware (standins/picamera2.py says what that proves)."""

import gc
import threading
from pathlib import Path
from time import monotonic, time
from types import ModuleType

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.cameras.base import Camera, CameraOptions
from digitlens.cameras.newest import Newest
from digitlens.cameras.picamera import PicameraDriver
from digitlens.cameras.registry import open_camera
from digitlens.cameras.v4l2 import UsbDriver
from digitlens.core.errors import CameraError, CameraStalled
from digitlens.core.frames import Frame

Pixels = npt.NDArray[np.uint8]
LONG = 30.0


def newest(camera: Camera) -> Frame:
    frame = camera.newest(LONG)
    assert frame is not None
    return frame


@pytest.mark.parametrize("layout", ["YUV420", "NV12"])
@pytest.mark.parametrize("padding", [0, 32, 128])
@pytest.mark.parametrize("size", [None, (640, 480), (1296, 730)])
def test_format_size_and_stride_are_the_cameras_own(
    library: ModuleType, layout: str, padding: int, size: tuple[int, int] | None
) -> None:
    """YUV420 is asked for, 1280 x 720, without padding."""
    library.sensor.format, library.sensor.padding, library.sensor.size = layout, padding, size
    width, height = size or (1280, 720)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = (40, 160, 230)
    picture[: height // 2, width // 2 :] = (200, 90, 60)
    camera = open_camera("picamera")
    newest(camera)
    library.sensor.opened[0].give(picture)
    frame = newest(camera)
    assert frame.gray.shape == (height, width)
    assert frame.image.shape == (height, width, 3)
    expected = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)[:height]
    assert np.array_equal(frame.gray, expected)
    # Half the colors' pixels, and YUV's rounding: but no row or plane is out of its place.
    off = np.abs(frame.image.astype(int) - picture).max(axis=2)
    assert np.median(off) <= 3
    assert (off > 12).mean() < 0.01
    camera.close()


@pytest.mark.parametrize(
    ("layout", "padding", "said"),
    [("RGB888", 0, "gives RGB888 where YUV420, YVU420, NV12, NV21 can be read"), ("NV12", -64, "in rows of")],
)
def test_an_unreadable_format_is_one_line(library: ModuleType, layout: str, padding: int, said: str) -> None:
    library.sensor.format, library.sensor.padding = layout, padding
    with pytest.raises(CameraError, match=f"picamera: .*{said}"):
        open_camera("picamera")
    assert not library.sensor.opened[0].is_open


def test_the_gray_image_is_the_cameras_own_buffer(library: ModuleType) -> None:
    """No copy: the sensor's writes show in it; and it is not given back while it is used."""
    camera = open_camera("picamera")
    device = library.sensor.opened[0]
    frame = newest(camera)
    (request,) = (one for one in device.requests if one.count)
    assert np.shares_memory(frame.gray, np.frombuffer(request.buffers["lores"], np.uint8))
    for level in range(20):
        assert device.give(np.full((720, 1280), level, np.uint8))
        assert newest(camera).gray[0, 0] == level
    assert (frame.gray == 200).all()
    part = frame.gray[100:200, ::2]
    del frame
    gc.collect()
    for level in range(20):
        assert device.give(np.full((720, 1280), level, np.uint8))
        assert newest(camera).gray[0, 0] == level
    assert (part == 200).all()
    assert request.count == 1
    del part
    with pytest.raises(CameraStalled):
        camera.newest(0.0)
    assert request.count == 0
    camera.close()


def test_the_camera_never_starves(library: ModuleType) -> None:
    """Of many frames that are kept, most are copies, and all stay as they were."""
    camera = open_camera("picamera", color=False)
    device = library.sensor.opened[0]
    kept = [newest(camera)]
    for level in range(1, 12):
        assert device.give(np.full((720, 1280), level, np.uint8))
        kept.append(newest(camera))
    assert [int(frame.gray[5, 5]) for frame in kept] == [200, *range(1, 12)]
    assert sum(request.count for request in device.requests) == 2
    kept.clear()
    assert device.give(np.zeros((720, 1280), np.uint8))
    assert newest(camera).gray[5, 5] == 0
    assert sum(request.count for request in device.requests) <= 1  # the last one's
    camera.close()


def test_the_newest_wins_and_the_others_are_counted(library: ModuleType) -> None:
    camera = open_camera("picamera")
    device = library.sensor.opened[0]
    for level in range(1000):
        assert device.give(np.full((8, 8), level % 250, np.uint8))
    assert newest(camera).gray[0, 0] == 999 % 250
    assert camera.dropped == 1000
    with pytest.raises(CameraStalled, match="picamera: no frame for"):
        camera.newest(0.0)
    camera.close()


def test_frames_are_readable_after_the_camera_is_closed(library: ModuleType) -> None:
    """The live loop shows the last one while a lost camera is opened again."""
    camera = open_camera("picamera")
    frame = newest(camera)
    camera.close()
    camera.close()
    assert (frame.gray == 200).all()
    assert frame.image.shape == (720, 1280, 3)
    with pytest.raises(CameraError, match="closed"):
        camera.newest(0.0)


@pytest.mark.parametrize(("age", "expected"), [(0.4, 0.4), (None, 0.0), (-5.0, 0.0), (500.0, 0.0)])
def test_a_frames_time_is_the_sensors(library: ModuleType, age: float | None, expected: float) -> None:
    """Without a time, or with an impossible one, it has the time when it came."""
    camera = open_camera("picamera")
    newest(camera)
    begin = monotonic(), time()
    library.sensor.opened[0].give(np.zeros((8, 8), np.uint8), age=age)
    frame = newest(camera)
    end = monotonic(), time()
    for first, found, last in zip(begin, (frame.taken, frame.time), end, strict=True):
        assert first - 0.1 <= found + expected <= last + 0.1  # the two clocks are not read at once
    camera.close()


@pytest.mark.parametrize("mirrors", [True, False])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["", "horizontal", "vertical", "both"])
def test_turned_as_the_other_cameras(
    library: ModuleType, tmp_path: Path, rotation: int, flip: str, mirrors: bool
) -> None:
    """By the camera if it can, else by us: the picture is the same as a replay's of the same scene."""
    library.sensor.mirrors = mirrors
    picture = np.zeros((720, 1280), np.uint8)
    picture[:200, :300], picture[:200, 900:], picture[500:, :300] = 250, 160, 80
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    expected = newest(open_camera(str(tmp_path), rotation=rotation, flip=flip, color=False)).gray
    camera = open_camera("picamera", rotation=rotation, flip=flip)
    device = library.sensor.opened[0]
    transform = device.configured["transform"]
    assert bool(transform.hflip or transform.vflip) <= mirrors
    seen = picture[:: -1 if transform.vflip else 1, :: -1 if transform.hflip else 1]
    newest(camera)
    device.give(np.ascontiguousarray(seen))
    frame = newest(camera)
    assert np.array_equal(frame.gray, expected)
    assert frame.image.shape[:2] == expected.shape
    if mirrors and rotation in (0, 180):
        assert sum(request.count for request in device.requests) == 1  # turned without a copy
    camera.close()


def test_only_the_controls_that_the_camera_has(library: ModuleType) -> None:
    library.sensor.controls |= {"AfMode": (0, 2, 0), "AfRange": (0, 1, 0), "AeEnable": (False, True, True)}
    camera = open_camera("picamera", rate=15)
    asked = library.sensor.opened[0].asked
    assert asked["controls"] == {"AfMode": 2, "AeEnable": True, "FrameDurationLimits": (66_667, 83_333)}
    assert (asked["buffer_count"], asked["queue"]) == (6, False)
    camera.close()
    library.sensor.controls = {"FrameDurationLimits": (33_333, 33_333, None)}
    camera = open_camera("picamera", color=False)
    asked = library.sensor.opened[1].asked
    assert asked["controls"] == {}
    assert asked["lores"] is None  # nobody looks: one stream is enough
    camera.close()


def test_auto_takes_the_pis_camera_and_reports_it(library: ModuleType) -> None:
    lines: list[str] = []
    camera = open_camera("auto", say=lines.append)
    assert camera.name == "picamera"
    assert lines == ["camera picamera (imx708, 1280 x 720 YUV420); the best there is"]
    camera.close()


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="there may be a camera")
def test_auto_without_any_camera_names_both_reasons(library: ModuleType) -> None:
    library.sensor.cameras = []
    with pytest.raises(
        CameraError, match=r"no camera found \(no /dev/video\*\).*; picamera: no camera is seen"
    ):
        open_camera("auto")


def test_auto_goes_on_to_usb_and_reports_why(library: ModuleType) -> None:
    library.sensor.trouble = OSError(16, "Device or resource busy")
    held = threading.Event()

    def hold() -> Frame | None:
        held.wait(LONG)
        return None

    usb = Newest("usb:0", hold)

    class HeldDriver(UsbDriver):
        def open(self, spec: str, options: CameraOptions) -> Newest:
            return usb

    lines: list[str] = []
    assert open_camera("auto", say=lines.append, drivers=[HeldDriver(), PicameraDriver()]) is usb
    assert lines == [
        "camera usb:0; no picamera: busy ([Errno 16] Device or resource busy): end the program that has it"
    ]
    usb._closed = True
    held.set()
    usb.close()
