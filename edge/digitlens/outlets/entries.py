"""Entries: events as they are stored and sent, and the filters that select them."""

from typing import Literal, TypedDict, Unpack

import msgspec

from digitlens.core.readings import Box

MAX_PRESENT = 200
"""Numbers tracked as present on the paper, at most; a sheet holds fewer."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an Entry, before the outbox gives it an id."""

    time: float
    kind: Literal["appeared", "changed", "gone"]
    number: int
    text: str
    confidence: float
    box: Box
    size: tuple[int, int]
    before: str = ""
    region: str = ""
    value: float | None = None
    reason: str = ""


class Entry(Draft, frozen=True, omit_defaults=True):
    """One event as the outbox stores and sends it.

    `id` joins the device's name, the outbox's id and the entry's row number: it is the same each time the
    entry is sent, and never reused. `time` is in seconds since 1970; `box` is in pixels of a picture of
    `size` (width, height). In a named `region`, `value` is the last number that kept the region's rules, and
    `reason` names the rules that `text` breaks.
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


def matches(entry: Entry, **conditions: Unpack[EntryFilter]) -> bool:
    """Whether the entry meets all the conditions."""
    since, until = conditions.get("since"), conditions.get("until")
    return (
        (since is None or entry.time >= since)
        and (until is None or entry.time <= until)
        and conditions.get("containing", "") in entry.text
        and conditions.get("region", "") in ("", entry.region)
        and conditions.get("kind", "") in ("", entry.kind)
    )
