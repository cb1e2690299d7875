"""The outbox's file, opened read-only: look-ups for pages, exports and `digitlens log`."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

import msgspec

from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Entry, EntryFilter, text_and_sheet

FORMAT = 1
"""Version of the file's format, its user_version."""
APPLICATION_ID = 0x6469676C
"""The file's application_id: a database with another one is not a journal."""
READ_TIMEOUT = 10.0
"""Wait for a lock on the file that another process holds, at most, seconds."""
COLUMNS = (
    "device, time, kind, tracked, text, confidence, x, y, width, height, across, down, "
    "before, region, value, reason"
)
"""Columns of the table `entry` after `number`; `across` and `down` are the picture's width and height."""
_JOINED = ", ".join(f"entry.{column}" for column in COLUMNS.split(", "))
AGAIN = "to be sent again: "
"""What the reason of a dead letter begins with once it is to be sent again."""
MALFORMED = "database disk image is malformed"
"""SQLite's message for SQLITE_CORRUPT; damage that only our own checks find is reported in the same words."""


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry that a receiver has refused for good: the reason, and when (seconds since 1970)."""

    outlet: str
    entry: Entry
    reason: str
    time: float


class History:
    """The outbox's file, to be read while another process or thread writes it; thread-safe.

    `outbox_id` is the part of each entry's id that distinguishes this file from others.

    Raises:
        JournalError: the file is missing, is not a journal, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            exists = path.is_file()
        except OSError as error:
            raise JournalError(f"{path}: cannot be looked at: {error.strerror}") from error
        if not exists:
            raise JournalError(f"{path}: no journal there; name one with --journal")
        try:
            self._database = _open(path)
        except sqlite3.Error as error:
            raise journal_error(path, error) from error
        try:
            self.outbox_id = read_id(self._database, path)
        except sqlite3.Error as error:
            self._database.close()
            raise journal_error(path, error) from error
        except JournalError:
            self._database.close()
            raise

    def entries(
        self, limit: int = 100, *, before: str = "", **conditions: Unpack[EntryFilter]
    ) -> list[Entry]:
        """The newest `limit` entries that match, the newest first, in the order in which they were written.

        `before` is an id: only entries older than that one; see EntryFilter for the others.
        """
        where, values = condition(conditions)
        newest = number_of(before, self.outbox_id) or 0 if before else 2**63 - 1
        with self._lock:
            rows = self._fetch(
                f"SELECT number, {COLUMNS} FROM entry WHERE number < ? AND {where} "  # noqa: S608
                "ORDER BY number DESC LIMIT ?",
                (newest, *values, max(0, min(limit, 2**31))),
            )
        return _decode_all(self.outbox_id, rows)

    def each(self, **conditions: Unpack[EntryFilter]) -> Iterator[Entry]:
        """All entries that match, the oldest first, read in pages so that no writer has to wait."""
        where, values = condition(conditions)
        last = 0
        while True:
            rows, last = self._ascending(last, 1000, where, values)
            if not rows:
                return
            yield from _decode_all(self.outbox_id, rows)

    def after(self, id_: str, limit: int = 1000) -> list[Entry]:
        """The oldest `limit` entries written after the one with this id; from the first, if it is empty."""
        return self.page(number_of(id_, self.outbox_id) or 0 if id_ else 0, limit)[0]

    def page(self, number: int, limit: int) -> tuple[list[Entry], int]:
        """The entries of the oldest `limit` rows above a row number, and the last one's number.

        Rows that hold no entry are left out; the file was damaged there.
        """
        rows, last = self._ascending(number, limit)
        return _decode_all(self.outbox_id, rows), last

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The entries that receivers have refused, the newest first."""
        with self._lock:
            rows = self._fetch(
                f"SELECT outlet, aside.reason, aside.time, number, {_JOINED} "  # noqa: S608
                "FROM aside JOIN entry USING (number) ORDER BY number DESC, outlet LIMIT ?",
                (limit,),
            )
        found = []
        for outlet, reason, time, *row in rows:
            entry = _decode(self.outbox_id, tuple(row))
            if entry is not None and isinstance(time, float):
                found.append(DeadLetter(str(outlet), entry, str(reason), time))
        return found

    def again(self, outlet: str, limit: int) -> list[Entry]:
        """The oldest of the outlet's dead letters that are to be sent again."""
        with self._lock:
            rows = self._fetch(
                f"SELECT number, {_JOINED} FROM aside JOIN entry USING (number) "  # noqa: S608
                "WHERE outlet = ? AND instr(aside.reason, ?) = 1 ORDER BY number LIMIT ?",
                (outlet, AGAIN, limit),
            )
        return _decode_all(self.outbox_id, rows)

    def latest(self, region: str) -> Entry | None:
        """The newest entry of a region."""
        found = self.entries(1, region=region)
        return found[0] if found else None

    def good(self, region: str) -> tuple[float, float] | None:
        """The newest value of a region that kept its rules and was not forgotten, and its time."""
        with self._lock:
            rows = self._fetch(
                "SELECT value, time FROM entry WHERE region = ?1 AND reason = '' AND kind != 'gone' "
                "AND value IS NOT NULL AND number > coalesce("
                "(SELECT CAST(value AS INTEGER) FROM about WHERE key = 'forgotten ' || ?1), 0) "
                "ORDER BY number DESC LIMIT 1",
                (region,),
            )
        for value, time in rows:
            if isinstance(value, float) and isinstance(time, float):
                return value, time
        return None

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            self._database.close()

    def _ascending(
        self, number: int, limit: int, where: str = "1", values: Sequence[object] = ()
    ) -> tuple[list[tuple[object, ...]], int]:
        """The oldest `limit` rows above a row number, and the last one's number.

        Where pages of the file were exchanged, SQLite returns rows in circles: that counts as damage.
        """
        with self._lock:
            rows = self._fetch(
                f"SELECT number, {COLUMNS} FROM entry WHERE number > ? AND {where} "  # noqa: S608
                "ORDER BY number LIMIT ?",
                (number, *values, limit),
            )
        for row in rows:
            if not isinstance(row[0], int) or row[0] <= number:
                error = sqlite3.DatabaseError(MALFORMED)
                raise journal_error(self.path, error) from error
            number = row[0]
        return rows, number

    def _fetch(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise journal_error(self.path, error) from error


def number_of(id_: str, outbox_id: str) -> int | None:
    """The row number in an entry's id; None if the entry is not of this outbox."""
    head, _, number = id_.rpartition("-")
    return int(number) if head.endswith(f"-{outbox_id}") and number.isdecimal() and len(number) < 19 else None


def read_id(database: sqlite3.Connection, path: Path) -> str:
    """The outbox's id, once the database has proven to be one of ours.

    Raises:
        JournalError: it is a database of another kind, or of a later version.
        sqlite3.Error: it cannot be read.
    """
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise JournalError(f"{path}: is a database, and not a journal of digitlens; name another file")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise JournalError(f"{path}: of format {version}, this digitlens knows {FORMAT}; update it")
    row = database.execute("SELECT value FROM about WHERE key = 'id'").fetchone()
    if row is None or not isinstance(row[0], str) or not row[0].isalnum():
        raise sqlite3.DatabaseError(MALFORMED)
    return row[0]


def journal_error(path: Path, error: sqlite3.Error) -> JournalError:
    """The error in one line, with its fix where there is one."""
    messages = {
        sqlite3.SQLITE_NOTADB: "is no SQLite file",
        sqlite3.SQLITE_CORRUPT: "is damaged; digitlens renames it and begins a new one at its next write",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; whoever reads it must be allowed to (group digitlens?)",
        sqlite3.SQLITE_READONLY: "cannot be written to; look at its owner and its folder's",
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_BUSY: "another program keeps it locked",
    }
    return JournalError(f"{path}: {messages.get(primary_code(error), error)}")


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary error code; 0 for what Python's module or our own checks raise."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def decode_text(data: bytes) -> str:
    """A text column; bytes that are not UTF-8 must not keep the other rows from being read."""
    return data.decode(errors="replace")


class Database(sqlite3.Connection):
    """Python fails to decode SQLite's message where that quotes a damaged file's bytes."""

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """See sqlite3.Connection."""
        try:
            return super().execute(*arguments)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError(MALFORMED) from error


def _decode(outbox_id: str, row: tuple[object, ...]) -> Entry | None:
    """Number and COLUMNS -> Entry; None if the row does not hold one (the file was damaged)."""
    try:
        number, device, time, kind, tracked, text, confidence, x, y, width, height, across, down, *rest = row
        before, region, value, reason = rest
        text, sheet = (
            text_and_sheet(kind, text) if isinstance(text, str) and isinstance(kind, str) else (text, None)
        )
        found = msgspec.convert(
            {
                "id": f"{device}-{outbox_id}-{number}", "device": device, "time": time, "kind": kind,
                "number": tracked, "text": text, "confidence": confidence, "box": (x, y, width, height),
                "size": (across, down), "before": before, "region": region, "value": value, "reason": reason,
                "sheet": sheet,
            },
            Entry,
        )  # fmt: skip
    except (msgspec.MsgspecError, ValueError):
        return None
    finite = isfinite(found.time) and isfinite(found.confidence) and isfinite(found.value or 0.0)
    return found if finite and isinstance(number, int) else None


def _decode_all(outbox_id: str, rows: list[tuple[object, ...]]) -> list[Entry]:
    return [found for row in rows if (found := _decode(outbox_id, row)) is not None]


def condition(conditions: EntryFilter) -> tuple[str, list[object]]:
    """The condition of entries.matches in SQL, made of literals alone; the values are bound to it."""
    clauses = (
        ("time >= ?", conditions.get("since")),
        ("time <= ?", conditions.get("until")),
        ("instr(text, ?)", conditions.get("containing") or None),
        ("region = ?", conditions.get("region") or None),
        ("kind = ?", conditions.get("kind") or None),
    )
    used = [(clause, value) for clause, value in clauses if value is not None]
    return " AND ".join(["1", *(clause for clause, _ in used)]), [value for _, value in used]


def _open(path: Path) -> sqlite3.Connection:
    """Open read-only; where nobody writes and the folder is not ours, SQLite needs `immutable`."""
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    database = sqlite3.connect(uri, uri=True, timeout=READ_TIMEOUT, check_same_thread=False, factory=Database)
    try:
        database.execute("SELECT 1 FROM sqlite_schema").fetchall()
    except sqlite3.Error as error:
        database.close()
        if not isinstance(error, sqlite3.OperationalError) or Path(f"{os.path.realpath(path)}-wal").exists():
            raise
        database = sqlite3.connect(
            f"{uri}&immutable=1", uri=True, timeout=READ_TIMEOUT, check_same_thread=False, factory=Database
        )
    database.text_factory = decode_text
    return database
