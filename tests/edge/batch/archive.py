"""A small archive to read, and page readers that the tests hand to the workers."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image

from digitlens.batch import tables
from digitlens.batch.documents import read_document
from digitlens.batch.item import Item
from digitlens.batch.pool import Pool
from digitlens.batch.rows import NUMBERS, PAGES, PageReaderOptions, PageResult, Row
from digitlens.batch.run import Readers, Run, Totals
from digitlens.batch.sources import items
from digitlens.core.arrays import Pixels
from digitlens.core.errors import ModelError

SIZE = 8
"""Side of a page, whose gray says what becomes of it, in pixels."""
ENDS, FAILS, STICKS = 255, 254, 253


@dataclass(frozen=True)
class GrayOptions:
    """A page reader without a model: a page's number is its gray; some grays end, fail or block."""

    broken: bool = False
    stuck: Path | None = None

    def open(self) -> "GrayReader":
        if self.broken:
            raise ModelError("gray.tflite: no such model")
        return GrayReader(self.stuck)

    def fingerprint(self) -> dict[str, str]:
        return {"model": "gray"}


class GrayReader:
    color = False

    def __init__(self, stuck: Path | None = None) -> None:
        self._stuck = stuck  # is made when a page blocks

    def __call__(self, image: Pixels) -> list[Row]:
        gray = int(image[0, 0])
        if gray == ENDS:
            os.kill(os.getpid(), signal.SIGKILL)
        if gray == STICKS and self._stuck is not None:
            self._stuck.touch()
            threading.Event().wait()
        if gray == FAILS:
            raise ValueError("no digits\nat all")
        return [Row(None, str(gray), float(gray), gray / 255, 1, 2, 3, 4, "read", None)]


class Direct:
    """Reads in this process, a document at a time."""

    def __init__(self, options: PageReaderOptions) -> None:
        self._reader = options.open()
        self._queue: deque[tuple[Item, int]] = deque()
        self.wanted = 1

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    def add(self, item: Item, begin: int = 1) -> None:
        self._queue.append((item, begin))

    def results(self, timeout: float) -> Iterator[PageResult]:
        if self._queue:
            item, begin = self._queue.popleft()
            yield from read_document(item, self._reader, begin)

    def close(self) -> None:
        self._queue.clear()


def picture(path: Path, *grays: int) -> Path:
    """A PNG, or a TIFF with a page a gray."""
    pages = [Image.fromarray(np.full((SIZE, SIZE), gray, np.uint8)) for gray in grays]
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(pages) == 1:
        pages[0].save(path)
    else:
        pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


def read(
    out: Path,
    *sources: Path,
    options: PageReaderOptions | None = None,
    kind: str = "jsonl",
    workers: int = 0,
    clock: Callable[[], float] = monotonic,
    stop_after: int | None = None,
    part: tuple[int, int] | None = None,
) -> Totals:
    """Read the sources into `out`; without workers in this process.

    After `stop_after` pages it is stopped as by a signal.
    """
    what = options or GrayOptions()

    def readers() -> Readers:
        return Pool(what, workers, clock=clock) if workers else Direct(what)

    stop = threading.Event()

    def watch(totals: Totals) -> None:
        if stop_after is not None and totals.pages >= stop_after:
            stop.set()

    run = Run(out, tuple(map(str, sources)), what, kind, part, shard_seconds=0.0)
    return run.go(items([*map(str, sources)]), readers, watch, stop)


def table(out: Path, name: str, kind: str = "jsonl") -> list[dict[str, object]]:
    """A table's rows, sorted by document and page."""
    columns = {"numbers": NUMBERS, "pages": PAGES}[name]
    rows = [
        dict(zip(shard, row, strict=True))
        for shard in tables.each(out, kind, name, list(columns))
        for row in zip(*shard.values(), strict=True)
    ]
    return sorted(rows, key=lambda row: (str(row["id"]), row["page"]))


def texts(out: Path) -> list[tuple[str, object, object]]:
    """File name, page, and the number or the reason, of each row."""
    return [
        (Path(str(row["id"])).name, row["page"], row["text"] or row["reason"])
        for row in table(out, "numbers")
    ]
