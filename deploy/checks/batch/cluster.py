"""Ray in a cluster of two nodes on this machine: the same rows as the pool's, and how fast.

    python deploy/checks/batch/cluster.py [--pages 1000] [--workers 2] [--alone] [--of sheets]

Needs `pip install 'digitlens[ray]'` in this Python. Reads drawn strips, or sheets of 1280 x 720 pixels with
eight numbers each, in turns with the pool of `--engine local` and with the readers of `--engine ray`,
compares the tables row by row, and prints pages a second and CPU time a page (of all processes, Ray's own
too) between the first page and the last: the start of either does not count, it is printed apart. With
`--alone` Ray is started by the run itself, as without `--address`: one node with a core for each worker. The
exit status is 1 if the rows differ. kills.py takes the same cluster for `--engine ray`.
"""

import argparse
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.batch.numbers import NumberOptions  # noqa: E402
from digitlens.batch.pool import Pool  # noqa: E402
from digitlens.batch.run import Readers, Run, Totals  # noqa: E402
from digitlens.batch.sources import items  # noqa: E402

HERE = "127.0.0.1"
MEMORY = 200_000_000
"""Of a node's object store, in bytes."""
PORTS = 20_000, 32_000
"""Where ports are taken from, below those that the kernel gives to connections."""
ALONE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYTHONPATH": str(ROOT / "edge")}
"""Of a cluster that the run starts; Ray's workers are otherwise nice."""
ATTEMPTS = 3
"""Starts of a node; on a busy machine Ray's own time limits may be too short for one."""


class Cluster:
    """A head and another node, with a core each; the head takes the driver.

    Ray gives an agent that asks for a port 15 s to start, however busy the machine is; with ports that it is
    told it waits longer.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ray"))
        self.port = free_port()
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT / "edge"),
            "RAY_ADDRESS": f"{HERE}:{self.port}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_enable_metrics_collection": "false",
            "RAY_raylet_start_wait_time_s": "300",
            "RAY_agent_register_timeout_ms": "180000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            # Ray's workers are otherwise nice: this cluster shares its machine with what it is measured by.
            "RAY_worker_niceness": "0",
        }
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        try:
            self.start("head")
            self.start("node")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, name: str) -> None:
        """Start the head or the other node; returns once it is part of the cluster."""
        is_head = name == "head"
        place = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self._folder}"]
        ports = (
            "dashboard-agent-listen-port",
            "dashboard-agent-grpc-port",
            "runtime-env-agent-port",
            "metrics-export-port",
        )
        for _ in range(ATTEMPTS):
            command = [
                *(str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=1"),
                *(place if is_head else [f"--address={HERE}:{self.port}"]),
                *(f"--node-ip-address={HERE}", f"--object-store-memory={MEMORY}", "--disable-usage-stats"),
                *(f"--{port}={free_port()}" for port in ports),
            ]
            log = self._folder / f"{name}.log"
            with log.open("wb") as output:
                self._nodes[name] = process = subprocess.Popen(
                    command,
                    env=self.environment,
                    stdout=output,
                    stderr=output,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            while process.poll() is None:
                if b"Ray runtime started" in log.read_bytes():
                    return
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
            self.kill(name)
        raise RuntimeError(f"Ray's {name} does not start:\n{log.read_text()}{self._raylet_errors()}")

    def _raylet_errors(self) -> str:
        logs = sorted(
            self._folder.glob("session_latest/logs/raylet*.err"), key=lambda log: log.stat().st_mtime
        )
        return logs[-1].read_text()[-2000:] if logs else ""

    def kill(self, name: str) -> None:
        """Kill a node with all its processes at once, as a power cut would."""
        process = self._nodes.pop(name)
        # From the parents to their children, each stopped before its children are listed: none escapes.
        family = [process.pid]
        for member in family:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGSTOP)
                family += children(member)
        for member in family:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        process.wait()

    @property
    def names(self) -> set[str]:
        """The nodes that run."""
        return set(self._nodes)

    def cpu(self) -> float:
        """CPU time of all its processes so far, seconds."""
        return sum(map(cpu, family(*(process.pid for process in self._nodes.values()))))

    def close(self) -> None:
        """End all of it."""
        for name in list(self._nodes):
            self.kill(name)
        shutil.rmtree(self._folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as one, suppress(OSError):
            one.bind(("", port))
            return port


def children(pid: int) -> list[int]:
    """A process's children, of all its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def family(*pids: int) -> Iterator[int]:
    """Processes and their descendants."""
    members = list(pids)
    for member in members:
        members += children(member)
        yield member


