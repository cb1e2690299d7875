"""Observers of the live loop: what they are called with, in which order, and one that fails."""

import numpy as np
import pytest

from digitlens import Reader, Reading
from digitlens.cameras.base import Camera
from digitlens.core.errors import CameraError, RecordError
from digitlens.core.frames import Frame
from digitlens.core.tracking import Tracked
from digitlens.live.latest import LatestFrame
from digitlens.live.observers import LiveObserver
from digitlens.live.stats import LoopStats
from tests.edge.live.test_loop import Clock, Digits, Frames, Pixels, run
from tests.edge.pages import write


class Calls(LiveObserver):
    """Keeps the names of the calls, and the stages."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stages: list[str] = []

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        assert reading.time == frame.time
        self.names.append("frame")

    def captured(self, taken: float, dropped: int, read: int) -> None:
        self.names.append(f"captured {dropped} {read}")

    def stage(self, name: str, milliseconds: float) -> None:
        self.stages.append(name)

    def camera_lost(self, why: str) -> None:
        self.names.append(f"lost: {why}")

    def camera_reopened(self, name: str) -> None:
        self.names.append(f"reopened: {name}")


@pytest.fixture
def page(digits: Digits) -> Pixels:
    return write("40716", digits)


def test_frames_stages_and_a_camera_that_is_lost(reader: Reader, page: Pixels) -> None:
    clock, calls, stats, latest = Clock(), Calls(), LoopStats("list"), LatestFrame()

    def reopen() -> Camera:
        return Frames([np.zeros((0, 5), np.uint8), page])

    camera = Frames([page, CameraError("unplugged")])
    run(camera, reader, None, [calls, stats, latest], clock.wait, reopen=reopen, clock=clock)
    names = ["frame", "captured 0 1", "lost: unplugged", "reopened: list", "captured 1 1", "frame"]
    assert calls.names == [*names, "captured 1 2"]
    read = [name for name in reader.read(page).milliseconds if name != "total"]
    stages = ["camera", "compare", *read, "read", "track", "show", "total"]
    assert calls.stages == [*stages, "camera", *stages]
    snapshot = stats.snapshot()
    assert (snapshot.captured, snapshot.read, snapshot.dropped, snapshot.reopened) == (3, 2, 1, 1)
    assert snapshot.lost == ""
    newest = latest.newest()
    assert newest is not None
    assert newest.count == 2


def test_an_observer_that_cannot_record_is_dropped_and_the_others_go_on(reader: Reader, page: Pixels) -> None:
    class Full(Calls):
        def frame(self, *more: object) -> None:
            self.names.append("frame")
            raise RecordError("the disk is full")

    full, calls = Full(), Calls()
    _, _, lines = run(Frames([page] * 3), reader, observers=[full, calls])
    assert lines == ["the disk is full"]
    assert full.names == ["frame"]
    assert calls.names.count("frame") == 3
