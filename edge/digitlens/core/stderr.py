"""File descriptor 2, kept from libraries that write to it by themselves."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

One = TypeVar("One")

_lock = threading.Lock()
_kept: list[int] = []
"""The descriptor of the terminal while it is kept from the libraries, once for each caller."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what C and C++ libraries write to file descriptor 2 by themselves off the terminal."""
    if os.environ.get("DIGITLENS_DEBUG") == "1":
        yield
        return
    sys.stderr.flush()
    # Threads may be in here at the same time: the first takes the terminal away, the last gives it back.
    with _lock:
        if not _kept:
            _kept.append(os.dup(2))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        else:
            _kept.append(_kept[0])
    try:
        yield
    finally:
        with _lock:
            kept = _kept.pop()
            if not _kept:
                os.dup2(kept, 2)
                os.close(kept)


def quietly(some: Iterator[One]) -> Iterator[One]:
    """The same, each of which is made quietly."""
    nothing = object()
    while True:
        with quiet():
            one = next(some, nothing)
        if one is nothing:
            return
        yield cast(One, one)
