"""Past entries: from the journal, or without one those announced since the start."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Unpack

from digitlens.outlets.base import HistorySource
from digitlens.outlets.entries import Entry, EntryFilter, matches

MAX_RECENT = 500
"""Entries kept in memory without a journal."""
PAGE_SIZE = 500
"""Entries in one answer at the most; a download reads as many at a time."""
COLUMNS = (
    "id", "time", "kind", "number", "text", "before", "confidence", "region", "value", "reason",
    "x", "y", "width", "height",
)  # fmt: skip


class RecentEntries:
    """The entries announced last, in memory."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_RECENT)

    def add(self, entries: Iterable[Entry]) -> None:
        """Keep these; the oldest make room."""
        self._entries.extend(entries)

    def history(self, limit: int = 100, *, before: str = "", **filters: Unpack[EntryFilter]) -> list[Entry]:
        """See HistorySource."""
        entries = list(self._entries)
        if before:
            entries = entries[: next((index for index, entry in enumerate(entries) if entry.id == before), 0)]
        found = [entry for entry in reversed(entries) if matches(entry, **filters)]
        return found[: max(0, limit)]


def entries_since(source: HistorySource, id_: str, limit: int) -> list[Entry] | None:
    """The entries after the one with this id, oldest first; None if it is not among the newest `limit`."""
    newest = source.history(limit)
    if not id_:
        return newest[::-1]
    index = next((index for index, entry in enumerate(newest) if entry.id == id_), None)
    return None if index is None else newest[:index][::-1]


def as_csv(entries: Sequence[Entry], head: bool) -> str:
    """RFC 4180 lines of entries, times as ISO 8601 in UTC; `head` adds a line with the columns' names."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    if head:
        writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow(
            (
                entry.id, _iso_time(entry.time), entry.kind, entry.number, entry.text, entry.before,
                f"{entry.confidence:.4f}", entry.region, "" if entry.value is None else f"{entry.value:.12g}",
                entry.reason, *entry.box,
            )
        )  # fmt: skip
    return lines.getvalue()


def _iso_time(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(time)
