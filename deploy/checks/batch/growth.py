"""Where a run over an archive meets its next limit: what everything but reading takes, part by part.

    python deploy/checks/batch/growth.py [--documents 20000] [--whole 1000 10000 100000]

For the parts that one process does, whatever the number of workers: listing (a folder, a manifest), knowing
the documents that are done, writing the tables. CPU time, so that a busy machine changes little.

With --whole the whole run instead, with pages of 8 x 8 pixels that take no model to read: listing, two
workers, tables, the manifest; then once more, when nothing is left to read, and the report. CPU time of all
processes, and the most memory of this one and of a worker; speed.py has the same with strips and the models.
"""

import argparse
import json
import resource
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from speed import cpu, peak  # noqa: E402

from digitlens.batch import tables  # noqa: E402
from digitlens.batch.done import WIDTH, Done  # noqa: E402
from digitlens.batch.pool import Pool  # noqa: E402
from digitlens.batch.report import write_report  # noqa: E402
from digitlens.batch.rows import Page, PageResult, Row  # noqa: E402
from digitlens.batch.run import Run, Totals  # noqa: E402
from digitlens.batch.sources import items  # noqa: E402
from digitlens.batch.survey import survey  # noqa: E402
from digitlens.batch.tables import Tables  # noqa: E402
from tests.edge.batch.archive import GrayOptions, picture  # noqa: E402

NUMBERS = 20
"""Numbers of a page, as of a form or a table."""


def timed(what: str, count: int, work: Callable[[], object]) -> object:
    """Do it, and print how long each of so many takes."""
    before = process_time()
    found = work()
    each = (process_time() - before) / count
    print(f"{what}: {each * 1e6:.1f} µs each, {1 / each:,.0f} a second", flush=True)
    return found


def grays(folder: Path, documents: int) -> Path:
    """So many pictures of 8 x 8 pixels, a thousand a folder."""
    source = folder / f"grays{documents}"
    content = picture(folder / "gray.png", 5).read_bytes()
    for number in range(documents):
        place = source / f"{number // 1000:05}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"{number:08}.png").write_bytes(content)
    return source


def used() -> float:
    """CPU seconds so far, of this process and of its children that have ended."""
    return cpu(resource.RUSAGE_SELF) + cpu(resource.RUSAGE_CHILDREN)


def read(source: Path, out: Path) -> tuple[float, int]:
    """CPU seconds of a run with two workers, and a worker's peak memory in MiB."""
    pools: list[Pool] = []
    workers = [0]

    def pool() -> Pool:
        pools.append(Pool(GrayOptions(), 2))
        return pools[0]

    def watch(_: Totals) -> None:
        workers[0] = max(workers[0], *map(peak, pools[0].pids))

    before = used()
    Run(out, (str(source),), GrayOptions()).go(items([str(source)]), pool, watch, threading.Event())
    return used() - before, workers[0]


def whole(folder: Path, counts: list[int]) -> None:
    """Runs over more and more documents."""
    seconds = []
    for count in counts:
        source, out = grays(folder, count), folder / f"whole{count}"
        first, worker = read(source, out)
        again, _ = read(source, out)
        before = used()
        write_report(out)
        report = used() - before
        seconds.append(first)
        size = sum(path.stat().st_size for path in out.glob("*/part-*"))
        print(
            f"{count:>7} documents, {tables.done(out, 'parquet').pages} pages in the tables: "
            f"{first:.1f} s CPU, {1e3 * first / count:.3f} ms a page; "
            f"again {again:.1f} s, report {report:.1f} s; "
            f"{size / count:.0f} bytes a page, peak {peak('self')} MiB here, {worker} MiB a worker",
            flush=True,
        )
    if len(counts) > 1:
        print(f"R² of the CPU seconds by documents: {np.corrcoef(counts, seconds)[0, 1] ** 2:.4f}")


def run(folder: Path, documents: int) -> None:
    """A run with one worker, whose pages cost nothing to read, over so many documents."""
    source = grays(folder, documents)
    one = Run(folder / f"run{documents}", (str(source),), GrayOptions())
    one.go(items([str(source)]), lambda: Pool(GrayOptions(), 1), lambda totals: None, threading.Event())


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--whole", type=int, nargs="+", metavar="DOCUMENTS")
    options = parser.parse_args()
    count: int = options.documents
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if options.whole:
            whole(folder, sorted(options.whole))
            return 0
        (folder / "scans").mkdir()
        for number in range(count):
            (folder / "scans" / f"{number:08}.png").touch()
        names = [f"s3://archive/box/{number:08}.png" for number in range(count)]
        listing = folder / "list.jsonl"
        listing.write_text("".join(json.dumps({"path": name}) + "\n" for name in names))
        run(folder, 100)  # imports what it needs
        timed(
            "list, hand out, receive and write a page of 1 number",
            count // 10,
            lambda: run(folder, count // 10),
        )
        timed("list a file of a folder", count, lambda: sum(1 for _ in items([str(folder / "scans")])))
        timed("list a line of a manifest", count, lambda: sum(1 for _ in items([str(listing)])))
        done = Done()

        def add() -> None:
            for name in names:
                done.add(name, 1, True)

        timed("remember a document that is done", count, add)
        timed("look one up", count, lambda: sum(name in done for name in names))
        print(f"  {WIDTH} bytes each")
        rows = [
            Row(
                None,
                f"{number:06}",
                float(number),
                0.987654 - number / 100,
                10 * number,
                20,
                90,
                40,
                "read",
                None,
            )
            for number in range(NUMBERS)
        ]
        out = folder / "out"
        written = Tables(out, "parquet", seconds=1e9)

        def write() -> None:
            for name in names:
                page = Page(name, name, 1, True, NUMBERS, 123.456, 2480, 3508, 345_678, None)
                written.add(PageResult(page, rows))
            written.commit()

        timed(f"write a page of {NUMBERS} numbers", count, write)
        size = sum(path.stat().st_size for path in out.glob("*/*"))
        print(f"  {size / count:.0f} bytes a page (these numbers repeat; real ones take more)")
        timed("go on: read a page's record", count, lambda: tables.done(out, "parquet"))
        (out / "manifest.json").write_text('{"format":"parquet","fingerprint":{},"sources":[]}')
        timed("report on a page", count, lambda: survey(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
