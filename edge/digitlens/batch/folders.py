"""Folders with their folders: the files in them that are wanted, in order."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from digitlens.core.errors import reason
from digitlens.core.paths import SPECIAL, is_special

OUTSIDE = "a symlink out of the folder: not followed"
LEFT_OUT = ("._", "__MACOSX")
"""How names begin of what macOS puts beside files."""


class Found(NamedTuple):
    """A file, or a file or folder that cannot be read and why."""

    path: Path
    error: str | None = None


def walk(folder: Path, wanted: Collection[str]) -> Iterator[Found]:
    """The files whose names end so, by name; a folder's come where its own name stands among theirs.

    A symlink is followed if it leads to a file within the folder. Memory holds the names of one folder at a
    time, and of those around it.

    Args:
        folder: where to look.
        wanted: ends of names, in lower case.
    """
    yield from _walk(folder, folder.resolve(), tuple(wanted))


def _walk(folder: Path, root: Path, wanted: tuple[str, ...]) -> Iterator[Found]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  # names take a third of what paths do
    except OSError as error:
        yield Found(folder, reason(error))
        return
    for name in names:
        path = folder / name
        if name.startswith(LEFT_OUT):
            continue
        if path.is_symlink():
            yield from _linked(path, root, wanted)
        elif path.is_dir():
            yield from _walk(path, root, wanted)
        elif name.lower().endswith(wanted):
            yield Found(path, SPECIAL if is_special(path) else None)


def _linked(path: Path, root: Path, wanted: tuple[str, ...]) -> Iterator[Found]:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # dangling, or round in a circle
        if path.name.lower().endswith(wanted):
            yield Found(path, reason(error))
        return
    is_inside = target.is_relative_to(root)
    if target.is_dir():
        if not is_inside:  # one within is read where it stands
            yield Found(path, OUTSIDE)
    elif path.name.lower().endswith(wanted):
        yield Found(path, (SPECIAL if is_special(path) else None) if is_inside else OUTSIDE)
