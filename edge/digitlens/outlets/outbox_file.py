"""The journal's file, opened to be written: made, locked, checked, and set aside where it is damaged."""

import fcntl
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from digitlens.core.errors import JournalError
from digitlens.outlets.history import FORMAT, MARK, Base, check, code, said, text

BUSY = 2.0
"""Seconds for which another's write is waited out; the live loop waits with us."""
SIDES = ("", "-wal", "-shm")
"""What belongs to one database, besides the name."""
SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {MARK};
PRAGMA user_version = {FORMAT};
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL, time REAL NOT NULL, kind TEXT NOT NULL, tracked INTEGER NOT NULL,
    text TEXT NOT NULL, confidence REAL NOT NULL,
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    across INTEGER NOT NULL, down INTEGER NOT NULL,
    before TEXT NOT NULL, region TEXT NOT NULL, value REAL, reason TEXT NOT NULL
);
CREATE TABLE outlet (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, let_go INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE aside (
    outlet TEXT NOT NULL, number INTEGER NOT NULL, reason TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (outlet, number)
) WITHOUT ROWID;
"""


class OutboxLock:
    """Keeps a second digitlens from the same journal, which would send everything twice.

    The lock is on a file of its own beside it: a lock that is let go on the database itself would take
    SQLite's own along.

    Raises:
        JournalError: another holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise JournalError(f"{path}: its folder is missing; make it, or name another file")
        if path.is_dir():
            raise JournalError(f"{path}: is a folder; name a file")
        try:
            self._file = FileIO(f"{path}.lock", "a")
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(
                f"{path}: in use by another digitlens; end that one, or name another file"
            ) from None

    def release(self) -> None:
        """Let others have it; again does nothing."""
        self._file.close()


def open_file(path: Path, say: Callable[[str], None]) -> tuple[sqlite3.Connection, str]:
    """The database and the journal's own id. One that is damaged is set aside, and a new one begun.

    Raises:
        JournalError: it cannot be opened or written, or is not a journal.
    """
    try:
        return _open(path)
    except sqlite3.Error as error:
        if not damaged(error):
            raise said(path, error) from error
        set_aside(path, say)
    try:
        return _open(path)
    except sqlite3.Error as error:
        raise said(path, error) from error


def damaged(error: sqlite3.Error) -> bool:
    """Whether it is the file, and not the disk or another program."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return False
    # What the checks of ours raise has no code. SQLITE_ERROR is a table that is not there any more.
    return code(error) in (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path, say: Callable[[str], None]) -> None:
    """Rename it to FILE.damaged-TIME.

    Raises:
        JournalError: it cannot be renamed.
    """
    stem = kept = f"{path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    count = 1
    while Path(kept).exists():
        count += 1
        kept = f"{stem}-{count}"
    try:
        for side in SIDES:
            if Path(f"{path}{side}").exists():
                Path(f"{path}{side}").rename(f"{kept}{side}")
    except OSError as error:
        raise JournalError(f"{path}: damaged, and cannot be set aside: {error.strerror}") from error
    say(f"{path}: is damaged; kept as {kept}, and a new journal begun")


def forget(path: Path, region: str) -> None:
    """The region's values up to now are not in force when digitlens starts next. It may run meanwhile.

    Raises:
        JournalError: the journal cannot be written.
    """
    try:
        base = sqlite3.connect(path, timeout=BUSY, isolation_level=None, factory=Base)
    except sqlite3.Error as error:
        raise said(path, error) from error
    try:
        check(base, path)
        base.execute(
            "INSERT OR REPLACE INTO about VALUES ('forgotten ' || ?, (SELECT max(number) FROM entry))",
            (region,),
        )
    except sqlite3.Error as error:
        raise said(path, error) from error
    finally:
        base.close()


def newest(base: sqlite3.Connection) -> int:
    """The last row number that was given; 0 before the first."""
    rows = base.execute("SELECT seq FROM sqlite_sequence UNION ALL SELECT max(number) FROM entry").fetchall()
    numbers = [0, *(row[0] for row in rows if isinstance(row[0], int))]
    if max(numbers) > 2**53:  # after the last possible number SQLite would say that the disk is full
        raise sqlite3.DatabaseError("database disk image is malformed")
    return max(numbers)


def _columns(base: sqlite3.Connection) -> set[tuple[str, int, str]]:
    """Each table's name, and the place and name of each of its columns."""
    return set(
        base.execute(
            "SELECT tables.name, cid, columns.name FROM sqlite_schema tables, "
            "pragma_table_info(tables.name) columns WHERE tables.type = 'table'"
        ).fetchall()
    )


def _own_columns() -> set[tuple[str, int, str]]:
    """Those of a journal that is new."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
        base.executescript(SCHEMA)
        return _columns(base)


def _open(path: Path) -> tuple[sqlite3.Connection, str]:
    base = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False, factory=Base)
    try:
        base.text_factory = text
        new = not base.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not new:
            check(base, path)  # before anything of it is changed: it may be another program's
        # The log is emptied into the file at 1 MB, so that the disk's share stays small.
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA wal_autocheckpoint = 250")
        base.execute("PRAGMA journal_size_limit = 1048576")
        if new:
            try:
                base.executescript(SCHEMA)
                base.execute("INSERT INTO about VALUES ('id', ?)", (secrets.token_hex(4),))
                base.execute("COMMIT")
            except sqlite3.Error:
                if base.in_transaction:
                    base.execute("ROLLBACK")
                raise
        journal = check(base, path)
        found = base.execute("PRAGMA quick_check(1)").fetchone()
        if found is None or found[0] != "ok":
            raise sqlite3.DatabaseError("database disk image is malformed")
        own = _own_columns()
        tables = {table for table, _, _ in own}
        # A letter of the schema may be damaged, too.
        if {column for column in _columns(base) if column[0] in tables} != own:
            raise sqlite3.DatabaseError("database disk image is malformed")
        newest(base)
    except BaseException:
        base.close()
        raise
    return base, journal
