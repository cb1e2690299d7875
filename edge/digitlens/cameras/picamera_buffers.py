"""A camera's buffers, lent as arrays and given back when no array uses them."""

import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from digitlens.core.arrays import Pixels

MAX_LENT = 2
"""Buffers that are lent at once, a count: the frame that is shown and the one that is read."""


class Lender:
    """Hands out pictures without a copy, and gives their buffers back to the camera when nobody has them.

    A frame lives as long as somebody needs it: frozen, saved, shown while its camera is lost. A camera that
    waits for its buffers starves, and one that takes them back writes into a picture that is being read. So
    a buffer is given back when the last array over it is gone; beyond MAX_LENT pictures are copies, and the
    camera always has buffers to fill.
    """

    def __init__(self) -> None:
        self._lent = 0
        self._returned: deque[_Loan] = deque()  # its two ends are safe between threads without a lock

    def lend(self, mapped: AbstractContextManager[Any], release: Callable[[], None]) -> Pixels:
        """The buffer's bytes, (n,) uint8; call this and `collect` from one thread at a time.

        Args:
            mapped: a context whose object has the bytes as `array`, valid until it ends.
            release: gives the buffer back to the camera.
        """
        loan = _Loan(mapped, release)
        try:
            memory = memoryview(mapped.__enter__().array).cast("B")
            # Over a memoryview numpy makes an owner, to which all arrays that are cut from it refer.
            data = np.frombuffer(memory, np.uint8)
            if self._lent >= MAX_LENT:
                data = data.copy()
        except BaseException:
            release()
            raise
        if self._lent >= MAX_LENT:
            memory.release()
            loan.end()
            return data
        self._lent += 1
        # The finalizer only takes a note: it may run inside any call, with any lock held.
        weakref.finalize(data, self._returned.append, loan).atexit = False
        return data

    def collect(self) -> None:
        """Give back the buffers that no array uses any more."""
        while self._returned:
            loan = self._returned.popleft()
            self._lent -= 1
            loan.end()


class _Loan:
    def __init__(self, mapped: AbstractContextManager[Any], release: Callable[[], None]) -> None:
        self._mapped, self._release = mapped, release

    def end(self) -> None:
        self._mapped.__exit__(None, None, None)
        self._release()
