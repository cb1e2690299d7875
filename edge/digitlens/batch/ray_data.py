"""The readers of `--engine ray`: Ray Data hands the documents to workers on all machines of a cluster."""

import logging
import os
import pickle
import queue
import threading
from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import Any

import msgspec

from digitlens.batch.item import Item
from digitlens.batch.pool import PAGE_SECONDS, Pool
from digitlens.batch.rows import PageReaderOptions, PageResult, failure
from digitlens.core.errors import BatchError, DependencyError, DigitLensError, first_line
from digitlens.core.stderr import quiet

try:
    import ray
    import ray.data
except ImportError as error:
    raise DependencyError("--engine ray needs Ray: pip install 'digitlens[ray]'") from error

WAVE = 20_000
"""Documents of one dataset at most; the workers load their models once a dataset."""
WAVE_BYTES = 256 << 20
"""Content that documents bring along into one dataset, at most about so many bytes."""
BATCH = 64
"""Documents that a worker takes at once, at most: Ray's own work for each batch is some 20 ms."""
TURNS = 8
"""Batches that each worker takes at least, where there are enough documents, so that all end together."""
ATTEMPTS = 3
"""Datasets that may end without a document's result before it is given up."""
SETTLED = 1.0
"""Time without new documents after which a dataset begins with the ones at hand, seconds."""


class RayReaders:
    """Reads documents by Ray Data, in datasets one after the other.

    Each of its actors has a pool of one worker process, so that a page which ends or blocks a worker is tried
    again and given up as without Ray. What a lost machine had is read again by Ray; a result that comes twice
    is dropped, and one that does not come is asked for in the next dataset.

    Args:
        options: of the page reader.
        workers: of the cluster.
        address: of the cluster; None starts one here.
        page_seconds: time that a page may take, seconds.
    """

    def __init__(
        self,
        options: PageReaderOptions,
        workers: int,
        address: str | None = None,
        page_seconds: float = PAGE_SECONDS,
    ) -> None:
        self._options, self._workers, self._page_seconds = options, workers, page_seconds
        self._queue: deque[tuple[int, Item, int]] = deque()
        self._asked: dict[int, tuple[Item, int]] = {}
        self._attempts: dict[int, int] = {}
        self._results: queue.SimpleQueue[list[tuple[int, bytes]] | BaseException | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._numbers = self._fruitless = self._bytes = 0
        self._added = monotonic()
        self._closed = False
        self._ours = not ray.is_initialized()
        if os.environ.get("DIGITLENS_DEBUG") != "1":
            _hush()
        if self._ours:
            try:
                # A cluster of our own gets as many cores as there are workers.
                own = {"num_cpus": workers} if address is None else {"address": address}
                with quiet():
                    ray.init(
                        log_to_driver=False,
                        logging_level="ERROR",
                        include_dashboard=False if address is None else None,
                        **own,
                    )
            except Exception as error:
                raise BatchError(f"Ray at {address or 'this machine'}: {first_line(error)}") from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # asked for again in the next dataset

    @property
    def wanted(self) -> int:
        """How many documents more would fill the next dataset."""
        return max(0, WAVE - len(self._queue)) if self._bytes < WAVE_BYTES else 0

    @property
    def busy(self) -> bool:
        """Whether documents are being read, or wait to be."""
        return bool(self._queue or self._asked)

    def add(self, item: Item, begin: int = 1) -> None:
        """Have a document read, from page `begin` on."""
        self._queue.append((self._numbers, item.absolute(), begin))
        self._numbers += 1
        self._bytes += len(item.data or b"")
        self._added = monotonic()

    def results(self, timeout: float) -> Iterator[PageResult]:
        """What has been read since; waits at most so many seconds.

        Raises:
            BatchError: datasets end without any result.
        """
        is_due = not self.wanted or monotonic() - self._added > SETTLED
        if self._thread is None and self._queue and is_due:
            self._start()
        try:
            got = self._results.get(timeout=timeout)
        except queue.Empty:
            return
        if isinstance(got, list):
            for number, content in got:
                if self._asked.pop(number, None) is None:
                    continue  # a lost machine's, which came twice
                self._fruitless = 0
                yield from msgspec.msgpack.decode(content, type=list[PageResult])
            return
        self._thread = None
        yield from self._left(got)

    def _start(self) -> None:
        wave = [self._queue.popleft() for _ in range(min(WAVE, len(self._queue)))]
        self._bytes = 0
        self._asked = {number: (item, begin) for number, item, begin in wave}
        # What a dataset has ended without is asked for alone, so that it takes nothing else along.
        is_again = any(number in self._attempts for number in self._asked)
        size = 1 if is_again else max(1, min(BATCH, len(wave) // (self._workers * TURNS)))
        rows = [{"document": pickle.dumps(one)} for one in wave]
        self._thread = threading.Thread(target=self._run, args=(rows, size), name="ray", daemon=True)
        self._thread.start()

    def _run(self, rows: list[dict[str, bytes]], size: int) -> None:
        try:
            blocks = max(1, min(len(rows), -(-len(rows) // size)))
            most = min(self._workers, blocks)
            data = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
                _Documents,
                fn_constructor_args=(self._options, self._page_seconds),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
                batch_size=size,
                num_cpus=1,
            )
            for batch in data.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
                if self._closed:
                    return
                self._results.put(
                    [
                        (int(number), bytes(content))
                        for number, content in zip(batch["number"], batch["results"], strict=True)
                    ]
                )
        except BaseException as error:  # raised, or tried again, where it is waited for
            self._results.put(error)
        else:
            self._results.put(None)

    def _left(self, error: BaseException | None) -> Iterator[PageResult]:
        """Ask again for what a dataset has ended without, or give it up."""
        if error is not None:
            self._fruitless += 1
            if self._fruitless >= ATTEMPTS:
                raise BatchError(f"Ray ends without results: {_reason(error)}") from error
        for number, (item, begin) in self._asked.items():
            self._attempts[number] = self._attempts.get(number, 0) + 1
            if self._attempts[number] < ATTEMPTS:
                self._queue.appendleft((number, item, begin))
            else:
                yield failure(item.id, item.source, f"Ray has lost it {ATTEMPTS} times", begin)
        self._asked = {}
        self._added = 0.0

    def close(self) -> None:
        """End it at once; a cluster that was started here, too."""
        self._closed = True
        if self._ours:
            ray.shutdown()


class _Documents:
    """Ray's actor: a pool of one worker."""

    def __init__(self, options: PageReaderOptions, page_seconds: float) -> None:
        self._pool = Pool(options, 1, page_seconds)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Documents -> for each, its number and its pages' results."""
        numbers: list[int] = []
        for content in batch["document"]:
            number, item, begin = pickle.loads(content)  # noqa: S301  # made by this run
            numbers.append(number)
            self._pool.add(item, begin)
        documents: list[list[PageResult]] = [[]]
        while self._pool.busy:
            for result in self._pool.results(1.0):  # one worker: the documents come in their order
                documents[-1].append(result)
                if result.page.last:
                    documents.append([])
        return {
            "number": numbers,
            "results": [msgspec.msgpack.encode(results) for results in documents[:-1]],
        }


def _hush() -> None:
    """Keep what Ray says by itself off the terminal; its logs have it, and our rows the reasons."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)


def _reason(error: BaseException) -> str:
    """What the innermost cause that says something says, in a line: Ray puts the worker's own error last."""
    found = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DigitLensError):
            return first_line(cause)
        if str(cause).strip():
            found = str(cause).strip().splitlines()[-1]
        cause = cause.__cause__
    return found
