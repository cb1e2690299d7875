"""Entries: events as they are stored and sent, and the filters that select them."""

from typing import Literal, TypedDict, Unpack

import msgspec

from digitlens.core.readings import Box
from digitlens.core.sheet_rows import SheetContent

MAX_PRESENT = 200
"""Numbers tracked as present on the paper, at most; a sheet holds fewer."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an Entry, before the outbox gives it an id."""

    time: float
    kind: Literal["appeared", "changed", "gone", "sheet"]
    number: int
    text: str
    confidence: float
    box: Box
    size: tuple[int, int]
    before: str = ""
    region: str = ""
    value: float | None = None
    reason: str = ""
    sheet: SheetContent | None = None


class Entry(Draft, frozen=True, omit_defaults=True):
    """One event as the outbox stores and sends it.

    `id` joins the device's name, the outbox's id and the entry's row number: it is the same each time the
    entry is sent, and never reused. `time` is in seconds since 1970; `box` is in pixels of a picture of
    `size` (width, height). In a named `region`, `value` is the last number that kept the region's rules, and
    `reason` names the rules that `text` breaks.

    An entry of the kind "sheet" is a row: `sheet` holds its fields, `number` is the serial number, or counts
    the sheets that have none. A later one of the same form and number takes the row's place; its `before`
    names the fields that were different.
    """

    id: str
    device: str


class EntryFilter(TypedDict, total=False):
    """Conditions that an entry must all meet; one that is absent, None or empty is met by every entry.

    `since` and `until` are seconds since 1970, both inclusive; the text contains `containing`; `region` and
    `kind` are the entry's.
    """

    since: float | None
    until: float | None
    containing: str
    region: str
    kind: str


class PagedFilter(EntryFilter, total=False):
    """The same, and older than the entry with the id `before`: the next page."""

    before: str


def stored_text(draft: Draft) -> str:
    """The text as the journal keeps it: that of a sheet is followed by a line with its content as JSON."""
    if draft.sheet is None:
        return draft.text
    return f"{draft.text}\n{msgspec.json.encode(draft.sheet).decode()}"


def text_and_sheet(kind: str, stored: str) -> tuple[str, SheetContent | None]:
    """What `stored_text` has made one text of.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: it is not a sheet's.
    """
    if kind != "sheet":
        return stored, None
    text, _, content = stored.partition("\n")
    return text, msgspec.json.decode(content, type=SheetContent)


def matches(entry: Entry, **conditions: Unpack[EntryFilter]) -> bool:
    """Whether the entry meets all the conditions."""
    since, until = conditions.get("since"), conditions.get("until")
    return (
        (since is None or entry.time >= since)
        and (until is None or entry.time <= until)
        and conditions.get("containing", "") in stored_text(entry)
        and conditions.get("region", "") in ("", entry.region)
        and conditions.get("kind", "") in ("", entry.kind)
    )
