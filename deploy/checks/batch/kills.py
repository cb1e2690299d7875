"""Kill -9 at random moments, a run over an archive or a part of it: is a page lost, or there twice?

    python deploy/checks/batch/kills.py [--times 100] [--pages 400] [--seed N] [--format F] [--engine ray]

Draws an archive (strips, TIFFs of several pages, a zip, broken files), reads it undisturbed, and then again
and again into new folders, killed at random moments: by turns the `digitlens batch` itself, which is started
again, and one of its workers, which it must replace; with `--engine ray` a node of a cluster of two, with all
its processes, which comes back at once or later. Each finished run's tables are compared with the undisturbed
ones of the pool, row by row, times left out. The exit status is 1 if they differ.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from cluster import Cluster, children  # noqa: E402

from digitlens.batch import tables  # noqa: E402
from digitlens.batch.rows import NUMBERS, PAGES  # noqa: E402
from tests.edge.pages import write  # noqa: E402

TIMES = ("milliseconds",)
"""Columns that differ between runs."""


def draw(folder: Path, pages: int) -> None:
    """An archive of about so many pages."""
    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        digits = arrays["x"], arrays["y"]
    chance = random.Random(7)

    def strip() -> Image.Image:
        text = "".join(chance.choices("0123456789", k=chance.randint(2, 4)))
        return Image.fromarray(write(text, digits, chance.randint(36, 44), 50))

    (folder / "strips").mkdir(parents=True)
    for count in range(pages // 2):
        strip().save(folder / "strips" / f"{count:05}.png")
    for count in range(max(1, pages // 40)):
        first, *others = (strip() for _ in range(10))
        first.save(folder / f"{count:03}.tif", save_all=True, append_images=others)
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        for count in range(pages // 4):
            path = folder / "strips" / f"{count:05}.png"
            archive.write(path, f"box/{count:05}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (folder / "empty.tif").write_bytes(b"")


def rows(folder: Path, kind: str) -> dict[str, Counter[tuple[object, ...]]]:
    """The rows of both tables, and how often each is there."""
    found = {}
    for table, names in (("numbers", NUMBERS), ("pages", PAGES)):
        kept = [name for name in names if name not in TIMES]
        shards = tables.each(folder, kind, table, kept)
        found[table] = Counter(row for shard in shards for row in zip(*shard.values(), strict=True))
    return found


def command(source: Path, out: Path, kind: str, engine: str) -> list[str]:
    """A run that commits often."""
    return [
        *(sys.executable, "-m", "digitlens", "batch", str(source), "--out", str(out)),
        *("--workers", "2", "--format", kind, "--commit", "0.3"),
        *(("--engine", "ray", "--address", "auto") if engine == "ray" else ()),
    ]


Strike = Callable[[int], str]
"""Kills a part of the run with a process id; what it was, "" if there was none."""


def strike_worker(chance: random.Random) -> Strike:
    """Kills one of a run's workers."""

    def strike(pid: int) -> str:
        victims = children(pid)
        if not victims:
            return ""
        try:
            os.kill(chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return ""
        return "worker"

    return strike


def strike_node(chance: random.Random, cluster: Cluster) -> Strike:
    """Kills the node that the run itself is not on; it comes back at once, or at its next turn."""

    def strike(_: int) -> str:
        if "node" not in cluster.names:
            cluster.start("node")
            return ""
        cluster.kill("node")
        if chance.random() < 0.5:
            cluster.start("node")
        return "node"

    return strike


def killed_run(
    one: list[str], chance: random.Random, strike: Strike, kills: Counter[str], times: int, seconds: float
) -> int:
    """One run into a new folder, killed until it is through or there were so many kills; its exit status.

    `seconds` is what an undisturbed run takes.
    """
    while True:
        with subprocess.Popen(one, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            is_run = chance.random() < 0.5
            while process.poll() is None and kills.total() < times:
                try:
                    process.wait(chance.uniform(0, seconds * (0.7 if is_run else 0.2)))
                except subprocess.TimeoutExpired:
                    if is_run:
                        process.kill()
                        kills["run"] += 1
                        break
                    what = strike(process.pid)
                    if what:
                        kills[what] += 1
                        is_run = chance.random() < 0.3
            errors = process.communicate()[1]
            if process.returncode != -signal.SIGKILL:
                if process.returncode not in (0, 1) or "digitlens: " in errors or "Traceback" in errors:
                    sys.stderr.write(errors)
                    return 2
                return process.returncode


def main() -> int:
    """Read, kill, compare; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--format", default="parquet")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT / "edge")
    chance = random.Random(options.seed)
    kills: Counter[str] = Counter()
    started = monotonic()
    wrong = runs = 0
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        source, out = Path(place) / "archive", Path(place) / "out"
        draw(source, options.pages)

        def timed(one: list[str]) -> tuple[int, float]:
            began = monotonic()
            status = subprocess.run(
                one, check=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            ).returncode
            return status, monotonic() - began

        status, seconds = timed(command(source, out, options.format, "local"))
        wanted = rows(out, options.format)
        strike = strike_worker(chance)
        print(
            f"undisturbed: {wanted['pages'].total()} pages, {wanted['numbers'].total()} rows, "
            f"status {status}, {seconds:.0f} s"
        )
        one = command(source, out, options.format, options.engine)
        if options.engine == "ray":
            cluster = stack.enter_context(Cluster())
            os.environ.update(cluster.environment)
            strike = strike_node(chance, cluster)
            shutil.rmtree(out)
            status, seconds = timed(one)
            print(f"by Ray: {seconds:.0f} s", flush=True)
        while kills.total() < options.times and not wrong:
            shutil.rmtree(out)
            again = killed_run(one, chance, strike, kills, options.times, seconds)
            runs += 1
            found = rows(out, options.format)
            for table in wanted:
                missing, more = wanted[table] - found[table], found[table] - wanted[table]
                wrong += missing.total() + more.total()
                for what, some in (("missing", missing), ("too many", more)):
                    for row in list(some)[:5]:
                        print(f"{table}: {what}: {row}")
            wrong += again != status
            print(
                f"run {runs}: {dict(kills)} kills so far, {monotonic() - started:.0f} s, {wrong} wrong",
                flush=True,
            )
    print(f"{kills.total()} kills (seed {options.seed}) in {runs} runs: {wrong} rows wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
