"""Deleting entries from the outbox's file, by age or on command; what is deleted is overwritten there."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Unpack

from digitlens.outlets.entries import EntryFilter
from digitlens.outlets.history import condition
from digitlens.outlets.outbox_file import SUFFIXES, damaged, written

DAY = 86_400.0
"""A day, seconds."""
ROWS = 500
"""Rows that are looked at in one step, between two frames."""
INTERVAL = 3600.0
"""Time between two rounds over all rows, seconds."""


class Deleted(NamedTuple):
    """How many entries were deleted, how many of them an outlet had still to send, and whether the log is."""

    entries: int
    unsent: int
    complete: bool


def delete(path: Path, **conditions: Unpack[EntryFilter]) -> Deleted:
    """Delete the entries that meet all the conditions, and their dead letters. digitlens may run meanwhile.

    Raises:
        JournalError: the file cannot be written.
    """
    clause, values = condition(conditions)
    with written(path) as database:
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        (unsent,) = database.execute(
            f"SELECT count(*) FROM entry WHERE {clause} "  # noqa: S608
            "AND number > coalesce((SELECT min(cursor) FROM outlet), number)",
            values,
        ).fetchone()
        found = database.execute(f"DELETE FROM entry WHERE {clause}", values).rowcount  # noqa: S608
        database.execute("DELETE FROM aside WHERE number NOT IN (SELECT number FROM entry)")
        database.execute("COMMIT")
        # The log still has what was written; a reader keeps it there until the next checkpoint.
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return Deleted(int(found), int(unsent), not busy)


class Aging:
    """Deletes entries older than some days, a few rows at a time; never one that an outlet has still to send.

    Args:
        path: of the outbox's file, whose damaged copies are deleted at the same age.
        days: 0 deletes nothing.
        say: takes each line for the user.
        clock: seconds since 1970, by which the entries have their times.
        monotonic: seconds, for the rounds.
    """

    def __init__(
        self,
        path: Path,
        days: int,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._age, self._say = path, days * DAY, say
        self._clock, self._monotonic = clock, monotonic
        self._row = 0
        self._due = 0.0

    @property
    def due(self) -> bool:
        """Whether there is something to look at now."""
        return self._age > 0 and self._monotonic() >= self._due

    def step(self, database: sqlite3.Connection, acknowledged: int) -> None:
        """Look at the next ROWS rows, up to the one that all outlets have acknowledged.

        Raises:
            sqlite3.Error: they cannot be deleted.
        """
        before = self._clock() - self._age
        rows = database.execute(
            "SELECT number FROM entry WHERE number > ? AND number <= ? ORDER BY number LIMIT ?",
            (self._row, acknowledged, ROWS),
        ).fetchall()
        if rows:
            span = rows[0][0], rows[-1][0]
            database.execute(
                "DELETE FROM aside WHERE number IN "
                "(SELECT number FROM entry WHERE number BETWEEN ? AND ? AND time < ?)",
                (*span, before),
            )
            database.execute("DELETE FROM entry WHERE number BETWEEN ? AND ? AND time < ?", (*span, before))
            self._row = span[1]
        if len(rows) < ROWS:
            self._row, self._due = 0, self._monotonic() + INTERVAL
            self._delete_damaged(before)

    def _delete_damaged(self, before: float) -> None:
        with suppress(OSError):
            for file in damaged(self._path):
                if file.stat().st_mtime < before:
                    for suffix in SUFFIXES:
                        Path(f"{file}{suffix}").unlink(missing_ok=True)
                    self._say(f"{file}: deleted; it is older than [journal] keep_days")


def damaged_copies(path: Path) -> list[Path]:
    """The damaged journals that were kept, and hold readings, too; none where that cannot be seen."""
    try:
        return damaged(path)
    except OSError:
        return []
