"""The windows of --show and of the live camera, in a real SDL with its dummy screen, and under Xvfb."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from select import select

import numpy as np
import pytest
from PIL import Image

from digitlens.core.errors import DisplayError
from digitlens.displays.base import Display
from digitlens.displays.registry import open_display
from tests import needs
from tests.edge.displays.test_labels import tracked

PICTURE = np.full((480, 640, 3), 200, np.uint8)
pygame = pytest.importorskip("pygame", reason="needs pygame-ce (the extra window)")


@pytest.mark.parametrize("event", ["KEYDOWN", "QUIT"])
def test_closes_on_any_key(monkeypatch: pytest.MonkeyPatch, event: str) -> None:
    from digitlens.displays import sdl

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    seen = []

    def press() -> None:
        while pygame.display.get_surface() is None:
            pass
        seen.append(pygame.display.get_window_size())
        pygame.event.post(pygame.event.Event(getattr(pygame, event)))

    finger = threading.Thread(target=press)
    finger.start()
    sdl.show(np.full((3000, 2000, 3), 200, np.uint8), "a tall picture")
    finger.join()
    assert seen[0][0] * 3 == pytest.approx(seen[0][1] * 2, rel=0.01)  # reduced, its shape kept
    assert not pygame.display.get_init()


def test_no_screen_is_one_line(root: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    run = subprocess.run(
        [sys.executable, "-m", "digitlens", "read", "--show", str(root / "examples" / "sheet.jpg")],
        capture_output=True,
        text=True,
        env=environment | {"SDL_VIDEODRIVER": "x11"},
    )
    assert run.returncode == 1
    assert "pygame" not in run.stdout
    (line,) = run.stderr.splitlines()
    assert "no screen" in line
    assert "--overlay" in line


@pytest.fixture
def dummy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Display]:
    """The live window on SDL's dummy screen."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    display = open_display("sdl")
    yield display
    display.close()
    assert not pygame.display.get_init()


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        ("q", ["quit"]),
        ("ESCAPE", ["quit"]),
        ("SPACE", ["freeze"]),
        ("s", ["save"]),
        ("d", ["stages"]),
        ("x", []),
    ],
)
def test_keys_of_the_live_window(dummy: Display, key: str, meaning: list[str]) -> None:
    assert dummy.show(PICTURE, (), (640, 480), "") == []
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=getattr(pygame, f"K_{key}")))
    assert dummy.show(PICTURE, (), (640, 480), "") == meaning
    assert dummy.show(PICTURE, (), (640, 480), "") == []


def press(key: str, character: str = "") -> None:
    code = getattr(pygame, f"K_{key}")
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=code, unicode=character))


def test_help_on_the_live_window(dummy: Display) -> None:
    dummy.show(PICTURE, (), (640, 480), "")
    before = pygame.surfarray.array3d(pygame.display.get_surface())
    press("SLASH", "?")
    for shown in (True, False):
        assert dummy.show(PICTURE, (), (640, 480), "") == []
        dummy.show(PICTURE, (), (640, 480), "")
        now = pygame.surfarray.array3d(pygame.display.get_surface())
        assert ((now != before).mean() > 0.1) == shown
        press("SLASH", "?")


def test_full_screen_and_back(dummy: Display) -> None:
    dummy.show(PICTURE, (), (640, 480), "")
    size = pygame.display.get_surface().get_size()
    press("f")
    assert dummy.show(PICTURE, (), (640, 480), "") == []
    assert pygame.display.get_surface().get_size() == pygame.display.get_desktop_sizes()[0]
    assert pygame.display.get_surface().get_flags() & pygame.FULLSCREEN
    press("ESCAPE")
    assert dummy.show(PICTURE, (), (640, 480), "") == []  # leaves the full screen first
    dummy.show(PICTURE, (), (640, 480), "")
    assert pygame.display.get_surface().get_size() == size
    press("ESCAPE")
    assert dummy.show(PICTURE, (), (640, 480), "") == ["quit"]


def test_the_close_of_the_live_window_quits(dummy: Display) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert dummy.show(PICTURE, (), (640, 480), "") == ["quit"]


@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 3), (720, 1280, 3), (2000, 300, 3), (1, 1)])
def test_pictures_of_every_shape_are_shown_complete(dummy: Display, shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 200, np.uint8)
    picture.flags.writeable = False
    dummy.show(picture, (), (shape[1], shape[0]), "")
    pixels = pygame.surfarray.array3d(pygame.display.get_surface())[:, :, 0]  # (width, height)
    columns, rows = (np.flatnonzero((pixels == 200).any(axis=axis)) for axis in (1, 0))
    assert len(columns) / len(rows) == pytest.approx(shape[1] / shape[0], rel=0.01)
    assert len(columns) == pixels.shape[0] or len(rows) == pixels.shape[1]


