"""The rows of the outbox's file, and each outlet's cursor. Errors are SQLite's own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from digitlens.outlets.deletion import Aging
from digitlens.outlets.entries import Draft, Entry, stored_text
from digitlens.outlets.history import AGAIN, History
from digitlens.outlets.outbox_file import identities, newest_row, open_file

EVICTION_PARTS = 20
"""Parts of the stored rows, of which the oldest is evicted at a time once the file is full."""
_INSERT = "INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Cursor(msgspec.Struct):
    """How far an outlet has come: the last row that it is done with, and how many were evicted before that.

    `stored` is the row that the file has, None for a cursor that is not in it yet; `warned` says whether the
    user knows of the evictions.
    """

    row: int
    evicted: int = 0
    stored: int | None = None
    warned: bool = False


class OutboxStore:
    """The open file, for one call at a time. `history` reads it, and may be called from other threads.

    `outbox_id` is part of the entries' ids, `newest` the last row number, `files` what identifies each file.

    Raises:
        JournalError: the file cannot be opened, or is not a journal.
        sqlite3.Error: it cannot be read.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._database, self.outbox_id = open_file(path, say)
        try:
            self.history = History(path)
            self.newest = newest_row(self._database)
            self.files = identities(path)
        except BaseException:
            self._database.close()
            raise

    def cursor(self, outlet: str) -> Cursor:
        """The outlet's cursor; a new one's is at the newest row."""
        query = "SELECT cursor, let_go FROM outlet WHERE name = ?"
        row = self._database.execute(query, (outlet,)).fetchone()
        if row is None or not all(isinstance(value, int) for value in row):
            return Cursor(self.newest)
        number = min(max(row[0], 0), self.newest)
        return Cursor(number, row[1], number)

    def insert(
        self, device: str, drafts: Iterable[Draft], limit: int, cursors: dict[str, Cursor]
    ) -> list[Entry]:
        """Write the drafts, and evict the oldest rows where the file then holds more than `limit` bytes.

        One fsync, after which the entries survive a power cut.
        """
        entries = []
        self._database.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            for draft in drafts:
                row = (
                    device, draft.time, draft.kind, draft.number, stored_text(draft), draft.confidence,
                    *draft.box, *draft.size, draft.before, draft.region, draft.value, draft.reason,
                )  # fmt: skip
                number = self._database.execute(_INSERT, row).lastrowid
                id_ = f"{device}-{self.outbox_id}-{number}"
                entries.append(Entry(id=id_, device=device, **msgspec.structs.asdict(draft)))
            moved = self._evict(limit, cursors)
        self.newest = number or self.newest
        for name, (stored, evicted) in moved.items():
            cursor = cursors[name]
            cursor.row, cursor.stored, cursor.evicted = max(stored, cursor.row), stored, evicted
        return entries

    def save(self, cursors: dict[str, Cursor]) -> None:
        """Write the cursors, without an fsync: entries after a lost one are sent again, with the same ids."""
        if all(cursor.row == cursor.stored for cursor in cursors.values()):
            return
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            self._save(cursors)
        for cursor in cursors.values():
            cursor.stored = cursor.row

    def dead_letter(self, outlet: str, number: int, reason: str, time: float) -> None:
        """Note that the outlet's receiver has refused this row for good."""
        self._database.execute(
            "INSERT OR REPLACE INTO aside VALUES (?, ?, ?, ?)", (outlet, number, reason, time)
        )

    def revive(self, outlet: str, numbers: Iterable[int]) -> None:
        """Delete the dead letters among these rows that were to be sent again: they were taken."""
        self._database.executemany(
            "DELETE FROM aside WHERE outlet = ? AND number = ? AND instr(reason, ?) = 1",
            [(outlet, number, AGAIN) for number in numbers],
        )

    def dead_letters(self) -> dict[str, int]:
        """How many rows were refused, by outlet."""
        rows = self._database.execute("SELECT outlet, count(*) FROM aside GROUP BY outlet").fetchall()
        return {str(name): int(count) for name, count in rows}

    def used(self) -> int:
        """Size of the pages that hold something, bytes; the file itself never shrinks."""
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def skip(self, number: int) -> None:
        """Use no row number up to this one, which another copy of the file has given to other entries."""
        if number > self.newest:
            with self._transaction():
                self._database.execute("DELETE FROM sqlite_sequence WHERE name = 'entry'")
                self._database.execute("INSERT INTO sqlite_sequence VALUES ('entry', ?)", (number,))
            self.newest = number

    def age(self, aging: Aging, cursors: dict[str, Cursor], senders: Iterable[str]) -> None:
        """Delete a few old entries which these outlets have acknowledged, and those that are not open now."""
        closed = [self.cursor(name) for name in senders if name not in cursors]
        rows = [cursor.row for cursor in (*cursors.values(), *closed)]
        acknowledged = min(rows, default=self.newest)
        # No fsync: a deletion that a power cut undoes is done again in the next round.
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            aging.step(self._database, acknowledged)

    def checkpoint(self) -> None:
        """Write what is in the log alone into the file itself, under whatever name that is now."""
        self.history.close()
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self.history.close()
        self._database.close()

    def _evict(self, limit: int, cursors: dict[str, Cursor]) -> dict[str, tuple[int, int]]:
        """Delete the oldest rows until the rest fits; each cursor's row and evicted count, if any went."""
        if self.used() <= limit:
            return {}
        self._save(cursors)
        while self.used() > limit:
            first, last = self._database.execute("SELECT min(number), max(number) FROM entry").fetchone()
            until = first + (last - first) // EVICTION_PARTS
            if until >= last:
                break
            self._database.execute(
                "UPDATE outlet SET cursor = max(cursor, ?1), let_go = let_go + "
                "(SELECT count(*) FROM entry WHERE number > cursor AND number <= ?1)",
                (until,),
            )
            self._database.execute("DELETE FROM entry WHERE number <= ?", (until,))
            self._database.execute("DELETE FROM aside WHERE number <= ?", (until,))
        rows = self._database.execute("SELECT name, cursor, let_go FROM outlet").fetchall()
        return {name: (number, evicted) for name, number, evicted in rows if name in cursors}

    def _save(self, cursors: dict[str, Cursor]) -> None:
        for name, cursor in cursors.items():
            self._database.execute(
                "INSERT INTO outlet VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET cursor = ?2",
                (name, cursor.row, cursor.evicted),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