def cpu(pid: int, ended: bool = True) -> float:
    """CPU time of a process and of its children that have ended, seconds; 0 once it is gone."""
    try:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, values[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


class Speed(NamedTuple):
    """Of one run: seconds until the first page, then pages a second and CPU seconds a page."""

    start: float
    rate: float
    cpu: float


def measure(source: Path, out: Path, readers: Callable[[], Readers], used: Callable[[], float]) -> Speed:
    """Read a folder; `used` gives the CPU seconds of all processes."""
    seen: list[tuple[float, int, float]] = []

    def watch(totals: Totals) -> None:
        if totals.pages and (not seen or totals.pages > seen[-1][1]):
            seen.append((monotonic(), totals.pages, used()))

    began = monotonic()
    Run(out, (str(source),), NumberOptions()).go(items([str(source)]), readers, watch, threading.Event())
    (first, fewer, before), (last, pages, after) = seen[0], seen[-1]
    return Speed(first - began, (pages - fewer) / (last - first), (after - before) / (pages - fewer))


class Family:
    """CPU time of this process and of all that it has started, directly or not, also of those that are gone.

    Ray kills its workers, whose time then nobody has: what each had used at the last call counts.
    """

    def __init__(self) -> None:
        self._used: dict[int, float] = {}

    def cpu(self) -> float:
        """So far, seconds."""
        for member in family(os.getpid()):
            self._used[member] = max(self._used.get(member, 0.0), cpu(member, ended=False))
        return sum(self._used.values())


def draw_sheets(folder: Path, count: int) -> None:
    """Sheets of 1280 x 720 pixels with eight numbers of three digits."""
    import cv2
    import numpy as np

    from tests.edge.pages import put

    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        digits = arrays["x"], arrays["y"]
    chance = random.Random(5)
    folder.mkdir()
    for number in range(count):
        page = np.full((720, 1280), 220, np.uint8)
        for place in range(8):
            text = "".join(chance.choices("0123456789", k=3))
            put(page, text, digits, 100 + place % 2 * 600, 60 + place // 2 * 170)
        cv2.imwrite(str(folder / f"{number:05}.png"), page)


def main() -> int:
    """Measure, compare and print; 0 if the rows are the same."""
    from kills import rows
    from speed import draw

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="the run starts Ray: no cluster of two nodes")
    parser.add_argument("--of", choices=("strips", "sheets"), default="strips")
    options = parser.parse_args()
    found: dict[str, list[Speed]] = {"local": [], "ray": []}
    wrong = 0
    with ExitStack() as opened:
        place = opened.enter_context(tempfile.TemporaryDirectory())
        cluster = None if options.alone else opened.enter_context(Cluster())
        os.environ.update(ALONE if cluster is None else cluster.environment)
        from digitlens.batch.ray_data import RayReaders

        source = Path(place) / options.of
        (draw if options.of == "strips" else draw_sheets)(source, options.pages)
        pools: list[Pool] = []
        used_so_far = Family()

        def local() -> Readers:
            pools[:] = [Pool(NumberOptions(), options.workers)]
            return pools[0]

        def used() -> float:
            return cpu(os.getpid()) + sum(map(cpu, pools[0].pids))

        def used_by_ray() -> float:
            if cluster is None:
                return used_so_far.cpu()
            return cpu(os.getpid()) + cluster.cpu()

        for turn in range(options.turns):
            out = {engine: Path(place) / f"{engine}{turn}" for engine in found}
            found["local"].append(measure(source, out["local"], local, used))
            found["ray"].append(
                measure(
                    source,
                    out["ray"],
                    lambda: RayReaders(NumberOptions(), options.workers, None if cluster is None else "auto"),
                    used_by_ray,
                )
            )
            tables = {engine: rows(folder, "parquet") for engine, folder in out.items()}
            for table, some in tables["local"].items():
                others = tables["ray"][table]
                wrong += (some - others).total() + (others - some).total()
                print(f"{table}: {some.total()} rows locally, {others.total()} by Ray, {wrong} differ so far")
            for engine, speeds in found.items():
                start, rate, each = speeds[-1]
                print(
                    f"{engine}: first page after {start:.1f} s, {rate:.1f} pages/s, "
                    f"{1000 * each:.2f} ms CPU a page",
                    flush=True,
                )
    best = {engine: max(speed.rate for speed in speeds) for engine, speeds in found.items()}
    least = {engine: min(speed.cpu for speed in speeds) for engine, speeds in found.items()}
    print(
        f"Ray by the pool: rate {best['ray'] / best['local']:.2f}, "
        f"CPU time a page {least['ray'] / least['local']:.2f}"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
