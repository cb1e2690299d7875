"""Entries: what is kept and sent of each event, and which of them are asked for."""

from typing import Literal, TypedDict, Unpack

import msgspec

from digitlens.core.readings import Box

STANDING = 200
"""Numbers that are followed as standing, and told in the list of all; more do not stand on a sheet."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an Entry says, before the journal gives it its id."""

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
    """One event as it is kept in the journal and sent from there.

    `id` is the device's name, the journal's own and the entry's number in it: the same at each repeat, never
    given twice. `time` is in seconds since 1970, `size` the picture's, which `box` is in. What stands in a
    named region also has `region`; `value` is then the last number that kept the region's rules, and
    `reason` says which rule `text` broke, if it broke one.
    """

    id: str
    device: str


class Wanted(TypedDict, total=False):
    """Which entries: those that fit all of it. What is left out, None or empty, they all fit.

    `since` and `until` are seconds since 1970, both included; the text contains `containing`; `region` and
    `kind` are the entry's.
    """

    since: float | None
    until: float | None
    containing: str
    region: str
    kind: str


class Filters(Wanted, total=False):
    """The same, and older than the entry whose id is `before`: how to page on."""

    before: str


def fits(entry: Entry, **wanted: Unpack[Wanted]) -> bool:
    """Whether the entry is one of those."""
    since, until = wanted.get("since"), wanted.get("until")
    return (
        (since is None or entry.time >= since)
        and (until is None or entry.time <= until)
        and wanted.get("containing", "") in entry.text
        and wanted.get("region", "") in ("", entry.region)
        and wanted.get("kind", "") in ("", entry.kind)
    )
