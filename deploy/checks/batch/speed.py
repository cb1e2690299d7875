"""What a run over an archive costs: two workers against one, beside reading itself, by pages, and in memory.

    python deploy/checks/batch/speed.py [--pages 1000 4000] [--ratio 500]

Reads drawn strips. On a machine that others use, walls vary; CPU times vary less, and both are printed:

- cost: CPU time of everything but reading (handing out, sending, writing the tables) by that of reading the
  same pages in a plain loop in this process;
- ratio: pages a second of two workers by those of one, in turns, by wall and by the workers' CPU time a page;
- by pages: CPU seconds, bytes of the tables a page, peak memory of the run itself and of its workers; R² of a
  straight line through the CPU seconds.
"""

import argparse
import os
import resource
import struct
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import cv2
import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.batch.documents import read_document  # noqa: E402
from digitlens.batch.numbers import NumberOptions  # noqa: E402
from digitlens.batch.pool import Pool  # noqa: E402
from digitlens.batch.run import Run, Totals  # noqa: E402
from digitlens.batch.sources import Item, items  # noqa: E402
from tests.edge.pages import write  # noqa: E402


class Cost(NamedTuple):
    """Of one run: seconds by the clock, CPU seconds here and of the workers, bytes, peak memory in MiB."""

    wall: float
    here: float
    workers: float
    bytes: int
    peak: int
    worker_peak: int


def draw(folder: Path, count: int) -> None:
    """Strips of three to seven digits."""
    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        digits = arrays["x"], arrays["y"]
    chance = np.random.default_rng(3)
    strips = [
        write("".join(map(str, chance.integers(0, 10, chance.integers(3, 8)))), digits, 40, 44)
        for _ in range(200)
    ]
    for number in range(count):
        place = folder / f"{number // 1000:03}"
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{number:06}.png"), strips[number % len(strips)])


def cpu(whose: int) -> float:
    """CPU seconds so far, of this process or of its children that have ended."""
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def peak(process: int | str) -> int:
    """A process's peak memory, MiB; 0 if it has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in text.splitlines() if line.startswith("VmHWM")), 0)


def measure(source: Path, workers: int) -> Cost:
    """One run into a new folder."""
    pools: list[Pool] = []
    peaks = [0]
    looked = -1.0

    def pool() -> Pool:
        pools.append(Pool(NumberOptions(), workers))
        return pools[-1]

    def watch(_: Totals) -> None:
        nonlocal looked
        if perf_counter() - looked > 1.0:  # rarely, since it would count as the pool's cost
            looked = perf_counter()
            peaks[0] = max(peaks[0], *map(peak, pools[0].pids))

    with tempfile.TemporaryDirectory() as out:
        before = perf_counter(), cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
        run = Run(Path(out), (str(source),), NumberOptions())
        run.go(items([str(source)]), pool, watch, threading.Event())
        after = perf_counter(), cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
        size = sum(path.stat().st_size for path in Path(out).glob("*/part-*"))
    wall, here, others = (end - begin for begin, end in zip(before, after, strict=True))
    return Cost(wall, here, others, size, peak("self"), peaks[0])


def plain(source: Path) -> float:
    """CPU seconds of reading all documents in a process of its own, in a loop; the models loaded before."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, struct.pack("d", _plain(source)))
        os._exit(0)
    (seconds,) = struct.unpack("d", os.read(ours, 8))
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
    return float(seconds)


def _plain(source: Path) -> float:
    reader = NumberOptions().open()
    listed = [item for item in items([str(source)]) if isinstance(item, Item)]
    list(read_document(listed[0], reader))
    before = cpu(resource.RUSAGE_SELF)
    for item in listed:
        list(read_document(item, reader))
    return cpu(resource.RUSAGE_SELF) - before


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 2000, 4000])
    parser.add_argument(
        "--ratio", type=int, default=500, help="pages of the comparison of two workers with one"
    )
    parser.add_argument("--turns", type=int, default=4, help="of that comparison; the best of each counts")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for count in {1, options.ratio, *options.pages}:
            draw(folder / str(count), count)
        few = folder / str(options.ratio)
        measure(folder / "1", 1)  # imports what this process needs
        start = {
            workers: min((measure(folder / "1", workers) for _ in range(2)), key=lambda cost: cost.workers)
            for workers in (1, 2)
        }
        costs: dict[int, list[Cost]] = {1: [], 2: []}
        loops = []
        for _ in range(options.turns):
            loops.append(plain(few))
            for workers, found in costs.items():
                found.append(measure(few, workers))
        alone = min(loops)
        print(
            f"start: {start[1].here:.2f} s CPU here, {start[1].workers:.2f} s of a worker, "
            f"wall {start[1].wall:.1f} s"
        )
        print(f"a page read in a loop: {1000 * alone / options.ratio:.2f} ms CPU")
        one = min(cost.here - start[1].here + cost.workers - start[1].workers for cost in costs[1])
        print(f"cost beside reading: {one / alone - 1:+.1%} of the loop's CPU time")
        here = min(cost.here - start[1].here for cost in costs[1])
        print(f"  of it here (handing out, tables): {here / alone:+.1%}")
        walls = {
            workers: min(cost.wall - start[workers].wall for cost in found)
            for workers, found in costs.items()
        }
        print(f"two workers by one, wall: {walls[1] / walls[2]:.2f}")
        used = {
            workers: min(cost.workers - start[workers].workers for cost in found)
            for workers, found in costs.items()
        }
        print(f"CPU time a page, two workers by one: {used[2] / used[1]:.2f}")
        seconds = []
        for count in sorted(options.pages):
            cost = measure(folder / str(count), 2)
            seconds.append(cost.here + cost.workers)
            print(
                f"{count:>7} pages: wall {cost.wall:.0f} s, CPU {seconds[-1]:.1f} s, "
                f"{cost.bytes / count:.0f} bytes a page, "
                f"peak {cost.peak} MiB here, {cost.worker_peak} MiB a worker",
                flush=True,
            )
        if len(seconds) > 1:
            correlation = np.corrcoef(sorted(options.pages), seconds)[0, 1]
            print(f"R² of the CPU seconds by pages: {correlation**2:.4f}")
            slopes = [
                (more - less) / (upper - lower)
                for (less, more), (lower, upper) in zip(
                    pairwise(seconds), pairwise(sorted(options.pages)), strict=True
                )
            ]
            print("CPU ms a page between them:", ", ".join(f"{1000 * slope:.2f}" for slope in slopes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
