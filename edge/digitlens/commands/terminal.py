"""Error messages on stderr, and option types."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from digitlens.core.errors import DigitLensError
from digitlens.core.paths import printable


def complain(error: DigitLensError, program: str = "digitlens") -> None:
    """One line on stderr; with DIGITLENS_DEBUG=1 the error itself, with its traceback."""
    if os.environ.get("DIGITLENS_DEBUG") == "1":
        raise error
    sys.stderr.write(f"{program}: {printable(str(error))}\n")


def positive(text: str) -> int:
    """An option's integer, at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return number


class Renamed(argparse.Action):
    """An option's old name: it still works, is in no help, and names the new one on stderr."""

    def __init__(self, option_strings: Sequence[str], dest: str, to: str, **more: Any) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **more)
        self.to = to

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        """Name the new option and take the value."""
        self.report(option)
        setattr(namespace, self.dest, values if self.nargs != 0 else True)

    def report(self, option: str | None) -> None:
        """One line on stderr that names the new option."""
        sys.stderr.write(f"digitlens: {option} is now called {self.to}\n")
