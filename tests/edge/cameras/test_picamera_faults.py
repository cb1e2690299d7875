"""Faults of the Pi's camera over a stand-in for the hardware: absent, busy, torn, silent, hanging."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from digitlens.cameras import time_limit
from digitlens.cameras.base import Camera, CameraOptions
from digitlens.cameras.picamera import Picamera, PicameraDriver, PicameraTimes
from digitlens.core.errors import CameraError, CameraStalled
from digitlens.core.frames import Frame
from digitlens.displays.none import NoDisplay
from digitlens.live.loop import Live
from digitlens.live.tracker import Tracker
from tests.edge.cameras.standins import FOLDER
from tests.edge.cameras.test_picamera import newest
from tests.edge.live.test_loop import Clock, Notes
from tests.edge.pages import write

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]
LONG = 30.0


def opened(open_: float = LONG, first_frame: float = LONG, close: float = LONG) -> Picamera:
    """With the limits, in seconds, that a test reaches; a busy machine reaches none of the others."""
    times = PicameraTimes(open_, first_frame, close)
    return PicameraDriver(times).open("picamera", CameraOptions())


@pytest.fixture
def page(digits: Digits) -> Pixels:
    """A strip of digits on a sheet of the camera's shape."""
    sheet = np.full((720, 1280), 220, np.uint8)
    strip = write("40716", digits)
    sheet[200 : 200 + len(strip), 300 : 300 + strip.shape[1]] = strip
    return sheet


def test_picamera2_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="picamera2 is not installed: sudo apt install python3-picamera2"):
        opened()


def test_picamera2_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed\\nmay mean')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(CameraError) as caught:
        opened()
    assert str(caught.value) == "picamera: picamera2 cannot be imported (numpy.dtype size changed)"


@pytest.mark.parametrize("seen", [[], [{"Id": "/base/scb/pcie/usb@0,0-1:1.0-046d:0825", "Model": "C270"}]])
def test_absent(library: ModuleType, seen: list[dict[str, str]]) -> None:
    """libcamera's list has USB cameras too."""
    library.sensor.cameras = seen
    with pytest.raises(CameraError, match="picamera: no camera is seen: look at its cable"):
        opened()
    assert library.sensor.opened == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (OSError(16, "Device or resource busy"), "picamera: busy .*: end the program that has it"),
        (
            RuntimeError("Could not open any dma-buf heap device"),
            "add the user to the groups video and render",
        ),
        (
            RuntimeError("Camera grab failed.\nand more"),
            r"picamera: cannot be opened \(Camera grab failed.\)$",
        ),
    ],
)
def test_busy_and_barred(library: ModuleType, trouble: Exception, said: str) -> None:
    library.sensor.trouble = trouble
    with pytest.raises(CameraError, match=said) as caught:
        opened()
    assert "\n" not in str(caught.value)


def test_a_camera_without_a_first_frame(library: ModuleType) -> None:
    library.sensor.first = None
    with pytest.raises(CameraError, match=r"picamera: no frame for .*: look at its cable"):
        opened(first_frame=0.2)
    assert not library.sensor.opened[0].is_open


@pytest.mark.slow
def test_an_opening_that_hangs_is_abandoned_and_closed_if_it_ends_after_all(
    library: ModuleType,
) -> None:
    library.sensor.hang_at = "open"
    begin = monotonic()
    with pytest.raises(CameraError, match="picamera: does not open"):
        opened(open_=0.2)
    assert monotonic() - begin < LONG / 2
    library.sensor.hangs.set()
    for thread in threading.enumerate():
        if thread.name.startswith("digitlens"):
            thread.join(LONG)
    (device,) = library.sensor.opened
    assert not device.is_open


def test_a_close_that_hangs_is_abandoned(library: ModuleType) -> None:
    camera = opened(close=0.1)
    library.sensor.hang_at = "close"
    begin = monotonic()
    camera.close()
    assert monotonic() - begin < LONG / 2


@pytest.mark.parametrize("stream", ["main", "lores"])
def test_a_torn_frame_is_dropped(library: ModuleType, stream: str) -> None:
    camera = opened()
    device = library.sensor.opened[0]
    newest(camera)
    for level in range(20):  # its buffer goes back each time
        assert device.give(np.full((8, 8), level, np.uint8), short=stream)
        with pytest.raises(CameraStalled):
            camera.newest(0.0)
    assert camera.dropped == 20
    assert device.give(np.full((8, 8), 99, np.uint8))
    assert newest(camera).gray[0, 0] == 99
    camera.close()


