"""Paths as people and programs can print them, and paths that no file is behind."""

import os
import stat
from pathlib import Path

SPECIAL = "not a file, but a pipe or a device"
"""What an error says of a path for which is_special holds."""


def printable(text: str) -> str:
    """A text for a terminal: control characters and bytes that are no UTF-8 become question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def as_text(path: Path | str) -> str:
    """A path, or a text with paths, as every encoder takes it: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode(errors="replace")


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device, reading of which may wait for ever; False if missing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
