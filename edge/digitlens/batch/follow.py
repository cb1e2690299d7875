"""Folders that fill while they are read, such as a scanner's share: a file that still grows is waited for."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, time

from digitlens.batch import folders
from digitlens.batch.done import Done
from digitlens.batch.sources import ARCHIVES, Failure, Item, items
from digitlens.core.errors import BatchError
from digitlens.images.documents import SUFFIXES

SETTLE = 5.0
"""Time for which a file must not change before it is read, seconds."""
EMPTY = 60.0
"""The same for one without a byte, which may have been made to be written, seconds."""
OLD = 3600.0
"""Age at which a file is read at once; no share's clock is that far off; seconds."""
PAUSE = 1.0
"""Pause between two looks, seconds; longer where a look takes long."""
REST = 4
"""Part of the time that looks do not take: one in so many and one."""


def follow(
    arguments: Sequence[str], stop: threading.Event, settle: float = SETTLE, pause: float = PAUSE
) -> Iterator[Item | Failure]:
    """The documents in these folders, each once it has not changed for `settle` seconds; until `stop` is set.

    Ids are the ones that `sources.items` gives. By size and time of change alone: shares tell nothing else.

    Args:
        arguments: folders.
        stop: ends it.
        settle: seconds.
        pause: between two looks, seconds.

    Raises:
        BatchError: an argument is no folder.
    """
    for argument in arguments:
        if not Path(argument).is_dir():
            raise BatchError(f"{argument}: not a folder; --follow watches folders")
    return _followed(arguments, stop, settle, pause)


def _followed(
    arguments: Sequence[str], stop: threading.Event, settle: float, pause: float
) -> Iterator[Item | Failure]:
    given = Done()
    waiting: dict[str, tuple[tuple[int, int], float]] = {}
    while not stop.is_set():
        began = monotonic()
        there: set[str] = set()
        for argument in arguments:
            for found in folders.walk(Path(argument), (*SUFFIXES, *ARCHIVES)):
                name = str(found.path)
                if stop.is_set():
                    return
                if name in given:
                    continue
                there.add(name)
                if _is_settled(found.path, waiting, settle):
                    given.add(name, 1, True)
                    waiting.pop(name, None)
                    yield from items([name]) if found.error is None else (Failure(name, name, found.error),)
        for name in waiting.keys() - there:  # gone, or renamed
            del waiting[name]
        stop.wait(max(pause, REST * (monotonic() - began)))


def _is_settled(path: Path, waiting: dict[str, tuple[tuple[int, int], float]], settle: float) -> bool:
    """Whether a file has not changed for long enough; remembers when it changed last."""
    try:
        status = path.stat()
    except OSError:
        return False
    state = status.st_size, status.st_mtime_ns
    if status.st_size and time() - status.st_mtime > OLD:
        return True
    now = monotonic()
    known, since = waiting.get(str(path), (None, now))
    if known != state:
        waiting[str(path)] = state, now
        return False
    return now - since >= (settle if status.st_size else max(settle, EMPTY))
