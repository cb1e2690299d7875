"""How the live loop is doing: counted by its thread, asked for by the outlets' threads."""

import threading
from bisect import bisect_left
from time import monotonic

import msgspec

BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
"""Milliseconds: the upper bounds of the histograms' buckets; one more bucket has all above."""


class Histogram(msgspec.Struct, frozen=True):
    """How often a stage took so long: `counts` by BOUNDS and above, and the sum in milliseconds."""

    counts: tuple[int, ...]
    sum: float


class StatsSnapshot(msgspec.Struct, frozen=True):
    """The figures of one moment.

    `age` is the newest frame's in seconds, None before the first; `last` what each stage last took, in
    milliseconds.
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


class LoopStats:
    """Counts; every method may be called from any thread."""

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

    def watch(self, stage: str, milliseconds: float) -> None:
        """A stage of a frame has taken so long."""
        with self._lock:
            counts = self._counts.setdefault(stage, [0] * (len(BOUNDS) + 1))
            counts[bisect_left(BOUNDS, milliseconds)] += 1
            self._sums[stage] = self._sums.get(stage, 0.0) + milliseconds
            self._last[stage] = milliseconds

    def frame(self, taken: float, dropped: int, read: int) -> None:
        """A frame has come, `taken` as in Frame; `dropped` and `read` are the counts so far."""
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

    def lose(self, why: str) -> None:
        """The camera is lost."""
        with self._lock:
            self._lost = why

    def open(self, camera: str) -> None:
        """A camera has been opened, the first or another."""
        with self._lock:
            self._camera = camera
            self._interval = 0.0
            self._taken = None

    def reopen(self, camera: str) -> None:
        """The camera has been opened again."""
        with self._lock:
            self._camera = camera
            self._reopened += 1

    def snapshot(self) -> StatsSnapshot:
        """The figures of now."""
        with self._lock:
            return StatsSnapshot(
                camera=self._camera,
                captured=self._captured,
                read=self._read,
                dropped=self._dropped,
                reopened=self._reopened,
                frames_per_second=1 / self._interval if self._interval > 0 else 0.0,
                age=None if self._taken is None else max(0.0, monotonic() - self._taken),
                lost=self._lost,
                stages={
                    stage: Histogram(tuple(counts), self._sums[stage])
                    for stage, counts in self._counts.items()
                },
                last=dict(self._last),
            )
