"""Messages on stderr that do not disturb a terminal; option types, and the options of every reader."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, get_args

from digitlens.config.parameters.reader import LEAST_CONFIDENCE
from digitlens.config.settings import SignUse
from digitlens.core.errors import DigitLensError
from digitlens.core.paths import printable


class Parser(argparse.ArgumentParser):
    """A parser whose errors repeat no control characters of an argument, which may be a file's name."""

    def error(self, message: str) -> NoReturn:
        """See ArgumentParser."""
        super().error(printable(message))


def say(line: str, program: str = "digitlens") -> None:
    """One line for the user, on stderr."""
    sys.stderr.write(f"{program}: {printable(line)}\n")
    sys.stderr.flush()


def complain(error: DigitLensError, program: str = "digitlens") -> None:
    """One line on stderr; with DIGITLENS_DEBUG=1 the error itself, with its traceback."""
    if os.environ.get("DIGITLENS_DEBUG") == "1":
        raise error
    say(str(error), program)


def positive(text: str) -> int:
    """An option's integer, at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return number


def probability(text: str) -> float:
    """An option's probability, 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text}: take a probability, 0 to 1")
    return number


def turn(text: str) -> int | None:
    """An option's quarter turn in degrees; None for auto."""
    if text not in ("auto", "0", "90", "180", "270"):
        raise argparse.ArgumentTypeError(f"{text}: take auto, 0, 90, 180 or 270")
    return None if text == "auto" else int(text)


def add_reader_options(command: argparse.ArgumentParser) -> None:
    """What a command's reader reads: print, which way up, signs, and how sure a number must be."""
    command.add_argument("--printed", action="store_true", help="read printed digits as well")
    command.add_argument(
        "--turn", type=turn, metavar="auto|0|90|180|270",
        help="turn the picture so many degrees counterclockwise to read it (default: auto: find out)",
    )  # fmt: skip
    command.add_argument(
        "--signs", choices=get_args(SignUse), default="part",
        help="signs between digits part numbers, or are kept: 8/12/2025, -264, 2+3= (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--least-confidence", type=probability, default=LEAST_CONFIDENCE, metavar="P",
        help="leave out numbers with a confidence below P, 0 to 1 (default: %(default)s)",
    )  # fmt: skip


def reject_number_options(options: argparse.Namespace, error: type[DigitLensError]) -> None:
    """Raise the error if options are given that say how numbers are read, not forms."""
    if options.separator or options.printed or options.turn is not None or options.signs != "part":
        raise error(
            "--separator, --printed, --turn and --signs are about numbers: leave them out with --sheet"
        )


def value_text(value: object) -> str:
    """A field's value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


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
        say(f"{option} is now called {self.to}")
