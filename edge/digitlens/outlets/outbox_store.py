"""What stands in the journal's file: rows, and how far each outlet has come. Errors are SQLite's own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from digitlens.outlets.entries import Draft, Entry
from digitlens.outlets.history import History
from digitlens.outlets.outbox_file import newest, open_file

SHARE = 20
"""Of a journal at its limit, one part in so many is let go at a time."""
_INSERT = "INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Cursor(msgspec.Struct):
    """An outlet's: the last row that it is done with, and how many were let go before it was.

    `kept` is the cursor as it stands in the file, None for one that does not stand there yet.
    """

    cursor: int
    let_go: int = 0
    kept: int | None = None
    told: bool = False


class OutboxStore:
    """The open file; calls are one at a time. `history` reads it, and may be called from other threads.

    Raises:
        JournalError: it cannot be opened, or is no journal.
        sqlite3.Error: it cannot be read.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._base, self.journal = open_file(path, say)
        try:
            self.history = History(path)
            self.newest = newest(self._base)
            self.file = path.stat().st_ino
        except BaseException:
            self._base.close()
            raise

    def mark(self, outlet: str) -> Cursor:
        """The outlet's; a new one's is at the newest row."""
        row = self._base.execute("SELECT cursor, let_go FROM outlet WHERE name = ?", (outlet,)).fetchone()
        if row is None or not all(isinstance(value, int) for value in row):
            return Cursor(self.newest)
        cursor = min(max(row[0], 0), self.newest)
        return Cursor(cursor, row[1], cursor)

    def insert(
        self, device: str, drafts: Iterable[Draft], limit: int, marks: dict[str, Cursor]
    ) -> list[Entry]:
        """Write them, and let the oldest go where there are more than `limit` bytes then.

        One fsync, after which they are on the disk also when the power is cut.
        """
        entries = []
        self._base.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            for draft in drafts:
                row = (
                    device, draft.time, draft.kind, draft.number, draft.text, draft.confidence, *draft.box,
                    *draft.size, draft.before, draft.region, draft.value, draft.reason,
                )  # fmt: skip
                number = self._base.execute(_INSERT, row).lastrowid
                id_ = f"{device}-{self.journal}-{number}"
                entries.append(Entry(id=id_, device=device, **msgspec.structs.asdict(draft)))
            left = self._trim(limit, marks)
        self.newest = number or self.newest
        for name, (cursor, let_go) in left.items():
            mark = marks[name]
            mark.cursor, mark.kept, mark.let_go = max(cursor, mark.cursor), cursor, let_go
        return entries

    def store(self, marks: dict[str, Cursor]) -> None:
        """Write them, without an fsync: what a power cut takes back is sent again, with the same ids."""
        if all(mark.cursor == mark.kept for mark in marks.values()):
            return
        self._base.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            self._store(marks)
        for mark in marks.values():
            mark.kept = mark.cursor

    def set_aside(self, outlet: str, number: int, reason: str, time: float) -> None:
        """Keep it as one that the outlet's receiver has refused for good."""
        self._base.execute("INSERT OR REPLACE INTO aside VALUES (?, ?, ?, ?)", (outlet, number, reason, time))

    def asides(self) -> dict[str, int]:
        """How many were refused, by outlet."""
        rows = self._base.execute("SELECT outlet, count(*) FROM aside GROUP BY outlet").fetchall()
        return {str(name): int(count) for name, count in rows}

    def used(self) -> int:
        """Bytes that hold something; the file itself never shrinks."""
        pages, free, size = (
            self._base.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def close(self) -> None:
        """Close the file; again does nothing."""
        self.history.close()
        self._base.close()

    def _trim(self, limit: int, marks: dict[str, Cursor]) -> dict[str, tuple[int, int]]:
        """Let the oldest go until the rest is below the limit; each mark's cursor and let_go, if any went."""
        if self.used() <= limit:
            return {}
        self._store(marks)
        while self.used() > limit:
            first, last = self._base.execute("SELECT min(number), max(number) FROM entry").fetchone()
            until = first + (last - first) // SHARE
            if until >= last:
                break
            self._base.execute(
                "UPDATE outlet SET cursor = max(cursor, ?1), let_go = let_go + "
                "(SELECT count(*) FROM entry WHERE number > cursor AND number <= ?1)",
                (until,),
            )
            self._base.execute("DELETE FROM entry WHERE number <= ?", (until,))
            self._base.execute("DELETE FROM aside WHERE number <= ?", (until,))
        rows = self._base.execute("SELECT name, cursor, let_go FROM outlet").fetchall()
        return {name: (cursor, let_go) for name, cursor, let_go in rows if name in marks}

    def _store(self, marks: dict[str, Cursor]) -> None:
        for name, mark in marks.items():
            self._base.execute(
                "INSERT INTO outlet VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET cursor = ?2",
                (name, mark.cursor, mark.let_go),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise
