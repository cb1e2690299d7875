"""The pool: worker processes that read documents; one that dies is replaced, its pages are tried again."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic

from digitlens.batch.documents import DOING, Fault
from digitlens.batch.item import Item
from digitlens.batch.rows import PageReaderOptions, PageResult
from digitlens.batch.worker import FAILED, READY, Progress, Task
from digitlens.core.errors import BatchError

MOST_TASKS = 64
"""Most tasks that are handed to a worker at once."""
MOST_BYTES = 32 << 10
"""Most that is handed to a worker which has tasks left: more might not fit into the socket while the worker
is itself sending; in bytes."""
HANDED = 0.5
"""Time for which a worker is handed tasks at once, about, seconds."""
ATTEMPTS = 3
"""Workers that may die of a page before it is given up."""
MOST_STARTS = 20
"""Workers that may die in succession before any has loaded its models."""
PAGE_SECONDS = 300.0
"""Time that a page may take, seconds."""


class Pool:
    """Reads documents in worker processes, each with a page reader and one thread.

    Args:
        options: of the page reader.
        workers: how many.
        page_seconds: time that a page may take before its worker is killed, seconds.
        clock: the workers' time.monotonic.
    """

    def __init__(
        self,
        options: PageReaderOptions,
        workers: int,
        page_seconds: float = PAGE_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._options, self._page_seconds, self._clock = options, page_seconds, clock
        self._queue: deque[Task] = deque()
        self._numbers = 0
        self._deaths: Counter[tuple[int, int, int]] = Counter()
        self._failed_starts = 0
        self._seconds = 0.05  # of a task, as measured; the first tasks are few
        self._workers = [_Worker(options) for _ in range(workers)]
        self.deaths = 0

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def wanted(self) -> int:
        """How many documents more would keep the workers busy."""
        return max(0, 2 * len(self._workers) * self._chunk() - len(self._queue))

    @property
    def busy(self) -> bool:
        """Whether documents are being read, or wait to be."""
        return bool(self._queue) or any(worker.tasks for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [worker.process.pid for worker in self._workers]

    def add(self, item: Item, begin: int = 1) -> None:
        """Have a document read, from page `begin` on."""
        self._queue.append(Task(self._numbers, item, begin))
        self._numbers += 1

    def results(self, timeout: float) -> Iterator[PageResult]:
        """Hand tasks out, and what has come of them; waits at most so many seconds for the first.

        Raises:
            BatchError: no worker can be started.
        """
        for worker in self._workers:
            self._hand(worker)
        connections = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(connections), timeout):
            worker = connections[connection]  # type: ignore[index]
            try:
                kind, content = worker.connection.recv()
            except Exception as error:  # the end, or half a message of one that died sending
                self._replace(worker, "" if isinstance(error, (EOFError, OSError)) else str(error))
                continue
            if kind == FAILED:
                raise BatchError(content)
            if kind == READY:
                worker.ready, self._failed_starts = True, 0
                continue
            yield from self._taken(worker, content)
            self._hand(worker)
        self._stop_stuck()

    def _taken(self, worker: "_Worker", content: list[tuple[int, PageResult]]) -> Iterator[PageResult]:
        for number, result in content:
            task = worker.tasks[0]
            if task.number != number:
                raise BatchError(f"a worker answers task {number}, and not {task.number}")
            if result.page.last:
                worker.tasks.popleft()
                now = monotonic()
                took = now - worker.since
                worker.since = now
                self._seconds += (took - self._seconds) * 0.05
            else:
                worker.tasks[0] = task._replace(begin=result.page.page + 1)
            yield result

    def _chunk(self) -> int:
        return min(MOST_TASKS, max(1, int(HANDED / max(self._seconds, 1e-4))))

    def _hand(self, worker: "_Worker") -> None:
        """Give a worker tasks before it has none left."""
        chunk = self._chunk()
        if not worker.ready or len(worker.tasks) > chunk // 2:
            return
        tasks: list[Task] = []
        size = 0
        while self._queue and len(tasks) < chunk:
            item = self._queue[0].item
            size += len(item.id) * 4 + len(item.source) * 4 + len(item.file) * 4 + len(item.data or b"") + 200
            if size > MOST_BYTES and (tasks or worker.tasks):
                break
            tasks.append(self._queue.popleft())
        if not tasks:
            return
        if not worker.tasks:
            worker.since = monotonic()
        worker.tasks.extend(tasks)
        try:
            worker.connection.send(tasks)
        except OSError:  # it has died: results() finds that out
            worker.ready = False

    def _replace(self, worker: "_Worker", reason: str) -> None:
        """Start another worker in the place of one that has died, and have its tasks read again."""
        at, page, phase, _ = worker.progress.get()
        ended = worker.end()
        self.deaths += 1
        if not worker.ready and not worker.tasks:
            self._failed_starts += 1
            if self._failed_starts >= MOST_STARTS:
                raise BatchError(
                    f"workers end before they have begun ({reason or ended}): is there memory left?"
                )
        late = worker.late == (at, page, phase)  # and has not gone on before it was killed
        for task in reversed(worker.tasks):
            died_of = task.number == at
            self._queue.appendleft(self._tried(task, page, phase, late, ended) if died_of else task)
        self._workers[self._workers.index(worker)] = _Worker(self._options)

    def _tried(self, task: Task, page: int, phase: int, late: bool, ended: str) -> Task:
        """The task that a worker has died of, with a fault at its page if that was the last attempt."""
        key = task.number, page, phase
        self._deaths[key] += 1
        if late:
            reason = f"{DOING[phase]} it takes longer than {self._page_seconds:g} s"
        elif self._deaths[key] >= ATTEMPTS:
            reason = f"{DOING[phase]} it has ended {ATTEMPTS} workers ({ended})"
        else:
            return task
        del self._deaths[key]
        return task._replace(faults={**task.faults, page: Fault(phase, reason)})

    def _stop_stuck(self) -> None:
        """Kill workers that have been at one page for too long."""
        now = self._clock()
        for worker in self._workers:
            at, page, phase, since = worker.progress.get()
            if at != Progress.NOTHING and now - since > self._page_seconds and worker.late is None:
                worker.late = at, page, phase
                worker.process.kill()

    def close(self) -> None:
        """End the workers at once."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.end()


class _Worker:
    """A worker process, and the tasks that it was handed and has not finished."""

    def __init__(self, options: PageReaderOptions) -> None:
        ours, theirs = socket.socketpair()
        memory = os.memfd_create("progress")
        os.truncate(memory, Progress.SIZE)
        self.progress = Progress(memory)
        self.progress.put(Progress.NOTHING)
        # One thread each: the pool has as many workers as it wants threads.
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        paths = os.pathsep.join(str(Path(path or ".").absolute()) for path in sys.path)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", "digitlens.batch.worker", str(theirs.fileno()), str(memory)],
                pass_fds=(theirs.fileno(), memory),
                env={**os.environ, **one, "PYTHONPATH": paths},
            )
        os.close(memory)
        self.connection = Connection(ours.detach())
        self.tasks: deque[Task] = deque()
        self.ready = False
        self.late: tuple[int, int, int] | None = None  # where it was stuck
        self.since = monotonic()
        self.connection.send(options)

    def end(self) -> str:
        """Take leave of a worker that has ended or will at once; how it ended."""
        self.connection.close()
        self.progress.close()
        if self.process.poll() is None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        status = self.process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"
