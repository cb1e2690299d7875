"""Kill -9 a run over an archive at random moments, a thousand times: do its tables stay right?

    TMPDIR=/dev/shm python deploy/checks/batch/commits.py [--times 1000] [--seed N] [--format jsonl]

The quick companion of kills.py: the run is real, its tables, manifest and lock are, but it reads in its own
process by a page reader without a model, in a fork of this one, so that a kill costs milliseconds. It writes
a shard whenever it can. After every kill the tables must hold no page twice, and no pages without their
numbers; when a run is through, they must equal an undisturbed run's, row by row. A disk that syncs slowly
makes it slow.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.batch.tables import shards  # noqa: E402
from tests.edge.batch.archive import FAILS, picture, read, table  # noqa: E402


def draw(folder: Path) -> None:
    """200 pages: pictures, TIFFs of several pages, one that fails, one that is broken."""
    for count in range(120):
        picture(folder / f"{count:03}.png", count)
    for count in range(8):
        picture(folder / f"many{count}.tif", *range(count, count + 10))
    picture(folder / "fails.png", FAILS)
    (folder / "broken.png").write_bytes(b"no picture")


def rows(out: Path, kind: str) -> dict[str, Counter[str]]:
    """The rows of both tables, times left out, and how often each is there."""
    found = {}
    for name in ("numbers", "pages"):
        each = table(out, name, kind)
        found[name] = Counter(str({key: row[key] for key in row if key != "milliseconds"}) for row in each)
    return found


def start(source: Path, out: Path, kind: str) -> int:
    """A run in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            read(out, source, kind=kind)
            status = 0
        finally:
            os._exit(status)
    return child


def main() -> int:
    """Kill and compare; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--format", default="jsonl")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    pause = threading.Event()
    kills = through = torn = 0
    with tempfile.TemporaryDirectory() as place:
        source, out = Path(place) / "archive", Path(place) / "out"
        draw(source)
        began = monotonic()
        os.waitpid(start(source, out, options.format), 0)
        seconds = monotonic() - began
        wanted = rows(out, options.format)
        shutil.rmtree(out)
        while kills < options.times:
            child = start(source, out, options.format)
            pause.wait(chance.uniform(0, seconds / 2))
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            if os.WIFEXITED(status):  # it was faster
                found = rows(out, options.format)
                if os.WEXITSTATUS(status) or found != wanted:
                    print(f"wrong after {kills} kills (seed {options.seed}): status {status}")
                    for name in wanted:
                        print(name, list((wanted[name] - found[name]) + (found[name] - wanted[name]))[:5])
                    return 1
                through += 1
                shutil.rmtree(out)
                continue
            kills += 1
            numbers, pages = (
                {path.name for path in shards(out, options.format, name)} for name in ("numbers", "pages")
            )
            torn += len(numbers - pages)
            if pages - numbers or any(count > 1 for count in rows(out, options.format)["pages"].values()):
                print(f"torn after {kills} kills (seed {options.seed}): {pages - numbers}")
                return 1
        os.waitpid(start(source, out, options.format), 0)
        found = rows(out, options.format)
    right = found == wanted
    print(
        f"{kills} kills (seed {options.seed}), {through} runs through, {torn} shards of numbers without "
        f"their pages, all removed again; the last run is {'right' if right else 'wrong'}"
    )
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
