"""The live loop: real replays, real faults, real processes and signals."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from digitlens.cameras.base import Camera
from digitlens.cameras.newest import Newest
from digitlens.config.parameters.following import FollowParameters
from digitlens.config.parameters.tracking import LoopParameters
from digitlens.core.errors import CameraError, DisplayError
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.core.tracking import Event, Tracked
from digitlens.displays.base import Display, Key
from digitlens.displays.registry import open_display
from digitlens.images.labels import STEADY
from digitlens.live.loop import Live
from digitlens.live.observers import LiveObserver
from digitlens.live.snapshots import Snapshots
from digitlens.live.tracker import Tracker
from tests.edge.pages import write

PAUSES = LoopParameters().reopen_pauses
Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]
LONG = 30.0


class Screen:
    """A display in memory: keeps what it shows, and presses keys at given frames."""

    name = "memory"

    def __init__(self, keys: dict[int, list[Key]] | None = None) -> None:
        self.shown = 0
        self.images: list[float] = []
        self.status: list[str] = []
        self.numbers: list[list[str]] = []
        self.size = (0, 0)
        self._keys = keys or {}

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        self.shown += 1
        self.images.append(float(image.mean()))
        self.numbers.append([tracked.number.text for tracked in numbers])
        self.status.append(status)
        self.size = size
        return self._keys.get(self.shown, [])

    def follow(self, preview: Preview | None) -> None:
        pass

    def close(self) -> None:
        pass


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self, end: float = 1000.0) -> None:
        self.now = 0.0
        self.end = end

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.end


class Frames:
    """A camera that plays a list: pictures, errors, and the end."""

    name = "list"
    dropped = 0
    preview: Preview | None = None

    def __init__(self, what: Sequence[Pixels | Exception], clock: Clock | None = None) -> None:
        self._what = iter(what)
        self._clock = clock
        self._index = -1
        self.closed = 0

    def newest(self, timeout: float) -> Frame | None:
        self._index += 1
        found = next(self._what, None)
        if isinstance(found, Exception):
            if self._clock is not None:
                self._clock.now += timeout
            raise found
        if found is None:
            return None
        gray = found if found.ndim == 2 else found[..., 0]
        return Frame(found, gray, self._index / 30, 0.0)

    def close(self) -> None:
        self.closed += 1


class Notes(LiveObserver):
    """Keeps the events and the messages."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lines: list[str] = []

    def event(self, event: Event, size: tuple[int, int]) -> None:
        self.events.append(event)

    def message(self, line: str) -> None:
        self.lines.append(line)


def run(
    camera: Camera,
    reader: Reader,
    display: Display | None = None,
    observers: Sequence[LiveObserver] = (),
    wait: Callable[[float], bool] = lambda seconds: False,
    **more: Any,
) -> tuple[Live, list[Event], list[str]]:
    notes = Notes()
    live = Live(
        camera, reader, Tracker(), display or Screen(), wait=wait, observers=(notes, *observers), **more
    )
    live.run()
    return live, notes.events, notes.lines


def noisy(page: Pixels, count: int, seed: int = 0) -> list[Pixels]:
    random = np.random.default_rng(seed)
    return [(page + random.normal(0, 3, page.shape)).clip(0, 255).astype(np.uint8) for _ in range(count)]


def test_an_unmoving_picture_is_read_a_few_times(reader: Reader, page: Pixels) -> None:
    screen = Screen()
    live, events, lines = run(Frames(noisy(page, 100)), reader, screen)
    assert (live.frames, screen.shown, lines) == (100, 100, [])
    assert LoopParameters().confirm_frames <= live.read <= 25
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716")]
    assert screen.numbers[-1] == ["40716"]
    assert screen.size == (page.shape[1], page.shape[0])


def test_the_parameters_decide_how_often_a_picture_is_read(reader: Reader, page: Pixels) -> None:
    parameters = LoopParameters(confirm_frames=10, unsteady_confirm_frames=10, refresh_frames=5)
    live, _, _ = run(Frames([page] * 30), reader, parameters=parameters)
    assert live.read == 10 + 20 // 5


