"""The outbox's file, opened to be written: created, locked, checked, and moved away where it is damaged."""

import fcntl
import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from digitlens.core.errors import JournalError
from digitlens.outlets.history import (
    AGAIN,
    APPLICATION_ID,
    FORMAT,
    MALFORMED,
    Database,
    decode_text,
    journal_error,
    primary_code,
    read_id,
)

WRITE_TIMEOUT = 2.0
"""Wait for a lock that another process holds, at most, seconds; the live loop waits with us."""
SUFFIXES = ("", "-wal", "-shm")
"""Suffixes of the files that make up one database."""
MAX_DAMAGED = 4
"""Damaged files that are kept, a count."""
MODE = 0o600
"""Permissions of the files when they are made."""
DAMAGED = re.compile(r"\.damaged-\d{8}T\d{6}Z(-\d+)?")
"""What is appended to a damaged file's name."""
SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {APPLICATION_ID};
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
"""Format 1, whose names stay: `let_go` counts evicted entries, `aside` holds the dead letters."""


class OutboxLock:
    """Keeps a second digitlens from the same outbox, which would send everything twice.

    The lock is on a file of its own: releasing one on the database itself would release SQLite's own, too.
    Only its owner may open it, for whoever can may hold the lock.

    Raises:
        JournalError: another process holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise JournalError(f"{path}: its folder is missing; make it, or name another file")
        if path.is_dir():
            raise JournalError(f"{path}: is a folder; name a file")
        try:
            if error := second_name(path):
                raise JournalError(f"{path}: {error}")
            self._file = FileIO(f"{path}.lock", "a", opener=_private)
        except JournalError:
            raise
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror}") from error
        with suppress(OSError):  # of an earlier version, or of another user
            os.fchmod(self._file.fileno(), MODE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(
                f"{path}: in use by another digitlens; end that one, or name another file"
            ) from None

    def release(self) -> None:
        """Release the lock; safe to call twice."""
        self._file.close()


def second_name(path: Path) -> str:
    """What is wrong with a file that can be reached by two names; empty where it is not there.

    Raises:
        OSError: the disk does not answer.
    """
    if not path.exists() or path.stat().st_nlink == 1:
        return ""
    return (
        "has a second name (a hard link), under which another program may write it: "
        "delete that one, or copy the file"
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, MODE)


def open_file(path: Path, say: Callable[[str], None]) -> tuple[sqlite3.Connection, str]:
    """The database and the outbox's id. A damaged file is moved away, and a new one begun.

    Raises:
        JournalError: the file cannot be opened or written, or is not a journal.
    """
    try:
        return _open(path)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise journal_error(path, error) from error
        move_damaged(path, say)
    try:
        return _open(path)
    except sqlite3.Error as error:
        raise journal_error(path, error) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, rather than the disk or another program."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return False
    # Our own checks raise errors without a code. SQLITE_ERROR: a table is missing.
    return primary_code(error) in (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def identities(path: Path) -> dict[str, tuple[int, int]]:
    """Device and inode of each file of the database that is there, by suffix.

    Raises:
        OSError: the disk does not answer.
    """
    found = {}
    for suffix in SUFFIXES:
        with suppress(FileNotFoundError):
            status = os.stat(f"{path}{suffix}")  # noqa: PTH116
            found[suffix] = status.st_dev, status.st_ino
    return found


def remove_log(path: Path, ours: dict[str, tuple[int, int]]) -> None:
    """Delete the log of a database that is gone, unless another one has been put there."""
    found = identities(path)
    for suffix in SUFFIXES[1:]:
        if suffix in found and found[suffix] == ours.get(suffix):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


def move_damaged(path: Path, say: Callable[[str], None]) -> None:
    """Rename the file to FILE.damaged-TIME; of more than MAX_DAMAGED the smallest older one is deleted.

    Raises:
        JournalError: it cannot be renamed.
    """
    stem = target = f"{path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    count = 1
    while Path(target).exists():
        count += 1
        target = f"{stem}-{count}"
    try:
        for suffix in SUFFIXES:
            if Path(f"{path}{suffix}").exists():
                Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    except OSError as error:
        raise JournalError(f"{path}: damaged, and cannot be renamed: {error.strerror}") from error
    say(f"{path}: is damaged; kept as {target}, and a new journal begun")
    _limit_damaged(path, Path(target), say)


def damaged(path: Path) -> list[Path]:
    """The damaged files that were kept.

    Raises:
        OSError: the folder cannot be read.
    """
    return [
        file
        for file in path.parent.iterdir()
        if file.name.startswith(path.name) and DAMAGED.fullmatch(file.name, len(path.name))
    ]


def _limit_damaged(path: Path, newest: Path, say: Callable[[str], None]) -> None:
    with suppress(OSError):  # the disk is full of them then, and the next one tries again
        older = [file for file in damaged(path) if file != newest]
        older.sort(key=lambda file: (file.stat().st_size, file.name))
        for file in older[: max(0, len(older) + 1 - MAX_DAMAGED)]:
            for suffix in SUFFIXES:
                Path(f"{file}{suffix}").unlink(missing_ok=True)
            say(f"{file}: deleted; of damaged journals {MAX_DAMAGED} are kept, the largest and the newest")


def forget(path: Path, region: str) -> None:
    """Void the region's values so far: none is in force when digitlens starts next. It may run meanwhile.

    Raises:
        JournalError: the file cannot be written.
    """
    with written(path) as database:
        database.execute(
            "INSERT OR REPLACE INTO about VALUES ('forgotten ' || ?, (SELECT max(number) FROM entry))",
            (region,),
        )


def send_again(path: Path, rows: Iterable[tuple[str, int]]) -> None:
    """Mark these dead letters, an outlet and a row each, to be sent again. digitlens may run meanwhile.

    Raises:
        JournalError: the file cannot be written.
    """
    with written(path) as database:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "UPDATE aside SET reason = ?3 || reason WHERE outlet = ?1 AND number = ?2 "
            "AND instr(reason, ?3) != 1",
            [(*row, AGAIN) for row in rows],
        )
        database.execute("COMMIT")


@contextmanager
def written(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal, to be written beside the process that has it open.

    Raises:
        JournalError: it cannot be written.
    """
    try:
        database = sqlite3.connect(path, timeout=WRITE_TIMEOUT, isolation_level=None, factory=Database)
        with closing(database):
            read_id(database, path)
            yield database
    except sqlite3.Error as error:
        raise journal_error(path, error) from error


