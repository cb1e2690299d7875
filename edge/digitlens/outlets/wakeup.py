"""A pipe that wakes a thread which waits on descriptors."""

import os
import select
from contextlib import suppress
from time import monotonic


class Wakeup:
    """`wake` may be called from any thread; the waiting thread polls `fileno()` among other descriptors."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """The descriptor that can be read once `wake` was called."""
        return self._read

    def wake(self) -> None:
        """Wake the waiting thread, or keep it from its next wait."""
        with suppress(BlockingIOError):  # full: the thread will wake up
            os.write(self._write, b"\0")

    def clear(self) -> None:
        """Wait again from now on."""
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def wait(self, seconds: float) -> float:
        """Wait so many seconds, or until woken; returns the seconds that are left."""
        until = monotonic() + seconds
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if poll.poll(seconds * 1000):
            self.clear()
        return max(0.0, until - monotonic())

    def close(self) -> None:
        """Close both ends, once the thread has ended."""
        os.close(self._read)
        os.close(self._write)