def test_a_moving_picture_is_read_every_time_where_it_is_not_followed(reader: Reader, page: Pixels) -> None:
    frames = Frames([np.roll(page, turn % 3, axis=1) for turn in range(40)])
    every = LoopParameters(following=FollowParameters(enabled=False))
    live, events, _ = run(frames, reader, parameters=every)
    assert live.read == 40
    assert [event.text for event in events] == ["40716"]


def test_a_number_written_later_is_read(reader: Reader, digits: Digits, page: Pixels) -> None:
    more = page.copy()
    more[:, :60] = page[:, 280:340]
    both = np.vstack([page, write("27   ", digits)])
    first = np.vstack([page, np.full_like(page, 220)])
    _, events, _ = run(Frames(noisy(first, 40) + noisy(both, 40, 1)), reader)
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716"), ("appeared", "27")]
    assert 40 / 30 <= events[1].time <= 50 / 30


def test_black_torn_and_wrongly_sized_frames(reader: Reader, page: Pixels) -> None:
    black = np.zeros_like(page)
    torn = page.copy()
    torn[50:] = 128
    half = cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    bad = [black, torn, np.zeros((0, 5), np.uint8), half, page[:1, :1], np.zeros((3, 3, 3), np.uint8)]
    frames = noisy(page, 30)
    for turn, picture in enumerate(bad):
        frames.insert(12 + 3 * turn, picture)
    live, events, lines = run(Frames(frames), reader)
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716")]
    assert (live.frames, live.unusable, lines) == (36, 1, [])


