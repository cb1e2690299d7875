"""SheetField, SheetContent: a filled-in form as it travels to journals and outlets."""

import msgspec

from digitlens.core.readings import Box


class SheetField(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands in a field: its value, its state (see docs/sheets.md), how sure it is, and why not."""

    value: int | float | str | bool | None
    state: str
    confidence: float
    reason: str = ""


class SheetContent(msgspec.Struct, frozen=True):
    """A sheet: its serial number (0 without), the pages seen, what most needs a look, the fields."""

    template: str
    serial: int
    pages: tuple[int, ...]
    state: str
    fields: dict[str, SheetField]


class SeenSheet(msgspec.Struct, frozen=True):
    """A page of a sheet as a camera has seen it.

    `page` is the form's, from 1; `box` is around its fields in a picture of `size` (width, height), pixels;
    `time` is the frame's own, seconds.
    """

    template: str
    serial: int
    page: int
    fields: dict[str, SheetField]
    box: Box
    size: tuple[int, int]
    time: float
