"""What the live loop takes: milliseconds by stage, CPU and memory, whatever the number of frames."""

import math
from pathlib import Path
from time import perf_counter, process_time

Figures = dict[str, object]

FINE = 100
"""Steps of a spread for a factor of e: each a hundredth more than the one before."""
SAMPLE = 100
"""Frames between two looks at the memory."""
WARM = 5
"""Samples of the memory at the start that are left out of its slope: buffers are still being made."""


class LogHistogram:
    """How some times are spread, to one percent."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, milliseconds: float) -> None:
        """Count one."""
        step = round(math.log(max(milliseconds, 1e-4)) * FINE)
        self._counts[step] = self._counts.get(step, 0) + 1

    def quantile(self, share: float) -> float:
        """Milliseconds that `share` (0 to 1) of the times stay below; 0 without any."""
        rest = share * sum(self._counts.values())
        for step in sorted(self._counts):
            rest -= self._counts[step]
            if rest <= 0:
                return math.exp(step / FINE)
        return 0.0


class Benchmark:
    """Is handed the stages of a Live, as its `watch`."""

    def __init__(self) -> None:
        self.frames = 0
        self._spreads: dict[str, LogHistogram] = {}
        self._memory = Slope()
        self._wall, self._cpu = perf_counter(), process_time()

    def __call__(self, stage: str, milliseconds: float) -> None:
        """Count one stage of one frame; `total` is its last."""
        self._spreads.setdefault(stage, LogHistogram()).add(milliseconds)
        if stage == "total":
            self.frames += 1
            if self.frames % SAMPLE == 0 and self.frames > WARM * SAMPLE:
                self._memory.add(self.frames / 1000, memory("VmRSS"))

    def figures(self) -> Figures:
        """The JSON object of one run; `cpu` is of one core, memory is in MiB."""
        wall, cpu = perf_counter() - self._wall, process_time() - self._cpu
        return {
            "frames": self.frames,
            "frames_per_second": round(self.frames / wall, 2),
            "cpu": round(cpu / wall, 4),
            "milliseconds": {
                stage: {"median": round(spread.quantile(0.5), 4), "p99": round(spread.quantile(0.99), 4)}
                for stage, spread in self._spreads.items()
            },
            "memory_peak": round(memory("VmHWM"), 1),
            "memory_per_1000_frames": round(self._memory.value(), 4),
        }


class Slope:
    """The slope of the line through points, by least squares."""

    def __init__(self) -> None:
        self._n = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        """One point."""
        self._n += 1
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y

    def value(self) -> float:
        """The slope; 0 of fewer than two points."""
        spread = self._n * self._xx - self._x**2
        return (self._n * self._xy - self._x * self._y) / spread if spread > 0 else 0.0


def memory(name: str) -> float:
    """MiB of this process, by the kernel's name (VmRSS, VmHWM); 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
