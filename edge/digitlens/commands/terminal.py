"""Error messages on stderr, and option types."""

import argparse
import os
import sys

from digitlens.core.errors import DigitLensError


def complain(error: DigitLensError, program: str = "digitlens") -> None:
    """One line on stderr; with DIGITLENS_DEBUG=1 the error itself, with its traceback."""
    if os.environ.get("DIGITLENS_DEBUG") == "1":
        raise error
    sys.stderr.write(f"{program}: {error}\n")


def positive(text: str) -> int:
    """An option's integer, at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return number