def test_a_resolution_that_changes_changes_no_number(reader: Reader, page: Pixels) -> None:
    twice = cv2.resize(page, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    screen = Screen()
    _, events, _ = run(Frames(noisy(page, 30) + noisy(twice, 30)), reader, screen)
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716")]
    assert screen.size == (page.shape[1], page.shape[0])


def test_a_lost_camera_is_opened_again_with_growing_pauses(reader: Reader, page: Pixels) -> None:
    clock = Clock()
    tried: list[float] = []

    def reopen() -> Camera:
        tried.append(clock.now)
        if len(tried) < 9:
            raise CameraError("usb:0: no such camera")
        return Frames(noisy(page, 30))

    first = Frames([*noisy(page, 5), CameraError("usb:0: unplugged")])
    screen = Screen()
    live, events, lines = run(first, reader, screen, reopen=reopen, wait=clock.wait, clock=clock)
    assert np.diff([0.0, *tried]) == pytest.approx([*PAUSES, 30, 30, 30])
    assert lines == ["usb:0: unplugged; opening it again", "usb:0: no such camera", "list: open again"]
    assert first.closed == 1
    assert live.frames == 35
    assert [event.text for event in events] == ["40716"]
    assert "no camera: usb:0: no such camera" in screen.status


def test_a_camera_that_opens_and_gives_nothing_pauses_longer_and_longer(reader: Reader) -> None:
    clock = Clock(200)
    opened: list[float] = []

    def reopen() -> Camera:
        opened.append(clock.now)
        return Frames([CameraError("gives no frames")])

    run(reopen(), reader, reopen=reopen, wait=clock.wait, clock=clock)
    assert np.diff(opened) == pytest.approx([*PAUSES, *[30] * (len(opened) - 1 - len(PAUSES))])


def test_a_camera_that_stalls_without_an_error_is_noticed_by_its_newest_frame(
    reader: Reader, page: Pixels
) -> None:
    """A real thread that hangs in its grab, as a driver does; only the loop's clock is ours."""
    clock = Clock()
    hung = threading.Event()
    frames = iter(noisy(page, 3))

    def grab() -> Frame | None:
        for picture in frames:
            return Frame(picture, picture, 0.0, monotonic())
        hung.wait(LONG)
        raise CameraError("too late")

    camera = Newest("usb:0", grab)

    class Passing:
        """Waiting for the camera takes time on the test's clock only."""

        name = "usb:0"
        preview: Preview | None = None

        @property
        def dropped(self) -> int:
            return camera.dropped

        def newest(self, timeout: float) -> Frame | None:
            clock.now += timeout
            return camera.newest(0.01)

        def close(self) -> None:
            camera.close(0.01)

    _, _, lines = run(Passing(), reader, reopen=lambda: Frames(noisy(page, 2)), wait=clock.wait, clock=clock)
    hung.set()
    assert lines[0].startswith("usb:0: no frame for")
    assert lines[1] == "list: open again"
    assert 5 <= clock.now < 8


def test_a_stop_ends_the_wait_for_a_camera(reader: Reader) -> None:
    clock = Clock(end=10)

    def reopen() -> Camera:
        raise CameraError("usb:0: no such camera")

    live, _, _ = run(
        Frames([CameraError("usb:0: unplugged")]), reader, reopen=reopen, wait=clock.wait, clock=clock
    )
    assert clock.now == pytest.approx(10, abs=0.5)
    assert live.frames == 0


def test_without_reopening_the_error_ends_it(reader: Reader, page: Pixels) -> None:
    camera = Frames([page, CameraError("gone")])
    with pytest.raises(CameraError, match="gone"):
        run(camera, reader)
    assert camera.closed == 1


def test_a_screen_that_is_gone(reader: Reader, page: Pixels) -> None:
    class Gone(Screen):
        def show(self, *what: object) -> list[Key]:
            raise DisplayError("the screen is gone")

    live, events, lines = run(Frames(noisy(page, 30)), reader, Gone())
    assert lines == ["the screen is gone; going on without a display"]
    assert (live.frames, len(events)) == (30, 1)


def test_the_keys(reader: Reader, page: Pixels, tmp_path: Path) -> None:
    black = np.zeros_like(page)
    keys: dict[int, list[Key]] = {15: ["save", "stages", "freeze"], 25: ["freeze"], 28: ["quit"]}
    screen = Screen({**keys, 20: ["save", "other"]})  # type: ignore[list-item]  # no key of ours
    live, events, lines = run(
        Frames([page] * 15 + [black] * 10 + [page] * 20), reader, screen, snapshots=Snapshots(tmp_path)
    )
    assert live.frames == 28
    assert screen.images[14:25] == [screen.images[0]] * 11  # frozen, the black ones are not shown
    assert all(status.startswith("frozen") for status in screen.status[15:25])
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716")]
    names = ["digitlens_0001", "digitlens_0001.json", "digitlens_0001.png", "digitlens_0002.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names, "digitlens_0002.png"]
    stages = sorted(path.name[0] for path in (tmp_path / "digitlens_0001").iterdir())
    assert stages == ["1", "2", "3", "4", "5", "6", "7"]
    assert json.loads((tmp_path / "digitlens_0001.json").read_text())["numbers"][0]["text"] == "40716"
    assert lines[0] == f"saved {tmp_path / 'digitlens_0001.png'}"
    assert any(str(tmp_path) in status for status in screen.status)  # the screen says it, too
    saved = cv2.imread(str(tmp_path / "digitlens_0001.png"))
    assert saved is not None
    assert (saved == STEADY).all(axis=2).sum() > 500  # with its label


def test_the_close_of_a_real_window_ends_it(
    reader: Reader, page: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pygame = pytest.importorskip("pygame", reason="needs pygame-ce (the extra window)")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = open_display("sdl")

    class Closing(LiveObserver):
        def frame(self, frame: Frame, *more: object) -> None:
            if frame.time > 0.3:
                pygame.event.post(pygame.event.Event(pygame.QUIT))

    live, events, lines = run(Frames(noisy(page, 100)), reader, window, [Closing()])
    window.close()
    assert (live.frames, len(events), lines) == (11, 1, [])
