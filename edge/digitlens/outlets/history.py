"""The journal's file, read: what is shown, exported and looked up. It never writes."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

import msgspec

from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Entry, Wanted

FORMAT = 1
"""Of the file: its user_version."""
MARK = 0x6469676C
"""The file's application_id: a database without it is not a journal."""
WAIT = 10.0
"""Seconds for which another's hold on the file is waited out."""
COLUMNS = (
    "device, time, kind, tracked, text, confidence, x, y, width, height, across, down, "
    "before, region, value, reason"
)
"""Of an entry's row, behind its number; `across` and `down` are the picture's size."""


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry that a receiver has refused for good: why, and when (seconds since 1970)."""

    outlet: str
    entry: Entry
    reason: str
    time: float


def entry(journal: str, row: tuple[object, ...]) -> Entry | None:
    """Number and COLUMNS -> Entry; None if the row does not hold one (the file was damaged)."""
    try:
        number, device, time, kind, tracked, text, confidence, x, y, width, height, across, down, *rest = row
        before, region, value, reason = rest
        found = msgspec.convert(
            {
                "id": f"{device}-{journal}-{number}", "device": device, "time": time, "kind": kind,
                "number": tracked, "text": text, "confidence": confidence, "box": (x, y, width, height),
                "size": (across, down), "before": before, "region": region, "value": value, "reason": reason,
            },
            Entry,
        )  # fmt: skip
    except (msgspec.ValidationError, ValueError):
        return None
    good = isfinite(found.time) and isfinite(found.confidence) and isfinite(found.value or 0.0)
    return found if good and isinstance(number, int) else None


def _condition(wanted: Wanted) -> tuple[str, list[object]]:
    """Of literals alone; what is asked for is bound to it. It is what outlets.fits asks of an entry."""
    asked = (
        ("time >= ?", wanted.get("since")),
        ("time <= ?", wanted.get("until")),
        ("instr(text, ?)", wanted.get("containing") or None),
        ("region = ?", wanted.get("region") or None),
        ("kind = ?", wanted.get("kind") or None),
    )
    known = [(condition, value) for condition, value in asked if value is not None]
    return " AND ".join(["1", *(condition for condition, _ in known)]), [value for _, value in known]


def _entries(journal: str, rows: list[tuple[object, ...]]) -> list[Entry]:
    return [found for row in rows if (found := entry(journal, row)) is not None]


def number_of(id_: str, journal: str) -> int | None:
    """The row number in an entry's id; None if it is not of this journal."""
    head, _, number = id_.rpartition("-")
    return int(number) if head.endswith(f"-{journal}") and number.isdecimal() and len(number) < 19 else None


