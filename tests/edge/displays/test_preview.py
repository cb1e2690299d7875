"""The camera's own preview as a display: the layer, when it is set, the screens, and picamera2's side."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from digitlens.cameras.registry import open_camera
from digitlens.core.errors import DisplayError
from digitlens.core.preview import Preview
from digitlens.displays import labels
from digitlens.displays.base import Display, DisplayDriver
from digitlens.displays.preview import STATUS, Overlay, PreviewDriver
from digitlens.displays.registry import display_drivers, open_display
from digitlens.displays.screens import Screens
from tests.edge.cameras.test_picamera import newest
from tests.edge.displays.test_labels import SCREENS, SIZE, paper, tracked

Pixels = npt.NDArray[np.uint8]
IMAGE = np.zeros((480, 640), np.uint8)


class Memory:
    """A preview in memory: keeps its layers; a test sets the keys that are pressed."""

    def __init__(self, size: tuple[int, int] = (640, 480), trouble: str = "") -> None:
        self.size = size
        self.layers: list[Pixels] = []
        self.pressed: list[str] = []
        self.started: list[tuple[object, ...]] = []
        self.stopped = 0
        self.trouble = trouble

    def start(self, kind: str, *, screen: tuple[int, int] | None, full_screen: bool, title: str) -> None:
        if self.trouble:
            raise DisplayError(self.trouble)
        self.started.append((kind, screen, full_screen, title))

    def overlay(self, layer: Pixels) -> None:
        self.layers.append(layer)

    def keys(self) -> list[str]:
        pressed, self.pressed = self.pressed, []
        return pressed

    def stop(self) -> None:
        self.stopped += 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class MemoryScreens(Screens):
    """Screens in memory: a desktop, with OpenGL or without, and a console of 800 x 480, or none."""

    def __init__(self, opengl: bool = False, trouble: str = "") -> None:
        self._opengl, self._trouble = opengl, trouble

    def console(self) -> tuple[int, int]:
        if self._trouble:
            raise DisplayError(self._trouble)
        return 800, 480

    def desktop(self) -> bool:
        return self._opengl


def drivers(screens: Screens) -> dict[str, DisplayDriver]:
    """The installed drivers, with these screens for the preview."""
    ours = {"drm": PreviewDriver("drm", 0, screens), "qt": PreviewDriver("qt", 1, screens)}
    return {**ours, "sdl": display_drivers()["sdl"], "none": display_drivers()["none"]}


def over_drm(preview: Preview | None) -> Display:
    return open_display("drm", preview=preview, drivers=drivers(MemoryScreens()))


def over(picture: Pixels, layer: Pixels) -> Pixels:
    """The picture that a screen shows under the layer."""
    alpha = layer[..., 3:].astype(float) / 255
    return np.round(layer[..., 2::-1] * alpha + picture * (1 - alpha)).astype(np.uint8)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("level", [255, 128, 10])
def test_the_layer_over_a_picture_equals_labels_drawn_on_it(screen: tuple[int, int], level: int) -> None:
    numbers = [tracked("4071", True), tracked("55", False, (300, 300), 2)]
    drawn = paper(screen, level)
    labels.draw_labels(drawn, numbers, SIZE, "30 frames/s   read in 8 ms")
    layer = labels.label_layer(screen, numbers, SIZE, "30 frames/s   read in 8 ms")
    assert layer.shape == (screen[1], screen[0], 4)
    # Letters' smooth edges on the half dark status line are mixed twice; nobody sees that.
    off = np.abs(over(paper(screen, level), layer).astype(int) - drawn)
    assert off.max() <= 64
    assert (off > 1).mean() < 0.01
    assert off[: int(0.9 * screen[1])].max() <= 1


@pytest.mark.parametrize("screen", SCREENS)
def test_the_layer_is_clear_where_nothing_is_drawn(screen: tuple[int, int]) -> None:
    layer = labels.label_layer(screen, [tracked("4071", True)], SIZE)
    assert (layer[..., 3] > 0).mean() < 0.2
    assert set(np.unique(layer[..., 3])) == {0, 255}
    assert not labels.label_layer(screen, [], SIZE)[..., 3].any()


def test_the_layer_is_only_set_when_it_changed() -> None:
    clock, preview = Clock(), Memory()
    display = Overlay(preview, "qt", clock=clock, screens=MemoryScreens())
    number = tracked("4071", True)
    for frame in range(30):
        display.show(IMAGE, [number], SIZE, f"{frame} ms old")
        clock.now += STATUS / 100
    assert len(preview.layers) == 1  # each status is another one, but nobody reads so fast
    clock.now += STATUS
    display.show(IMAGE, [number], SIZE, "31 ms old")
    assert len(preview.layers) == 2
    display.show(IMAGE, [tracked("4071", True, (121, 150))], SIZE, "31 ms old")
    display.show(IMAGE, [tracked("4071", False, (121, 150))], SIZE, "31 ms old")
    assert len(preview.layers) == 4  # what moves or changes is shown at once
    preview.size = (320, 240)
    display.show(IMAGE, [tracked("4071", False, (121, 150))], SIZE, "31 ms old")
    assert preview.layers[-1].shape == (240, 320, 4)
    for _ in range(10):
        clock.now += 2 * STATUS
        display.show(IMAGE, [tracked("4071", False, (121, 150))], SIZE, "31 ms old")
    assert len(preview.layers) == 5


def test_keys_of_the_preview() -> None:
    preview = Memory()
    display = Overlay(preview, "qt", screens=MemoryScreens())
    preview.pressed = ["s", "d", "x", "", " ", "q", "\x1b", "close"]
    assert display.show(IMAGE, [], SIZE, "") == ["save", "stages", "quit", "quit", "quit"]
    assert display.show(IMAGE, [], SIZE, "") == []


def test_a_camera_that_was_opened_again_is_followed() -> None:
    first, second = Memory(), Memory()
    display = Overlay(first, "qt", full_screen=True, screens=MemoryScreens())
    number = tracked("4071", True)
    display.show(IMAGE, [number], SIZE, "")
    display.follow(second)
    assert second.started == []
    display.show(IMAGE, [number], SIZE, "")
    assert second.started == [("qt", None, True, "digitlens")]
    assert (len(first.layers), len(second.layers)) == (1, 1)  # the same numbers, but on another screen
    display.follow(Memory(trouble="no picture"))
    with pytest.raises(DisplayError, match="no picture"):
        display.show(IMAGE, [number], SIZE, "")
    display.follow(None)
    assert display.show(IMAGE, [number], SIZE, "") == []
    display.close()
    display.close()


def test_with_opengl_where_the_desktop_has_it() -> None:
    preview = Memory((1280, 720))
    display = Overlay(preview, "qt", screens=MemoryScreens(opengl=True))
    assert preview.started == [("gl", None, False, "digitlens")]
    assert display.name == "qt"
    assert display.about == "the camera's own preview, OpenGL, 1280 x 720"
    display.close()
    display.close()
    assert preview.stopped == 1


def test_auto_takes_drm_then_qt_and_reports_why(capsys: pytest.CaptureFixture[str]) -> None:
    preview: Preview = Memory()
    assert open_display("auto", preview=preview, drivers=drivers(MemoryScreens())).name == "drm"
    assert preview.started == [("drm", (800, 480), False, "digitlens")]  # type: ignore[attr-defined]
    without = drivers(MemoryScreens(trouble="no screen is connected"))
    assert open_display("auto", preview=preview, drivers=without).name == "qt"
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("display drm (the camera's own preview, full screen, 640 x 480); the best there is")
    assert second.endswith("without OpenGL, 640 x 480); no drm: no screen is connected")


def test_a_preview_that_fails_is_reported_with_the_display_that_was_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm" if not Path("/dev/dri").exists() else "nothing")
    preview = Memory(trouble="it cannot turn the picture")
    assert open_display("auto", preview=preview, drivers=drivers(MemoryScreens())).name == "none"
    assert "no drm, qt: it cannot turn the picture; no sdl: " in capsys.readouterr().err


def a_card(folder: Path, status: str = "connected") -> Path:
    """A folder with the dri and sys of a machine with one connector."""
    connector = folder / "sys" / "card1-DSI-1"
    connector.mkdir(parents=True)
    (connector / "status").write_text(f"{status}\n")
    (connector / "modes").write_text("800x480\n640x480\n")
    (folder / "dri").mkdir()
    return folder


def console(folder: Path) -> tuple[int, int]:
    return Screens(folder / "dri", folder / "sys").console()


def test_the_console_needs_a_connected_screen_that_nobody_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DisplayError, match="no /dev/dri"):
        console(tmp_path)
    with pytest.raises(DisplayError, match="no screen is connected"):
        console(a_card(tmp_path / "a", "disconnected"))
    card = a_card(tmp_path / "b")
    with pytest.raises(
        DisplayError, match=r"card1: No such file or directory; is the user in the group video\?"
    ):
        console(card)
    (card / "dri" / "card1").touch()  # a file takes no DRM request, as a card that a desktop has does not
    with pytest.raises(DisplayError, match="another program has the screen"):
        console(card)
    monkeypatch.setattr(fcntl, "ioctl", lambda device, request: 0)
    assert console(card) == (800, 480)


@pytest.mark.parametrize(
    ("display", "said"), [("", "no desktop"), (":97", "PyQt5 is not installed: sudo apt|Qt finds no desktop")]
)
def test_a_desktop_that_is_not_there_is_a_reason(display: str, said: str, root: Path) -> None:
    """Qt itself would end the process with SIGABRT."""
    program = (
        "from digitlens.displays.screens import Screens\nfrom digitlens.core.errors import DisplayError\n"
        "try:\n    Screens().desktop()\nexcept DisplayError as error:\n    print(error)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment | {"DISPLAY": display},
    )
    assert run.returncode == 0
    (line,) = run.stdout.splitlines()
    assert any(part in line for part in said.split("|"))


def test_picamera2s_preview_takes_the_layer_and_python_no_colors(library: ModuleType) -> None:
    camera = open_camera("picamera")
    device = library.sensor.opened[0]
    assert newest(camera).image.ndim == 3
    display = over_drm(camera.preview)
    assert isinstance(device.preview, library.Preview.DRM.value)
    assert device.preview.options == {"x": 0, "y": 0, "width": 800, "height": 480}
    display.show(IMAGE, [tracked("4071", True)], SIZE, "status")
    (layer,) = device.preview.layers
    assert layer.shape == (450, 800, 4)  # 1280 x 720 on 800 x 480
    device.give(np.zeros((8, 8), np.uint8))
    frame = newest(camera)
    assert frame.image is frame.gray
    display.close()
    assert isinstance(device.preview, library.Preview.NULL.value)
    device.give(np.zeros((8, 8), np.uint8))
    assert newest(camera).image.ndim == 3  # another display may follow
    camera.close()
    display.close()


def test_a_lost_camera_takes_its_preview_with_it_and_brings_it_back(library: ModuleType) -> None:
    """In between, the live loop goes on showing."""
    camera = open_camera("picamera")
    display = over_drm(camera.preview)
    number = tracked("4071", True)
    display.show(IMAGE, [number], SIZE, "status")
    camera.close()
    assert display.show(IMAGE, [number], SIZE, "no camera: unplugged") == []
    again = open_camera("picamera")
    display.follow(again.preview)
    display.show(IMAGE, [number], SIZE, "status")
    device = library.sensor.opened[1]
    assert isinstance(device.preview, library.Preview.DRM.value)
    assert len(device.preview.layers) == 1
    display.close()
    assert isinstance(device.preview, library.Preview.NULL.value)
    again.close()


def test_a_screen_that_takes_no_picture_leaves_the_camera_as_it_was(library: ModuleType) -> None:
    camera = open_camera("picamera")
    device = library.sensor.opened[0]
    library.sensor.no_screen = "Permission denied"
    with pytest.raises(DisplayError, match=r"display drm: .*does not start \(Permission denied\)"):
        over_drm(camera.preview)
    assert isinstance(device.preview, library.Preview.NULL.value)
    assert newest(camera).image.ndim == 3
    camera.close()


def test_a_layer_that_is_not_taken_is_a_lost_screen(library: ModuleType) -> None:
    camera = open_camera("picamera")
    display = over_drm(camera.preview)
    library.sensor.opened[0].stop_preview()
    with pytest.raises(DisplayError, match="the preview takes no overlay"):
        display.show(IMAGE, [], SIZE, "status")
    camera.close()


@pytest.mark.parametrize(
    "more", [{"rotation": 90}, {"rotation": 270, "flip": "both"}, {"flip": "vertical", "mirrors": False}]
)
def test_a_picture_that_is_turned_here_is_not_for_the_preview(
    library: ModuleType, more: dict[str, object]
) -> None:
    """Boxes and picture would stand apart."""
    library.sensor.mirrors = more.pop("mirrors", True)
    camera = open_camera("picamera", **more)  # type: ignore[arg-type]
    with pytest.raises(DisplayError, match="it cannot turn the picture as rotation"):
        over_drm(camera.preview)
    camera.close()


def test_a_camera_opened_without_a_screen_has_none(library: ModuleType) -> None:
    camera = open_camera("picamera", color=False)
    with pytest.raises(DisplayError, match="its pictures are not asked for"):
        over_drm(camera.preview)
    camera.close()
