"""What the user sees on stderr, and what not."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from digitlens.errors import DigitLensError


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
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