class History:
    """A journal's file, open to be read while another writes it; may be used from several threads.

    Raises:
        JournalError: there is none, or it is no journal, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            there = path.is_file()
        except OSError as error:
            raise JournalError(f"{path}: cannot be looked at: {error.strerror}") from error
        if not there:
            raise JournalError(f"{path}: no journal there; name one with --journal")
        try:
            self._base = _open(path)
        except sqlite3.Error as error:
            raise said(path, error) from error
        try:
            self.journal = check(self._base, path)
        except sqlite3.Error as error:
            self._base.close()
            raise said(path, error) from error
        except JournalError:
            self._base.close()
            raise

    def entries(self, limit: int = 100, *, before: str = "", **wanted: Unpack[Wanted]) -> list[Entry]:
        """The newest `limit` that fit, the newest first, in the order in which they were written.

        `before` is an id: only older ones than the one with it; see Wanted for the others.
        """
        condition, values = _condition(wanted)
        newest = number_of(before, self.journal) or 0 if before else 2**63 - 1
        return self._read(
            f"SELECT number, {COLUMNS} FROM entry WHERE number < ? AND {condition} "  # noqa: S608
            "ORDER BY number DESC LIMIT ?",
            (newest, *values, max(0, min(limit, 2**31))),
        )

    def each(self, **wanted: Unpack[Wanted]) -> Iterator[Entry]:
        """All that fit, the oldest first; a thousand are read at a time, so that no writer is held up."""
        condition, values = _condition(wanted)
        last = 0
        while True:
            rows, last = self._ascending(last, 1000, condition, values)
            if not rows:
                return
            yield from _entries(self.journal, rows)

    def after(self, id_: str, limit: int = 1000) -> list[Entry]:
        """The oldest `limit` that were written after the one with this id; from the first, if it is empty."""
        return self.page(number_of(id_, self.journal) or 0 if id_ else 0, limit)[0]

    def page(self, number: int, limit: int) -> tuple[list[Entry], int]:
        """The oldest `limit` rows above a row number, and the last one's; rows that hold no entry are out."""
        rows, last = self._ascending(number, limit)
        return _entries(self.journal, rows), last

    def _ascending(
        self, number: int, limit: int, condition: str = "1", values: Sequence[object] = ()
    ) -> tuple[list[tuple[object, ...]], int]:
        """The oldest `limit` rows above a row number, and the last one's.

        Where pages of the file were exchanged, SQLite gives rows in circles: that is told as damage.
        """
        with self._lock:
            rows = self._fetch(
                f"SELECT number, {COLUMNS} FROM entry WHERE number > ? AND {condition} "  # noqa: S608
                "ORDER BY number LIMIT ?",
                (number, *values, limit),
            )
        for row in rows:
            if not isinstance(row[0], int) or row[0] <= number:
                error = sqlite3.DatabaseError("database disk image is malformed")
                raise said(self.path, error) from error
            number = row[0]
        return rows, number

    def asides(self, limit: int = 100) -> list[DeadLetter]:
        """What receivers have refused, the newest first."""
        with self._lock:
            rows = self._fetch(
                f"SELECT outlet, aside.reason, aside.time, number, {_qualified()} "  # noqa: S608
                "FROM aside JOIN entry USING (number) ORDER BY number DESC, outlet LIMIT ?",
                (limit,),
            )
        found = []
        for outlet, reason, time, *row in rows:
            one = entry(self.journal, tuple(row))
            if one is not None and isinstance(time, float):
                found.append(DeadLetter(str(outlet), one, str(reason), time))
        return found

    def latest(self, region: str) -> Entry | None:
        """The newest entry of a region."""
        found = self.entries(1, region=region)
        return found[0] if found else None

    def good(self, region: str) -> tuple[float, float] | None:
        """The newest value of a region that kept its rules, and its time; none that was forgotten."""
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
        """Close the file; again does nothing."""
        with self._lock:
            self._base.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[Entry]:
        with self._lock:
            return _entries(self.journal, self._fetch(query, values))

    def _fetch(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        try:
            return self._base.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise said(self.path, error) from error


def check(base: sqlite3.Connection, path: Path) -> str:
    """The journal's own id.

    Raises:
        JournalError: it is a database of another kind, or of a later version.
        sqlite3.Error: it cannot be read.
    """
    mark = base.execute("PRAGMA application_id").fetchone()[0]
    if mark != MARK:
        raise JournalError(f"{path}: is a database, and not a journal of digitlens; name another file")
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise JournalError(f"{path}: of format {version}, this digitlens knows {FORMAT}; update it")
    row = base.execute("SELECT value FROM about WHERE key = 'id'").fetchone()
    if row is None or not isinstance(row[0], str) or not row[0].isalnum():
        raise sqlite3.DatabaseError("database disk image is malformed")
    return row[0]


def said(path: Path, error: sqlite3.Error) -> JournalError:
    """The error in one line, with its mend where there is one."""
    mends = {
        sqlite3.SQLITE_NOTADB: "is no SQLite file",
        sqlite3.SQLITE_CORRUPT: "is damaged; digitlens sets it aside when it writes to it next",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; whoever reads it must be allowed to (group digitlens?)",
        sqlite3.SQLITE_READONLY: "cannot be written to; look at its owner and its folder's",
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_BUSY: "another program keeps it locked",
    }
    return JournalError(f"{path}: {mends.get(code(error), error)}")


def code(error: sqlite3.Error) -> int:
    """SQLite's primary error code; 0 for what Python's module raises of itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def text(data: bytes) -> str:
    """Of a column: what is no UTF-8 must not keep the other rows from being read."""
    return data.decode(errors="replace")


class Base(sqlite3.Connection):
    """Where a damaged file's own bytes are in SQLite's message, Python fails to decode that."""

    def execute(self, *asked: Any) -> sqlite3.Cursor:
        """See sqlite3.Connection."""
        try:
            return super().execute(*asked)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError("database disk image is malformed") from error


def _qualified() -> str:
    return ", ".join(f"entry.{column}" for column in COLUMNS.split(", "))


def _open(path: Path) -> sqlite3.Connection:
    """Read-only. Where nobody writes and the folder is not ours, SQLite must be told that nothing changes."""
    place = f"file:{quote(str(path.absolute()))}?mode=ro"
    base = sqlite3.connect(place, uri=True, timeout=WAIT, check_same_thread=False, factory=Base)
    try:
        base.execute("SELECT 1 FROM sqlite_schema").fetchall()
    except sqlite3.OperationalError:
        base.close()
        if Path(f"{path}-wal").exists():
            raise
        base = sqlite3.connect(
            f"{place}&immutable=1", uri=True, timeout=WAIT, check_same_thread=False, factory=Base
        )
    base.text_factory = text
    return base
