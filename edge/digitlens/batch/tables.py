"""The two tables of a run, in shards; each page is in them once, whatever is killed when.

    DIR/numbers/part-000001.parquet    a row a number or field
    DIR/pages/part-000001.parquet      a row a page

A shard of pages is the commit: the numbers' of the same name is on the disk before it gets its name. At the
start a shard of numbers without one of pages is removed, and its pages are read again.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from digitlens.batch import writers
from digitlens.batch.done import Done
from digitlens.batch.rows import TABLES, Columns, PageResult, columns
from digitlens.core.errors import BatchError, reason

SHARD_PAGES = 10_000
"""Pages after which a shard is written."""
SHARD_ROWS = 50_000
"""Rows after which one is written, whatever the pages."""
SHARD_SECONDS = 60.0
"""Time after which one is written: as much work may be lost, seconds."""


class Tables:
    """Writes results into shards; made by one process at a time (`manifest.Lock`).

    Args:
        folder: of the run.
        kind: a format of `writers`.
        pages: after how many pages a shard is written.
        seconds: after how many seconds one is written.
    """

    def __init__(
        self, folder: Path, kind: str, pages: int = SHARD_PAGES, seconds: float = SHARD_SECONDS
    ) -> None:
        self._folder, self._kind, self._most_pages, self._seconds = folder, kind, pages, seconds
        self._results: list[PageResult] = []
        self._rows = 0
        self._since = 0.0
        try:
            for table in TABLES:
                (folder / table).mkdir(parents=True, exist_ok=True)
            self._clean()
        except OSError as error:
            raise BatchError(f"{folder}: {reason(error)}") from error
        names = [path.stem for path in shards(folder, kind, "pages")]
        self._next = max((int(name.rpartition("-")[2]) for name in names), default=0) + 1

    def _clean(self) -> None:
        """Remove what a killed run has left: files without their names, numbers without pages."""
        committed = {path.name for path in shards(self._folder, self._kind, "pages")}
        for table in TABLES:
            for path in (self._folder / table).glob(".part-*.tmp"):
                path.unlink()
        for path in shards(self._folder, self._kind, "numbers"):
            if path.name not in committed:
                path.unlink()

    def add(self, result: PageResult) -> None:
        """Take a page's result; a document's pages come in their order."""
        if not self._results:
            self._since = monotonic()
        self._results.append(result)
        self._rows += len(result.rows)
        if len(self._results) >= self._most_pages or self._rows >= SHARD_ROWS:
            self.commit()

    def commit_due(self) -> None:
        """Write a shard if it is time."""
        if self._results and monotonic() - self._since >= self._seconds:
            self.commit()

    def commit(self) -> None:
        """Write what has come since the last shard, if anything has.

        Raises:
            BatchError: it cannot be written; the shards on the disk stay right.
        """
        if not self._results:
            return
        name = f"part-{self._next:06}.{self._kind}"
        both = columns(self._results)
        temporary = {table: self._folder / table / f".{name}.tmp" for table in TABLES}
        for table, path in temporary.items():
            writers.write(path, self._kind, table, both[table])
        try:
            for table in ("numbers", "pages"):
                temporary[table].rename(self._folder / table / name)
                sync_folder(self._folder / table)
        except OSError as error:
            raise BatchError(f"{self._folder}: cannot be written: {reason(error)}") from error
        self._next += 1
        self._results, self._rows = [], 0


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shards(folder: Path, kind: str, table: str) -> list[Path]:
    """The shards of a table that are written, in their order."""
    return sorted((folder / table).glob(f"part-*.{kind}"))


def each(folder: Path, kind: str, table: str, names: Sequence[str]) -> Iterator[Columns]:
    """Some columns of each committed shard of a table, one shard in memory at a time.

    Raises:
        BatchError: one cannot be read.
    """
    for path in shards(folder, kind, "pages"):
        yield writers.read(folder / table / path.name, kind, table, names)


def done(folder: Path, kind: str) -> Done:
    """The documents that are in the tables, and how far the others are."""
    found = Done()
    for shard in each(folder, kind, "pages", ("id", "page", "last", "error")):
        found.failed += sum(error is not None for error in shard["error"])
        for name, page, last in zip(shard["id"], shard["page"], shard["last"], strict=True):
            found.add(str(name), int(page or 0), bool(last))
    return found
