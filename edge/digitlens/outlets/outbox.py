"""The outbox: stores entries before they are sent, and a cursor for each outlet: how far it has come."""

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import gethostname
from time import time as now
from typing import TypeVar, Unpack

import msgspec

from digitlens.core.errors import JournalError
from digitlens.outlets.deletion import Aging
from digitlens.outlets.entries import Draft, Entry, PagedFilter
from digitlens.outlets.history import DeadLetter, History, journal_error, number_of, primary_code
from digitlens.outlets.outbox_file import OutboxLock, identities, is_damage, move_damaged, remove_log
from digitlens.outlets.outbox_store import Cursor, OutboxStore

_T = TypeVar("_T")


class OutboxStats(msgspec.Struct, frozen=True):
    """Counts of entries, by outlet, and the file's size.

    `pending` entries are not acknowledged yet; `evicted` ones never were, and had to make room;
    `dead_letters` were refused by their receiver. `unreadable` rows were skipped. `bytes` are in use.
    """

    pending: dict[str, int]
    evicted: dict[str, int]
    dead_letters: dict[str, int]
    unreadable: int
    bytes: int


class Outbox:
    """Stores entries in an SQLite file until every outlet has acknowledged them; thread-safe.

    The entries that add() returns are on the disk, and survive a power cut. Their row numbers only grow and
    are never reused: they define the order, whatever the clock does.

    At the size limit the oldest entries are evicted. Outlets send the oldest first, so acknowledged entries
    go before pending ones; evicted pending ones are counted and reported.

    A file that turns out to be damaged is kept as FILE.damaged-TIME, and a new one begun.

    Args:
        path: of the file; its folder must exist. A symlink is followed now, and not again.
        megabytes: size limit of the file, MB.
        device: the device's name in ids; empty for the host's.
        say: takes each line for the user.
        keep_days: age at which `tend` deletes entries that all outlets have acknowledged; 0 keeps them.

    `senders` names outlets for which old entries are kept, although they may not be open now.

    Raises:
        JournalError: the file cannot be opened, is not a journal, or another digitlens has it.
    """

    def __init__(
        self,
        path: Path,
        megabytes: int = 64,
        device: str = "",
        say: Callable[[str], None] = lambda line: None,
        keep_days: int = 0,
    ) -> None:
        self.path = path = Path(os.path.realpath(path))  # the lock and the log lie beside the file itself
        self.device = device or gethostname()
        self._limit = megabytes * 1_000_000
        self._say = say
        self._aging = Aging(path, keep_days, say)
        self.senders: frozenset[str] = frozenset()
        self._lock = threading.RLock()
        self._store: OutboxStore | None = None
        self._cursors: dict[str, Cursor] = {}
        self._unreadable = 0
        self._closed = False
        self._file_lock = OutboxLock(path)
        try:
            self._store = self._open()
        except JournalError as error:
            cause = error.__cause__
            # A full disk may have room later, so that add() retries; the user has to fix everything else.
            if isinstance(cause, sqlite3.Error) and primary_code(cause) in (
                sqlite3.SQLITE_FULL,
                sqlite3.SQLITE_IOERR,
            ):
                say(str(error))
            else:
                self._file_lock.release()
                raise
        except BaseException:
            self._file_lock.release()
            raise

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Write the drafts; the entries are on the disk when this returns.

        Raises:
            JournalError: they cannot be written, and none of them was. Later calls may succeed.
        """
        with self._lock:
            if not drafts:
                return []
            before = {name: cursor.evicted for name, cursor in self._cursors.items()}
            try:
                entries = self._write(drafts)
            except sqlite3.Error as error:
                raise journal_error(self.path, error) from error
            for name, cursor in self._cursors.items():
                if (evicted := cursor.evicted - before[name]) > 0 and not cursor.warned:
                    cursor.warned = True
                    self._say(
                        f"{self.path}: full at {self._limit // 1_000_000} MB; the oldest readings "
                        f"are evicted, though {name} has not acknowledged them ({evicted} now)"
                    )
            return entries

    def tend(self) -> None:
        """Delete entries that have become too old, a few at a time; called often."""
        if not self._aging.due:
            return
        with self._lock:
            if self._store is not None and not self._closed:
                try:
                    self._store.age(self._aging, self._cursors, self.senders)
                except sqlite3.Error as error:
                    self._recover(error)

    def follow(self, outlet: str) -> None:
        """Keep entries that this outlet has not acknowledged, from now on.

        A new outlet begins with the next entry: its receiver is not flooded with old readings, which
        `digitlens log` exports. A known one goes on where it stopped.
        """
        with self._lock:
            try:
                self._cursors[outlet] = self._store.cursor(outlet) if self._store is not None else Cursor(0)
            except sqlite3.Error as error:
                raise journal_error(self.path, error) from error
            self._save_cursors()

    def pending(self, outlet: str, limit: int = 100, after: str = "") -> list[Entry]:
        """The oldest entries that the followed outlet has not acknowledged, and newer than the id `after`."""
        sent = None
        while True:
            with self._lock:
                if self._store is None:
                    return []
                history, cursor = self._store.history, self._cursors[outlet]
                sent = (number_of(after, history.outbox_id) or 0) if sent is None else sent
                number, newest = max(cursor.row, sent), self._store.newest
            nothing: tuple[list[Entry], int] = ([], number)
            entries, last = self._read(partial(History.page, number=number, limit=limit), nothing, history)
            if entries or last == number:
                if not entries and number == cursor.row:  # the rest was deleted
                    cursor.row = max(number, newest)
                return entries
            with self._lock:  # rows that hold no entry: the file was damaged there
                self._unreadable += last - number
                self._say(f"{self.path}: {outlet} skips the rows up to {last}, which cannot be read any more")
                if number == cursor.row:
                    cursor.row = last
                sent = last

    def acknowledge(self, outlet: str, ids: Sequence[str]) -> None:
        """Move the outlet's cursor to the newest of these entries, and so past all older ones.

        Those that were dead letters to be sent again are dead letters no more.
        """
        with self._lock:
            if self._store is None:
                return
            numbers = [number_of(id_, self._store.outbox_id) or 0 for id_ in ids]
            cursor = self._cursors[outlet]
            if again := [number for number in numbers if number <= cursor.row]:
                try:
                    self._store.revive(outlet, again)
                except sqlite3.Error as error:
                    self._recover(error)
            cursor.row = max([cursor.row, *(number for number in numbers if number <= self._store.newest)])
            cursor.warned = cursor.warned and cursor.row < self._store.newest
            self._save_cursors()

    def again(self, outlet: str, limit: int = 100) -> list[Entry]:
        """The outlet's dead letters that outbox_file.send_again has marked, the oldest first."""
        return self._read(lambda history: history.again(outlet, limit), [])

    def refuse(self, outlet: str, id_: str, reason: str) -> None:
        """Make the entry a dead letter: its receiver will never take it. `digitlens log` shows it."""
        with self._lock:
            if self._store is None:
                return
            number = number_of(id_, self._store.outbox_id)
            if number is not None:
                try:
                    self._store.dead_letter(outlet, number, reason, now())
                except sqlite3.Error as error:
                    self._recover(error)
            self.acknowledge(outlet, [id_])

    def history(self, limit: int = 100, **filters: Unpack[PagedFilter]) -> list[Entry]:
        """See History.entries; nothing while the file cannot be read."""
        return self._read(lambda history: history.entries(limit, **filters), [])

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """See History.dead_letters."""
        return self._read(lambda history: history.dead_letters(limit), [])

    def latest(self, region: str) -> Entry | None:
        """The newest entry of a region."""
        return self._read(lambda history: history.latest(region), None)

    def good(self, regions: Sequence[str]) -> dict[str, tuple[float, float]]:
        """The newest value of each region that kept its rules, and its time: see Regions.restore."""
        found = {name: self._read(partial(History.good, region=name), None) for name in regions}
        return {name: good for name, good in found.items() if good is not None}

    def pending_count(self, outlet: str) -> int:
        """How many entries the outlet has not acknowledged."""
        with self._lock:
            return 0 if self._store is None else self._store.newest - self._cursors[outlet].row

    def stats(self) -> OutboxStats:
        """The counts now."""
        with self._lock:
            dead_letters, used = dict[str, int](), 0
            if self._store is not None:
                try:
                    dead_letters, used = self._store.dead_letters(), self._store.used()
                except sqlite3.Error as error:
                    self._recover(error)
            return OutboxStats(
                pending={name: self.pending_count(name) for name in self._cursors},
                evicted={name: cursor.evicted for name, cursor in self._cursors.items()},
                dead_letters=dead_letters,
                unreadable=self._unreadable,
                bytes=used,
            )

    def close(self) -> None:
        """Close the file, after the outlets have been closed; safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._save_cursors()
            self._close_store()
            self._file_lock.release()

    def _open(self) -> OutboxStore:
        try:
            store = OutboxStore(self.path, self._say)
            for outlet, cursor in self._cursors.items():
                # A new file has no cursors: every outlet still has to get all that will be in it.
                self._cursors[outlet] = found = store.cursor(outlet)
                found.evicted, found.warned = max(found.evicted, cursor.evicted), cursor.warned
        except sqlite3.Error as error:
            raise journal_error(self.path, error) from error
        return store

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _write(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Write into this file; where it turns out to be gone or damaged, into a new one."""
        if self._closed:
            raise JournalError(f"{self.path}: is closed")
        if self._store is not None and not self._exists(self._store):
            self._leave(self._store)
        self._store = store = self._store or self._open()
        try:
            return store.insert(self.device, drafts, self._limit, self._cursors)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._close_store()
            move_damaged(self.path, self._say)
            self._store = store = self._open()
            return store.insert(self.device, drafts, self._limit, self._cursors)

    def _exists(self, store: OutboxStore) -> bool:
        try:
            return identities(self.path).get("") == store.files[""]
        except OSError:  # the disk does not answer now
            return True

    def _leave(self, store: OutboxStore) -> None:
        """Close a file that was moved away, complete, and leave alone what was moved into its place."""
        if replaced := self.path.exists():
            self._say(f"{self.path}: was replaced; the file in its place is continued")
        else:
            self._say(f"{self.path}: was taken away; a new journal is begun")
        with suppress(sqlite3.Error):
            store.checkpoint()
        self._close_store()
        remove_log(self.path, store.files)
        if replaced:
            self._store = self._open()
            if self._store.outbox_id == store.outbox_id:  # an older copy
                self._store.skip(store.newest)

    def _save_cursors(self) -> None:
        if self._store is not None:
            try:
                self._store.save(self._cursors)
            except sqlite3.Error as error:
                self._recover(error)  # where the disk is at fault, the next save writes them

    def _read(self, query: Callable[[History], _T], default: _T, history: History | None = None) -> _T:
        """The query's result, got without the lock: a long look-up must not hold up the writer."""
        with self._lock:
            if history is None and self._store is not None:
                history = self._store.history
        if history is None:
            return default
        try:
            return query(history)
        except JournalError as error:
            cause = error.__cause__
            with self._lock:
                if self._store is not None and self._store.history is history:
                    self._recover(cause if isinstance(cause, sqlite3.Error) else sqlite3.Error(str(error)))
            return default

    def _recover(self, error: sqlite3.Error) -> None:
        """Begin a new file where the error is this file's fault."""
        if is_damage(error) and not self._closed:
            self._close_store()
            try:
                move_damaged(self.path, self._say)
                self._store = self._open()
            except JournalError as another:
                self._say(str(another))