def test_a_black_frame_is_a_frame(library: ModuleType) -> None:
    camera = opened()
    newest(camera)
    library.sensor.opened[0].give(np.zeros((8, 8), np.uint8))
    assert newest(camera).gray.max() == 0
    camera.close()


def test_a_library_that_raises_is_a_lost_camera(library: ModuleType) -> None:
    camera = opened()
    library.sensor.opened[0].broken = True
    with pytest.raises(CameraError, match="picamera: the request was cancelled"):
        camera.newest(LONG)
    assert sum(request.count for request in library.sensor.opened[0].requests) == 0
    camera.close()


class Played:
    """An open camera whose sensor gives a list of pictures, one at each call; then nothing."""

    preview = None

    def __init__(self, camera: Camera, device: object, clock: Clock, pictures: list[Pixels]) -> None:
        self.camera, self.device, self.clock, self.pictures = camera, device, clock, pictures
        self.name = camera.name
        self.dropped = 0

    def newest(self, timeout: float) -> Frame | None:
        if self.pictures:
            assert self.device.give(self.pictures.pop(0))  # type: ignore[attr-defined]
        else:
            self.clock.now += timeout
        return self.camera.newest(0.0)

    def close(self) -> None:
        self.camera.close()


@pytest.mark.slow
def test_a_silent_stall_and_another_resolution_after_it(
    library: ModuleType, reader: Reader, page: Pixels
) -> None:
    """The live loop: the stall is noticed, the camera opened again, the number is the same."""
    clock = Clock(60)
    notes = Notes()
    library.sensor.format = "NV12"

    def reopen() -> Camera:
        camera = opened()
        played = [page.copy() for _ in range(20)]
        return Played(camera, library.sensor.opened[-1], clock, played)

    first = reopen()
    library.sensor.size, library.sensor.padding = (1920, 1080), 64
    library.sensor.first = page
    live = Live(
        first, reader, Tracker(), NoDisplay(), wait=clock.wait, reopen=reopen, observers=[notes],
        clock=clock,
    )  # fmt: skip
    live.run()
    assert [(event.kind, event.text) for event in notes.events] == [("appeared", "40716")]
    assert notes.lines[0].startswith("picamera: no frame for")
    assert notes.lines[0].endswith("; opening it again")
    assert notes.lines[1] == "picamera: open again"
    assert not library.sensor.opened[0].is_open
    assert library.sensor.opened[1].configured["lores"]["stride"] == 1984


PROGRAM = """
import sys, threading
import numpy as np
import picamera2

page = np.load(sys.argv.pop(1))
picamera2.sensor.first = page
picamera2.sensor.hang_at = sys.argv.pop(1)
stop = threading.Event()

def play():
    while not stop.wait(0.01):
        for device in picamera2.sensor.opened:
            if device.is_open:
                device.give(page)

player = threading.Thread(target=play, daemon=True)
player.start()
from digitlens.commands.main import main
status = main()
stop.set()  # a thread that Python's end finds within OpenCV aborts the process
player.join()
sys.exit(status)
"""


@pytest.mark.slow
@pytest.mark.parametrize("hangs", ["", "close"])
def test_the_command_and_a_signal_in_the_middle_of_a_frame(tmp_path: Path, page: Pixels, hangs: str) -> None:
    """It ends well, even if closing the camera hangs."""
    np.save(tmp_path / "page.npy", page)
    path = os.pathsep.join(filter(None, (str(FOLDER), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "page.npy"), hangs, "live", "--display", "none"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path},
    ) as other:  # fmt: skip
        assert other.stdout is not None
        first = other.stdout.readline()
        other.send_signal(signal.SIGTERM)
        _, errors = other.communicate(timeout=LONG)
    assert "appeared   40716" in first, errors
    assert other.returncode == 0
    assert errors == "digitlens: camera picamera (imx708, 1280 x 720 YUV420); the best there is\n"


def test_within_hands_errors_on() -> None:
    def fail() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        time_limit.within(LONG, "late", fail)
    assert time_limit.within(LONG, "late", lambda: 7) == 7
