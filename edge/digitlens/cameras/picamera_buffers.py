"""A camera's buffers, lent to whoever looks at the pictures in them."""

import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

MOST = 2
"""Buffers that are lent at once: the frame that is shown and the one that is read."""


class Lender:
    """Gives pictures out without a copy, and their buffers back to the camera when nobody has them.

    A frame lives as long as somebody needs it: frozen, saved, shown while its camera is lost. A camera that
    waits for its buffers starves, and one that takes them back writes into a picture that is being read. So
    a buffer is given back when the last array that looks into it is gone; whoever keeps more than MOST
    pictures is handed copies, and the camera always has buffers to fill.
    """

    def __init__(self) -> None:
        self._lent = 0
        self._back: deque[_Loan] = deque()  # its two ends are safe between threads without a lock

    def lend(self, mapped: AbstractContextManager[Any], release: Callable[[], None]) -> Pixels:
        """The buffer's bytes, (n,) uint8; to be called, as `collect`, by one thread at a time.

        Args:
            mapped: gives an object whose `array` are the bytes, good until it ends.
            release: gives the buffer back to the camera.
        """
        loan = _Loan(mapped, release)
        try:
            memory = memoryview(mapped.__enter__().array).cast("B")
            # Over a memoryview numpy makes an owner: all arrays that are cut from it refer to it.
            data = np.frombuffer(memory, np.uint8)
            if self._lent >= MOST:
                data = data.copy()
        except BaseException:
            release()
            raise
        if self._lent >= MOST:
            memory.release()
            loan.end()
            return data
        self._lent += 1
        # Only noted there: it may be run inside any call, with any lock held.
        weakref.finalize(data, self._back.append, loan).atexit = False
        return data

    def collect(self) -> None:
        """Give back the buffers that nobody looks into any more."""
        while self._back:
            loan = self._back.popleft()
            self._lent -= 1
            loan.end()


class _Loan:
    def __init__(self, mapped: AbstractContextManager[Any], release: Callable[[], None]) -> None:
        self._mapped, self._release = mapped, release

    def end(self) -> None:
        self._mapped.__exit__(None, None, None)
        self._release()
