"""A worker process: takes tasks from a connection, reads them, and sends the results back.

    python -m digitlens.batch.worker CONNECTION PROGRESS

Both are file descriptors: a socket to the pool, and memory shared with it (`Progress`). The pool alone starts
it.
"""

import contextlib
import mmap
import os
import signal
import struct
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from time import monotonic
from typing import NamedTuple

from digitlens.batch.documents import NO_FAULTS, Fault, read_document
from digitlens.batch.item import Item
from digitlens.batch.rows import PageReaderOptions, PageResult
from digitlens.core.errors import DigitLensError, first_line
from digitlens.core.stderr import quiet

SEND_PAGES = 64
"""Pages after which results are sent."""
SEND_AFTER = 0.25
"""Time after which they are sent even so, seconds."""
READY = "ready"
FAILED = "failed"
RESULTS = "results"


class Task(NamedTuple):
    """A document to read from page `begin` on, and its pages that are not tried again."""

    number: int
    item: Item
    begin: int = 1
    faults: Mapping[int, Fault] = NO_FAULTS


class Progress:
    """Which task, page and phase a worker is at, and since when; in memory that outlives the worker.

    Args:
        descriptor: of the memory, SIZE bytes.
    """

    FORMAT = struct.Struct("qqqd")
    SIZE = FORMAT.size
    NOTHING = -1

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, self.SIZE)

    def put(self, task: int, page: int = 0, phase: int = 0) -> None:
        """Say that a task's page is begun."""
        self._memory[:] = self.FORMAT.pack(task, page, phase, monotonic())

    def get(self) -> tuple[int, int, int, float]:
        """Task, page, phase, and the time since when (time.monotonic(), seconds)."""
        task, page, phase, since = self.FORMAT.unpack(self._memory[:])
        return task, page, phase, since

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def run(connection: Connection, progress: Progress) -> None:
    """Read tasks until the connection ends."""
    progress.put(Progress.NOTHING)
    options: PageReaderOptions = connection.recv()
    try:
        with quiet():
            reader = options.open()
    except DigitLensError as error:
        connection.send((FAILED, first_line(error)))
        return
    connection.send((READY, ""))
    ready: list[tuple[int, PageResult]] = []
    while True:
        tasks: list[Task] = connection.recv()
        sent = monotonic()
        for task in tasks:

            def watch(page: int, phase: int, number: int = task.number) -> None:
                progress.put(number, page, phase)

            for result in read_document(task.item, reader, task.begin, task.faults, watch):
                ready.append((task.number, result))
                if len(ready) >= SEND_PAGES or monotonic() - sent >= SEND_AFTER:
                    connection.send((RESULTS, ready))
                    ready, sent = [], monotonic()
        progress.put(Progress.NOTHING)
        if ready:
            connection.send((RESULTS, ready))
            ready = []


def main() -> None:
    """Run until the pool closes the connection, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the pool ends its workers
    import cv2

    cv2.setNumThreads(1)
    connection, progress = Connection(int(sys.argv[1])), Progress(int(sys.argv[2]))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if os.environ.get("DIGITLENS_DEBUG") != "1":  # decoders' own complaints; the tables have the reasons
        os.dup2(nowhere, 2)
    with contextlib.suppress(EOFError, ConnectionError):
        run(connection, progress)


if __name__ == "__main__":
    main()
