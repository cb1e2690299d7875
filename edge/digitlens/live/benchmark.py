"""The cost of the live loop: milliseconds by stage, CPU and memory, in constant space."""

import math
from pathlib import Path
from time import perf_counter, process_time

from digitlens.live.observers import LiveObserver

Figures = dict[str, object]

BUCKETS = 100
"""Buckets of a histogram per factor of e: each bound is one percent above the one before."""
SAMPLE = 100
"""Interval between two samples of the memory, in frames."""
WARM_UP = 5
"""Samples of the memory at the start that its slope leaves out, a count: buffers are still being made."""


class LogHistogram:
    """The distribution of times, to one percent."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, milliseconds: float) -> None:
        """Count one time."""
        bucket = round(math.log(max(milliseconds, 1e-4)) * BUCKETS)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1

    def quantile(self, share: float) -> float:
        """Milliseconds below which `share` (0 to 1) of the times are; 0 without any."""
        rest = share * sum(self._counts.values())
        for bucket in sorted(self._counts):
            rest -= self._counts[bucket]
            if rest <= 0:
                return math.exp(bucket / BUCKETS)
        return 0.0


class Benchmark(LiveObserver):
    """Measures a run of the live loop."""

    def __init__(self) -> None:
        self.frames = 0
        self._times: dict[str, LogHistogram] = {}
        self._memory = Slope()
        self._wall, self._cpu = perf_counter(), process_time()

    def stage(self, name: str, milliseconds: float) -> None:
        """See LiveObserver."""
        self._times.setdefault(name, LogHistogram()).add(milliseconds)
        if name == "total":
            self.frames += 1
            if self.frames % SAMPLE == 0 and self.frames > WARM_UP * SAMPLE:
                self._memory.add(self.frames / 1000, memory("VmRSS"))

    def figures(self) -> Figures:
        """The JSON object of one run; `cpu` is a fraction of one core, memory is in MiB."""
        wall, cpu = perf_counter() - self._wall, process_time() - self._cpu
        return {
            "frames": self.frames,
            "frames_per_second": round(self.frames / wall, 2),
            "cpu": round(cpu / wall, 4),
            "milliseconds": {
                stage: {"median": round(times.quantile(0.5), 4), "p99": round(times.quantile(0.99), 4)}
                for stage, times in self._times.items()
            },
            "memory_peak": round(memory("VmHWM"), 1),
            "memory_per_1000_frames": round(self._memory.value(), 4),
        }


class Slope:
    """The slope of the line through points, by least squares."""

    def __init__(self) -> None:
        self._n = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        """Add a point."""
        self._n += 1
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y

    def value(self) -> float:
        """The slope; 0 with fewer than two points."""
        spread = self._n * self._xx - self._x**2
        return (self._n * self._xy - self._x * self._y) / spread if spread > 0 else 0.0


def memory(name: str) -> float:
    """Memory of this process in MiB, by the kernel's name (VmRSS, VmHWM); 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
