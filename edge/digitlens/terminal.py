"""What the user sees on stderr, and what not."""

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from digitlens.errors import DigitLensError

_lock = threading.Lock()
_kept: list[int] = []
"""The descriptor of the terminal while it is kept from the libraries, once for each who does so."""


def complain(error: DigitLensError, program: str = "digitlens") -> None:
    """One line on stderr; with DIGITLENS_DEBUG=1 the error itself, with its traceback."""
    if os.environ.get("DIGITLENS_DEBUG") == "1":
        raise error
    sys.stderr.write(f"{program}: {error}\n")


def positive(text: str) -> int:
    """An option's whole number, at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return number


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


def silence_opencv() -> None:
    """A lost camera gets our line alone. OpenCV has moved the switch between its versions."""
    for module in (cv2, getattr(cv2.utils, "logging", None)):
        switch = getattr(module, "setLogLevel", None)
        if switch is not None:
            switch(0)
            return
