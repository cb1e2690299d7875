"""Statistics of the live loop: counted by its thread, read by the outlets' threads."""

import threading
from bisect import bisect_left
from time import monotonic

import msgspec

from digitlens.core.paths import as_text
from digitlens.live.observers import LiveObserver

BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
"""Upper bounds of the histograms' buckets, in milliseconds; one more bucket has all above."""


class Histogram(msgspec.Struct, frozen=True):
    """Times of a stage: `counts` by BOUNDS and above, and their sum in milliseconds."""

    counts: tuple[int, ...]
    sum: float


class StatsSnapshot(msgspec.Struct, frozen=True):
    """The statistics of one moment.

    `age` is the newest frame's in seconds, None before the first; `last` is the latest time of each stage in
    milliseconds; `lost` is the reason why there is no camera, empty while there is one.
    """

    camera: str
    captured: int
    read: int
    dropped: int
    reopened: int
    frames_per_second: float
    age: float | None
    lost: str
    stages: dict[str, Histogram]
    last: dict[str, float]


class LoopStats(LiveObserver):
    """Counts frames and times; every method may be called from any thread."""

    def __init__(self, camera: str = "") -> None:
        self._lock = threading.Lock()
        self._camera = camera
        self._captured = self._read = self._dropped = self._reopened = 0
        self._interval = 0.0
        self._taken: float | None = None
        self._lost = ""
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def stage(self, name: str, milliseconds: float) -> None:
        """See LiveObserver."""
        with self._lock:
            counts = self._counts.setdefault(name, [0] * (len(BOUNDS) + 1))
            counts[bisect_left(BOUNDS, milliseconds)] += 1
            self._sums[name] = self._sums.get(name, 0.0) + milliseconds
            self._last[name] = milliseconds

    def captured(self, taken: float, dropped: int, read: int) -> None:
        """See LiveObserver."""
        with self._lock:
            if self._taken is not None:
                interval = taken - self._taken
                self._interval = self._interval * 0.9 + interval * 0.1 if self._interval else interval
            self._taken = taken
            self._captured += 1
            self._dropped, self._read = dropped, read
            self._lost = ""

    @property
    def lost(self) -> str:
        """Why there is no camera now; empty while there is one."""
        return self._lost

    def camera_lost(self, why: str) -> None:
        """See LiveObserver."""
        with self._lock:
            self._lost = why

    def camera_opened(self, name: str) -> None:
        """A camera has been opened, the first or another."""
        with self._lock:
            self._camera = name
            self._interval = 0.0
            self._taken = None

    def camera_reopened(self, name: str) -> None:
        """See LiveObserver."""
        with self._lock:
            self._camera = name
            self._reopened += 1

    def snapshot(self) -> StatsSnapshot:
        """The statistics of now."""
        with self._lock:
            return StatsSnapshot(
                camera=as_text(self._camera),
                captured=self._captured,
                read=self._read,
                dropped=self._dropped,
                reopened=self._reopened,
                frames_per_second=1 / self._interval if self._interval > 0 else 0.0,
                age=None if self._taken is None else max(0.0, monotonic() - self._taken),
                lost=as_text(self._lost),
                stages={
                    stage: Histogram(tuple(counts), self._sums[stage])
                    for stage, counts in self._counts.items()
                },
                last=dict(self._last),
            )
