"""The digitlens command: imports the module of the subcommand alone, and runs it."""

import argparse
import os
import sys
from importlib import import_module

from digitlens.commands.terminal import Parser, complain
from digitlens.core.errors import DigitLensError
from digitlens.core.version import __version__

COMMANDS = {
    "read": "read photos, folders of them, video files",
    "batch": "read archives: every document of folders, zips and addresses, into tables",
    "sheet": "print forms, make and check their templates",
    "live": "read what a camera sees, on the display",
    "serve": "read without a person, from a settings file",
    "doctor": "check this machine, with a fix for each fault",
    "log": "what was read, from the journal",
}
"""Each subcommand and its help; its module below digitlens.commands has add_options and run."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 1 if something failed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if os.environ.get("DIGITLENS_DEBUG") != "1":
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # our own message for a broken video is enough
    try:
        options = _parser(arguments).parse_args(arguments)
        status: int = options.run(options)
        sys.stdout.flush()
    except DigitLensError as error:
        complain(error)
        return 1
    except BrokenPipeError:  # the reader of our output, such as head, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """A parser of all subcommands; only the requested one is imported and has its options."""
    parser = Parser(prog="digitlens", description="Read handwritten digits from paper.")
    parser.add_argument("--version", action="version", version=f"digitlens {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    requested = next((argument for argument in arguments if not argument.startswith("-")), "")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == requested:
            import_module(f"digitlens.commands.{name}").add_options(command)
    return parser
