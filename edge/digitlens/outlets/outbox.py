"""The journal: readings are in it before they are sent, and each outlet's mark says how far it has come."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from socket import gethostname
from time import time as now
from typing import TypeVar, Unpack

import msgspec

from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Draft, Entry, Filters
from digitlens.outlets.history import DeadLetter, History, code, number_of, said
from digitlens.outlets.outbox_file import SIDES, OutboxLock, damaged, set_aside
from digitlens.outlets.outbox_store import Cursor, OutboxStore

_T = TypeVar("_T")


class OutboxFigures(msgspec.Struct, frozen=True):
    """How the journal stands.

    By outlet: `waiting` for its acknowledgment; `let_go` before it, for want of room; `set_aside`, refused
    by its receiver. `unreadable` rows were stepped over.
    """

    waiting: dict[str, int]
    let_go: dict[str, int]
    set_aside: dict[str, int]
    unreadable: int
    bytes: int


class Outbox:
    """Keeps readings in `path`, at most so many megabytes; every method may be called from any thread.

    What was handed out by add() is on the disk, also after a power cut. Rows have numbers that only grow
    and are never given twice: the order is theirs, whatever the clock does.

    At its limit the oldest go first. An outlet works through them from the oldest on, so those that all
    have acknowledged go before those that one still waits for; these are counted and said.

    A file that turns out to be damaged is kept as FILE.damaged-TIME, and a new one begun.

    Args:
        path: of the file; its folder must be there.
        megabytes: the limit.
        device: the device's name in ids; empty for the host's.
        say: is handed each line for the user.

    Raises:
        JournalError: it cannot be opened, is no journal, or another digitlens has it.
    """

    def __init__(
        self,
        path: Path,
        megabytes: int = 64,
        device: str = "",
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.path = path
        self.device = device or gethostname()
        self._limit = megabytes * 1_000_000
        self._say = say
        self._lock = threading.RLock()
        self._ledger: OutboxStore | None = None
        self._marks: dict[str, Cursor] = {}
        self._unreadable = 0
        self._closed = False
        self._hold = OutboxLock(path)
        try:
            self._ledger = self._open()
        except JournalError as error:
            cause = error.__cause__
            # A disk that is full now has room again some day; what a user must mend is for the user.
            if isinstance(cause, sqlite3.Error) and code(cause) in (
                sqlite3.SQLITE_FULL,
                sqlite3.SQLITE_IOERR,
            ):
                say(str(error))
            else:
                self._hold.release()
                raise
        except BaseException:
            self._hold.release()
            raise

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Write them; when it returns, they are on the disk.

        Raises:
            JournalError: they cannot be written, and none of them has been. Later calls may succeed.
        """
        with self._lock:
            if not drafts:
                return []
            let_go = {name: mark.let_go for name, mark in self._marks.items()}
            try:
                entries = self._write(drafts)
            except sqlite3.Error as error:
                raise said(self.path, error) from error
            for name, mark in self._marks.items():
                if (gone := mark.let_go - let_go[name]) > 0 and not mark.told:
                    mark.told = True
                    self._say(
                        f"{self.path}: full at {self._limit // 1_000_000} MB; the oldest readings "
                        f"are let go, though {name} has not acknowledged them ({gone} now)"
                    )
            return entries

    def follow(self, outlet: str) -> None:
        """From now on, keep what this outlet has not acknowledged.

        A new one begins with the next reading: a receiver is not flooded with what is long past, which
        `digitlens log` exports. One that was there before goes on where it stopped.
        """
        with self._lock:
            try:
                self._marks[outlet] = self._ledger.mark(outlet) if self._ledger is not None else Cursor(0)
            except sqlite3.Error as error:
                raise said(self.path, error) from error
            self._keep_marks()

    def pending(self, outlet: str, limit: int = 100, after: str = "") -> list[Entry]:
        """The oldest that the outlet, which is followed, has not acknowledged; `after` an id, only newer."""
        sent = None
        while True:
            with self._lock:
                if self._ledger is None:
                    return []
                history, mark = self._ledger.history, self._marks[outlet]
                sent = (number_of(after, history.journal) or 0) if sent is None else sent
                number = max(mark.cursor, sent)
            nothing: tuple[list[Entry], int] = ([], number)
            entries, last = self._read(partial(History.page, number=number, limit=limit), nothing, history)
            if entries or last == number:
                return entries
            with self._lock:  # rows that hold no entry: the file was damaged there
                self._unreadable += last - number
                self._say(
                    f"{self.path}: {outlet} goes on without what stood up to row {last}, unreadable now"
                )
                if number == mark.cursor:
                    mark.cursor = last
                sent = last

    def acknowledge(self, outlet: str, ids: Sequence[str]) -> None:
        """The outlet is done with these, and so with all before them: keep to the order of pending()."""
        with self._lock:
            if self._ledger is None:
                return
            numbers = [number_of(id_, self._ledger.journal) or 0 for id_ in ids]
            mark = self._marks[outlet]
            mark.cursor = max([mark.cursor, *(number for number in numbers if number <= self._ledger.newest)])
            mark.told = mark.told and mark.cursor < self._ledger.newest
            self._keep_marks()

    def refuse(self, outlet: str, id_: str, reason: str) -> None:
        """The receiver will never take this one: it is set aside, to be seen with `digitlens log`."""
        with self._lock:
            if self._ledger is None:
                return
            number = number_of(id_, self._ledger.journal)
            if number is not None:
                try:
                    self._ledger.set_aside(outlet, number, reason, now())
                except sqlite3.Error as error:
                    self._stumble(error)
            self.acknowledge(outlet, [id_])

    def history(self, limit: int = 100, **filters: Unpack[Filters]) -> list[Entry]:
        """See History.entries; nothing, where it cannot be read just now."""
        return self._read(lambda history: history.entries(limit, **filters), [])

    def asides(self, limit: int = 100) -> list[DeadLetter]:
        """See History.asides."""
        return self._read(lambda history: history.asides(limit), [])

    def latest(self, region: str) -> Entry | None:
        """The newest entry of a region."""
        return self._read(lambda history: history.latest(region), None)

    def good(self, regions: Sequence[str]) -> dict[str, tuple[float, float]]:
        """The newest value of each region that kept its rules, and its time: see Regions.restore."""
        found = {name: self._read(partial(History.good, region=name), None) for name in regions}
        return {name: one for name, one in found.items() if one is not None}

    def waiting(self, outlet: str) -> int:
        """How many the outlet has not acknowledged."""
        with self._lock:
            return 0 if self._ledger is None else self._ledger.newest - self._marks[outlet].cursor

    def figures(self) -> OutboxFigures:
        """How it stands."""
        with self._lock:
            asides, used = dict[str, int](), 0
            if self._ledger is not None:
                try:
                    asides, used = self._ledger.asides(), self._ledger.used()
                except sqlite3.Error as error:
                    self._stumble(error)
            return OutboxFigures(
                waiting={name: self.waiting(name) for name in self._marks},
                let_go={name: mark.let_go for name, mark in self._marks.items()},
                set_aside=asides,
                unreadable=self._unreadable,
                bytes=used,
            )

    def close(self) -> None:
        """Close the file, after the outlets have been closed; again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._keep_marks()
            self._shut()
            self._hold.release()

    def _open(self) -> OutboxStore:
        try:
            ledger = OutboxStore(self.path, self._say)
            for outlet, mark in self._marks.items():
                # A new file has none of them: what stands in it, all of them still have to get.
                self._marks[outlet] = found = ledger.mark(outlet)
                found.let_go, found.told = max(found.let_go, mark.let_go), mark.told
        except sqlite3.Error as error:
            raise said(self.path, error) from error
        return ledger

    def _shut(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _write(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Into this file; where it turns out to be gone or damaged, into a new one."""
        if self._closed:
            raise JournalError(f"{self.path}: is closed")
        if self._ledger is not None and not self._there(self._ledger):
            self._say(f"{self.path}: was taken away; a new journal is begun")
            self._shut()
            for side in SIDES[1:]:  # of the file that is gone
                Path(f"{self.path}{side}").unlink(missing_ok=True)
        self._ledger = ledger = self._ledger or self._open()
        try:
            return ledger.insert(self.device, drafts, self._limit, self._marks)
        except sqlite3.Error as error:
            if not damaged(error):
                raise
            self._shut()
            set_aside(self.path, self._say)
            self._ledger = ledger = self._open()
            return ledger.insert(self.device, drafts, self._limit, self._marks)

    def _there(self, ledger: OutboxStore) -> bool:
        try:
            return self.path.stat().st_ino == ledger.file
        except FileNotFoundError:
            return False
        except OSError:  # not to be told just now
            return True

    def _keep_marks(self) -> None:
        if self._ledger is not None:
            try:
                self._ledger.store(self._marks)
            except sqlite3.Error as error:
                self._stumble(error)  # if it is the disk: with the next one

    def _read(self, ask: Callable[[History], _T], default: _T, history: History | None = None) -> _T:
        """What the file says, asked without the lock: a long look-up must not hold up the writer."""
        with self._lock:
            if history is None and self._ledger is not None:
                history = self._ledger.history
        if history is None:
            return default
        try:
            return ask(history)
        except JournalError as error:
            cause = error.__cause__
            with self._lock:
                if self._ledger is not None and self._ledger.history is history:
                    self._stumble(cause if isinstance(cause, sqlite3.Error) else sqlite3.Error(str(error)))
            return default

    def _stumble(self, error: sqlite3.Error) -> None:
        """Where it is the file's fault, begin a new one."""
        if damaged(error) and not self._closed:
            self._shut()
            try:
                set_aside(self.path, self._say)
                self._ledger = self._open()
            except JournalError as again:
                self._say(str(again))
