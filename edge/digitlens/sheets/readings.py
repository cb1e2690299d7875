"""What a page of a form says: the values that sheet read gives."""

from typing import Literal

import msgspec

from digitlens.core.readings import Box
from digitlens.sheets.decisions import State

Value = int | float | str | bool | None


class FieldReading(msgspec.Struct, frozen=True):
    """A field: its value as FieldDecision has it, and `box`, where it stands in the picture, pixels."""

    value: Value
    raw: str
    confidence: float
    state: State
    reason: str
    box: Box


class PageReading(msgspec.Struct, frozen=True):
    """A page of a form in a picture.

    `page` is the form's, from 1; `serial` the copy's, 0 of a form printed without serial numbers;
    `alignment_mm` how far the print lies beside its place, the 90th percentile.
    """

    source: str
    page: int
    template: str
    serial: int
    alignment_mm: float
    fields: dict[str, FieldReading]


Doubtful = Literal["doubt", "unreadable", "rule"]
"""States that a person should look at."""
DOUBTFUL: tuple[str, ...] = ("doubt", "unreadable", "rule")
