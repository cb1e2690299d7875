"""A run over an archive: items from the sources, through the workers, into the tables."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Protocol

from digitlens.batch import tables, writers
from digitlens.batch.done import Done
from digitlens.batch.feed import Feed
from digitlens.batch.item import Failure, Item
from digitlens.batch.manifest import Lock, Manifest, begin
from digitlens.batch.rows import PageReaderOptions, PageResult, failure
from digitlens.batch.tables import Tables

WAIT = 0.25
"""Time that results are waited for at once, seconds."""
LISTING = 0.02
"""The same while the listing is behind, seconds."""


class Readers(Protocol):
    """What reads documents: the pool of this machine, or Ray's."""

    @property
    def wanted(self) -> int:
        """How many documents more would keep it busy."""

    @property
    def busy(self) -> bool:
        """Whether documents are being read, or wait to be."""

    def add(self, item: Item, begin: int = 1) -> None:
        """Have a document read, from page `begin` on."""

    def results(self, timeout: float) -> Iterator[PageResult]:
        """What has been read, each document's pages in their order; waits at most so many seconds."""

    def close(self) -> None:
        """End it at once."""


@dataclass(slots=True)
class Totals:
    """What a run has done so far; earlier runs have read `before` pages, and `skipped` documents."""

    documents: int = 0
    pages: int = 0
    numbers: int = 0
    failed: int = 0
    before: int = 0
    failed_before: int = 0
    skipped: int = 0
    stopped: bool = False
    started: float = field(default_factory=monotonic)

    def add(self, result: PageResult) -> None:
        """Count a page."""
        self.pages += 1
        self.documents += result.page.last
        self.numbers += result.page.numbers
        self.failed += result.page.error is not None

    @property
    def rate(self) -> float:
        """Pages a second, since the start."""
        return self.pages / max(monotonic() - self.started, 1e-6)


@dataclass(frozen=True, slots=True)
class Run:
    """A run and its options.

    Args:
        folder: of the tables.
        sources: as they are called in the manifest.
        options: of the page reader.
        kind: of the tables, see `writers`.
        part: of the documents, K of N: those whose id's hash says so; None for all.
        shard_seconds: after how many seconds what was read is written.
    """

    folder: Path
    sources: tuple[str, ...]
    options: PageReaderOptions
    kind: str = "parquet"
    part: tuple[int, int] | None = None
    shard_seconds: float = tables.SHARD_SECONDS

    def go(
        self,
        items: Iterator[Item | Failure],
        readers: Callable[[], Readers],
        watch: Callable[[Totals], None],
        stop: threading.Event,
    ) -> Totals:
        """Read all items that are not in the tables yet.

        Args:
            items: to read; listed in another thread.
            readers: opens what reads them.
            watch: called several times a second.
            stop: ends the run; pages that have been read are written, the others left for the next run.

        Raises:
            BatchError: the folder is another run's, it cannot be written, or no worker can be started.
            DependencyError: the tables' format needs a package that is not installed.
        """
        writers.check(self.kind)
        with Lock(self.folder):
            fingerprint = self.options.fingerprint()
            if self.part is not None:
                fingerprint["part"] = "{}/{}".format(*self.part)
            begin(self.folder, Manifest(self.kind, fingerprint, self.sources))
            written = Tables(self.folder, self.kind, seconds=self.shard_seconds)
            done = tables.done(self.folder, self.kind)
            totals = Totals(before=done.pages, failed_before=done.failed)
            feed = Feed(items)
            try:
                self._read(feed, readers(), written, done, totals, watch, stop)
            finally:
                feed.close()
            written.commit()
            watch(totals)
            return totals

    def _read(
        self,
        feed: Feed,
        readers: Readers,
        written: Tables,
        done: Done,
        totals: Totals,
        watch: Callable[[Totals], None],
        stop: threading.Event,
    ) -> None:
        def take(result: PageResult) -> None:
            totals.add(result)
            written.add(result)

        try:
            while not stop.is_set():
                wanted = readers.wanted
                for one in feed.take(wanted):
                    if not self._is_ours(one.id):
                        continue
                    if one.id in done:
                        totals.skipped += 1
                    elif isinstance(one, Failure):
                        take(failure(one.id, one.source, one.reason, done.begin(one.id)))
                    else:
                        readers.add(one, done.begin(one.id))
                if feed.ended and not readers.busy:
                    return
                behind = readers.wanted > 0 and not feed.ended
                for result in readers.results(LISTING if behind else WAIT):
                    take(result)
                written.commit_due()
                watch(totals)
            totals.stopped = True
        finally:
            readers.close()

    def _is_ours(self, name: str) -> bool:
        if self.part is None:
            return True
        one, parts = self.part
        digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") % parts == one - 1
