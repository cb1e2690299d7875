"""What was read before: of the journal, or, without one, of what was announced since the start."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol, Unpack

from digitlens.outlets.entries import Entry, EntryFilter, PagedFilter, matches

KEPT = 500
"""Entries that are remembered without a journal."""
COLUMNS = (
    "id", "time", "kind", "number", "text", "before", "confidence", "region", "value", "reason",
    "x", "y", "width", "height",
)  # fmt: skip


class HistorySource(Protocol):
    """Entries to look at; may be called from several threads."""

    def history(self, limit: int = 100, **filters: Unpack[PagedFilter]) -> list[Entry]:
        """The newest `limit` that fit, the newest first."""


class RecentEntries:
    """The last ones that were announced, in memory."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def add(self, entries: Iterable[Entry]) -> None:
        """Remember these."""
        self._entries.extend(entries)

    def history(self, limit: int = 100, *, before: str = "", **wanted: Unpack[EntryFilter]) -> list[Entry]:
        """See Past."""
        kept = list(self._entries)
        if before:
            kept = kept[: next((place for place, entry in enumerate(kept) if entry.id == before), 0)]
        found = [entry for entry in reversed(kept) if matches(entry, **wanted)]
        return found[: max(0, limit)]


def since(past: HistorySource, id_: str, limit: int) -> list[Entry] | None:
    """What came after the entry with this id, the oldest first; None if it is not among the newest."""
    newest = past.history(limit)
    if not id_:
        return newest[::-1]
    place = next((place for place, entry in enumerate(newest) if entry.id == id_), None)
    return None if place is None else newest[:place][::-1]


def as_csv(entries: Sequence[Entry], head: bool) -> str:
    """RFC 4180 lines of entries, times as ISO 8601 in UTC; `head` puts the columns' names before them."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    if head:
        writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow(
            (
                entry.id, _moment(entry.time), entry.kind, entry.number, entry.text, entry.before,
                f"{entry.confidence:.4f}", entry.region, "" if entry.value is None else f"{entry.value:.12g}",
                entry.reason, *entry.box,
            )
        )  # fmt: skip
    return lines.getvalue()


def _moment(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(time)
