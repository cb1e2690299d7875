"""The signals that end a live loop, or make it read its settings again."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """Waits that SIGTERM and SIGINT end; the loop finishes its frame first.

    Through a pipe: a threading.Event that a handler sets during its own wait() may deadlock.
    """

    def __init__(self) -> None:
        self._pipe, self._end = os.pipe()
        os.set_blocking(self._end, False)
        self._reload = False

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; True once a signal has arrived."""
        return bool(select.select([self._pipe], [], [], seconds)[0])

    def reload(self) -> bool:
        """Whether SIGHUP has arrived since the last call."""
        if not self._reload:
            return False
        self._reload = False  # after the look: a signal in between has set what is set already
        return True

    @contextmanager
    def signals(self, reload: bool = False) -> Iterator[None]:
        """Handle SIGTERM and SIGINT in this context, and SIGHUP where `reload` is set."""

        def stop(number: int, frame: object) -> None:
            os.write(self._end, b"\0")

        def request_reload(number: int, frame: object) -> None:
            self._reload = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        if reload:
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, request_reload)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._pipe)
            os.close(self._end)