def test_numbers_and_status_stand_on_the_live_window(dummy: Display) -> None:
    dummy.show(PICTURE, (), (640, 480), "")
    before = pygame.surfarray.array3d(pygame.display.get_surface())
    dummy.show(PICTURE, (tracked("4071", steady=True),), (640, 480), "30.0 frames/s")
    changed = (pygame.surfarray.array3d(pygame.display.get_surface()) != before).any(axis=2)
    width, height = changed.shape
    assert changed[:, int(0.96 * height) :].mean() > 0.9  # the status line
    assert changed[: width // 2, : height // 2].any()
    assert not changed[int(0.7 * width) :, : height // 2].any()


def test_a_screen_that_is_closed_can_be_opened_again(
    dummy: Display, capsys: pytest.CaptureFixture[str]
) -> None:
    pygame.display.quit()
    with pytest.raises(DisplayError, match="open the display again"):
        dummy.show(PICTURE, (), (640, 480), "")
    again = open_display("auto")
    assert again.name == "sdl"
    assert again.show(PICTURE, (), (640, 480), "") == []
    again.close()
    again.close()
    with pytest.raises(DisplayError):
        again.show(PICTURE, (), (640, 480), "")
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("digitlens: display sdl (dummy, ")
    assert "no drm, qt: " in line


@pytest.mark.skipif(Path("/dev/dri").exists(), reason="kmsdrm may work here")
def test_without_kmsdrm_there_is_no_display_and_a_reason(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm")
    display = open_display()
    assert display.name == "none"
    assert display.show(PICTURE, (), (640, 480), "") == []
    display.close()
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("digitlens: display none; ")
    assert "kmsdrm not available" in line
    with pytest.raises(DisplayError, match=r"display sdl: no screen was found \(kmsdrm not available\)"):
        open_display("sdl")


ON_A_REAL_SCREEN = """
import os, signal, subprocess, sys
import numpy as np
from PIL import ImageGrab
from digitlens.displays.registry import open_display
from digitlens.core.errors import DisplayError
from tests.edge.displays.test_sdl import PICTURE, tracked

server = subprocess.Popen(
    ["Xvfb", "-displayfd", "1", "-screen", "0", "480x320x24"],
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
)
os.environ["DISPLAY"] = ":" + server.stdout.readline().decode().strip()
display = open_display("sdl", full_screen=True)
numbers = tracked("4071", steady=True),
for turn in range(3):
    display.show(PICTURE, numbers, (640, 480), "30.0 frames/s")
screen = np.asarray(ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB"), int)
green = (screen == (0, 120, 40)).all(axis=2)
print(screen.shape, green[:160].sum() > 300, green[160:].any())
server.kill()
server.wait()
for attempt in (lambda: display.show(PICTURE, numbers, (640, 480), ""), lambda: open_display("sdl")):
    try:
        attempt()
    except DisplayError as error:
        print(error)
display.close()
print(open_display("auto").name)
"""


def on_a_screen() -> dict[str, str]:
    """The environment of a program that opens a real window."""
    environment = {key: value for key, value in os.environ.items() if key != "SDL_VIDEODRIVER"}
    return environment | {"PYGAME_HIDE_SUPPORT_PROMPT": "1"}


@pytest.mark.screen
def test_a_real_window_whose_server_ends(root: Path) -> None:
    """Xlib would end the process; here it is an error, and the process ends well."""
    run = subprocess.run(
        [sys.executable, "-c", ON_A_REAL_SCREEN], capture_output=True, text=True, env=on_a_screen(), cwd=root
    )
    assert (run.returncode, "XIO" in run.stderr) == (0, False), run.stderr
    shown, gone, again, name = run.stdout.splitlines()
    assert shown == "(320, 480, 3) True False"
    assert gone == "the screen is gone (x11's server has ended)"
    assert "start digitlens again" in again
    assert name == "none"


UNTIL_QUIT = """
from digitlens.displays.registry import open_display
from tests.edge.displays.test_sdl import PICTURE, tracked

display = open_display("sdl")
keys = []
while "quit" not in keys:
    keys = display.show(PICTURE, (tracked("4071", steady=True),), (640, 480), "")
    print(*keys, sep="\\n", end="\\n" if keys else "", flush=True)
display.close()
"""


@pytest.fixture
def server() -> Iterator[str]:
    """The DISPLAY of an X server of its own."""
    command = [needs.path("Xvfb"), "-displayfd", "1", "-screen", "0", "800x600x24"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield ":" + process.stdout.readline().strip()
        process.terminate()


@pytest.mark.screen
def test_a_keyboards_keys_reach_a_real_window(root: Path, server: str) -> None:
    environment = on_a_screen() | {"DISPLAY": server}

    def client(program: str, *arguments: str) -> bytes:
        command = [needs.path(program), *arguments]
        return subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True).stdout

    def press(key: str) -> None:
        with suppress(subprocess.CalledProcessError):  # the window may be gone before the key is up again
            client("xdotool", "search", "--sync", "--onlyvisible", "--class", ".", "windowfocus", "key", key)

    with subprocess.Popen(
        [sys.executable, "-c", UNTIL_QUIT], stdout=subprocess.PIPE, env=environment, cwd=root
    ) as run:
        assert run.stdout is not None
        said = run.stdout.fileno()

        def answers(key: str, wanted: bytes) -> bool:
            """Whether the window answers a key so, which is pressed again if it came before the focus."""
            heard = b""
            for _ in range(10):
                press(key)
                while select([said], [], [], 5.0)[0] and (part := os.read(said, 1024)):
                    heard += part
                    if wanted in heard:
                        return True
            return False

        try:
            assert answers("space", b"freeze\n")
            shot = client("import", "-window", "root", "png:-")
            assert answers("q", b"quit\n")
            assert run.wait(60) == 0
        finally:
            run.kill()
    with Image.open(BytesIO(shot)) as picture:
        screen = np.asarray(picture.convert("RGB"), int)
    assert screen.shape == (600, 800, 3)
    assert (screen == (0, 120, 40)).all(axis=2).sum() > 300  # the label over the number