def newest_row(database: sqlite3.Connection) -> int:
    """The last row number that was used; 0 before the first."""
    rows = database.execute("SELECT seq FROM sqlite_sequence UNION ALL SELECT max(number) FROM entry")
    numbers = [0, *(row[0] for row in rows.fetchall() if isinstance(row[0], int))]
    if max(numbers) > 2**53:  # after the last possible number SQLite would report a full disk
        raise sqlite3.DatabaseError(MALFORMED)
    return max(numbers)


def _columns(database: sqlite3.Connection) -> set[tuple[str, int, str]]:
    """Table, place and name of each column."""
    return set(
        database.execute(
            "SELECT tables.name, cid, columns.name FROM sqlite_schema tables, "
            "pragma_table_info(tables.name) columns WHERE tables.type = 'table'"
        ).fetchall()
    )


def _schema_columns() -> set[tuple[str, int, str]]:
    """The columns of a new file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(SCHEMA)
        return _columns(database)


def _open(path: Path) -> tuple[sqlite3.Connection, str]:
    with suppress(OSError):  # it is there already, or SQLite will say what is wrong
        os.close(_private(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    database = sqlite3.connect(
        path, timeout=WRITE_TIMEOUT, isolation_level=None, check_same_thread=False, factory=Database
    )
    try:
        database.text_factory = decode_text
        new = not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not new:
            read_id(database, path)  # before anything in it is changed: it may be another program's
        # Checkpoints at 1 MB keep the log's share of the disk small.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 250")
        database.execute("PRAGMA journal_size_limit = 1048576")
        database.execute("PRAGMA secure_delete = ON")  # what was deleted is not to be found in the file
        if new:
            try:
                database.executescript(SCHEMA)
                database.execute("INSERT INTO about VALUES ('id', ?)", (secrets.token_hex(4),))
                database.execute("COMMIT")
            except sqlite3.Error:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        outbox_id = read_id(database, path)
        found = database.execute("PRAGMA quick_check(1)").fetchone()
        if found is None or found[0] != "ok":
            raise sqlite3.DatabaseError(MALFORMED)
        schema = _schema_columns()
        tables = {table for table, _, _ in schema}
        # A letter of the schema may be damaged, too.
        if {column for column in _columns(database) if column[0] in tables} != schema:
            raise sqlite3.DatabaseError(MALFORMED)
        newest_row(database)
    except BaseException:
        database.close()
        raise
    return database, outbox_id
