"""The signals that end a live loop, or have it read its settings again."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """Waits that a signal ends: SIGTERM and Ctrl-C write into a pipe, and a frame is finished first.

    Not a threading.Event: set by a signal's handler in the middle of its own wait(), it may lock itself out.
    """

    def __init__(self) -> None:
        self._pipe, self._end = os.pipe()
        os.set_blocking(self._end, False)
        self._reload = False

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds, or until a signal has come; whether it has."""
        return bool(select.select([self._pipe], [], [], seconds)[0])

    def reload(self) -> bool:
        """Whether SIGHUP has come since this was last asked."""
        asked, self._reload = self._reload, False
        return asked

    @contextmanager
    def signals(self, reload: bool = False) -> Iterator[None]:
        """Take SIGTERM and SIGINT while in here, and SIGHUP if it is to be a `reload`."""

        def tell(number: int, frame: object) -> None:
            os.write(self._end, b"\0")

        def ask(number: int, frame: object) -> None:
            self._reload = True

        before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
        if reload:
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, ask)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._pipe)
            os.close(self._end)
