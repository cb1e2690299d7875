"""A template's [[field]] and [[table.column]] -> Field."""

import math
import re
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from digitlens.config.toml_text import Place
from digitlens.config.values import Invalid, shown
from digitlens.sheets import lists
from digitlens.sheets.fields import Check, Field, Kind, Point

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
"""A field's, a table's or a column's name."""
MAX_CHOICES = 20
_DATE = re.compile(r"(DD|MM|YYYY|YY)([./ -])(DD|MM|YYYY|YY)([./ -])(DD|MM|YYYY|YY)")
_TIME = re.compile(r"HH[:.]MM")
_FORMATS = {"date": "DD.MM.YYYY", "time": "HH:MM"}
_COUNTED = ("integer", "decimal", "date", "time")
"""Kinds that have a smallest and a largest value."""

Label = Annotated[str, Meta(max_length=200)]


class FieldSection(msgspec.Struct, frozen=True):
    """[[field]], and of what it may have [[table.column]]."""

    name: str
    kind: Kind
    label: Label = ""
    cells: Annotated[int, Meta(ge=1, le=20)] | None = None
    fewest: Annotated[int, Meta(ge=1, le=20)] | None = None
    smallest: Any = None
    largest: Any = None
    decimals: Annotated[int, Meta(ge=0, le=6)] = 0
    required: bool = False
    check: Check | None = None
    list: str = ""
    choices: tuple[Label, ...] = ()
    format: str = ""
    heading: Label = ""
    at: Point | None = None
    page: Annotated[int, Meta(ge=1, le=20)] = 1
    cell: Point | None = None
    comb: bool = True
    blackened: bool = False


def field_of(section: FieldSection, place: Place, folder: Path, cell_mm: Point) -> Field:
    """The field of a section at its place in the file, whose lists lie in `folder`.

    Raises:
        Invalid: its values do not go together.
    """
    check_name(place, section.name)
    _check_keys(section, place)
    format_ = _format(section, place)
    members = _members(section, place, folder)
    smallest = _units(section, place, "smallest")
    largest = _units(section, place, "largest")
    if smallest is not None and largest is not None and smallest > largest:
        raise Invalid((*place, "smallest"), f"{shown(section.smallest)} is more than largest")
    cells = _cells(section, place, format_, members, largest)
    if section.kind in ("integer", "decimal") and largest is not None and len(str(largest)) > cells:
        raise Invalid(
            (*place, "largest"), f"{shown(section.largest)} does not fit into {_count(cells, 'cell')}"
        )
    if section.decimals >= cells and section.kind == "decimal":
        raise Invalid(
            (*place, "decimals"), f"{section.decimals} of {_count(cells, 'cell')} cannot be decimals"
        )
    cell_mm = section.cell or (cell_mm if section.kind != "tick" else (cell_mm[0], cell_mm[0]))
    fewest = section.fewest or (min(map(len, members)) if members else cells)
    if section.kind == "digits" and fewest > cells:
        raise Invalid((*place, "fewest"), f"{fewest} is more than cells, {cells}")
    return Field(
        name=section.name, label=section.label or section.name, kind=section.kind, cells=cells,
        fewest=fewest if section.kind == "digits" else 1, smallest=smallest, largest=largest,
        decimals=section.decimals, required=section.required, check=section.check, members=members,
        source=section.list, choices=section.choices, format=format_, heading=section.heading, at=section.at,
        page=section.page, blackened=section.blackened,
        is_comb=section.comb, cell_mm=cell_size(cell_mm, (*place, "cell")),
    )  # fmt: skip


def check_name(place: Place, name: str) -> None:
    """Raise Invalid where a name cannot stand in a rule."""
    if not NAME.fullmatch(name):
        raise Invalid(
            (*place, "name"), f"{shown(name)}: take a letter, then letters, digits and _, 40 at most"
        )


def cell_size(size: Point, place: Place) -> Point:
    """A cell's width and height, millimeters; raises Invalid for a size that nobody can write in."""
    if not (2 <= size[0] <= 60 and 2 <= size[1] <= 40):
        raise Invalid(place, "is width and height in millimeters: 2 to 60, and 2 to 40")
    return size


def _check_keys(section: FieldSection, place: Place) -> None:
    """Keys that the kind does not have."""
    kind = section.kind
    for key, kinds in (
        ("cells", ("integer", "decimal", "digits")), ("fewest", ("digits",)), ("decimals", ("decimal",)),
        ("check", ("digits",)), ("list", ("digits", "integer")), ("choices", ("choice",)),
        ("format", ("date", "time")), ("blackened", ("tick", "choice")),
        ("smallest", _COUNTED), ("largest", _COUNTED),
    ):  # fmt: skip
        if getattr(section, key) not in (None, "", (), 0) and kind not in kinds:
            raise Invalid((*place, key), f"belongs to {' and '.join(kinds)}, and this is {kind}")
    if kind == "decimal" and not section.decimals:
        raise Invalid((*place, "decimals"), "is missing; it must be the number of decimals, or take integer")
    if kind == "choice":
        if not 2 <= len(section.choices) <= MAX_CHOICES:
            raise Invalid((*place, "choices"), f"must be a list of 2 to {MAX_CHOICES} texts")
        if len(set(section.choices)) < len(section.choices) or "" in section.choices:
            raise Invalid((*place, "choices"), "must be different from each other, and none empty")


def _format(section: FieldSection, place: Place) -> str:
    format_ = section.format or _FORMATS.get(section.kind, "")
    if section.kind == "date":
        found = _DATE.fullmatch(format_)
        if not found or {part[0] for part in found.group(1, 3, 5)} != set("DMY"):
            raise Invalid((*place, "format"), f'{shown(format_)}: take "DD.MM.YYYY", "MM/DD/YY" or the like')
    if section.kind == "time" and not _TIME.fullmatch(format_):
        raise Invalid((*place, "format"), f'{shown(format_)}: take "HH:MM" or "HH.MM"')
    return format_


def _members(section: FieldSection, place: Place, folder: Path) -> frozenset[str] | None:
    if not section.list:
        return None
    try:
        members = lists.load(section.list, folder)
    except lists.ListProblem as problem:
        raise Invalid((*place, "list"), str(problem)) from problem
    if wrong := next((one for one in members if not (one.isascii() and one.isdecimal())), None):
        raise Invalid((*place, "list"), f"{section.list} has {shown(wrong)}, which is not digits alone")
    if section.kind == "integer":
        members = tuple(str(int(one)) for one in members)
    return frozenset(members)


def _cells(
    section: FieldSection, place: Place, format_: str, members: frozenset[str] | None, largest: int | None
) -> int:
    if section.kind == "tick":
        return 1
    if section.kind == "choice":
        return len(section.choices)
    if format_:
        return sum(letter.isalpha() for letter in format_)
    longest = max(map(len, members)) if members else len(str(largest)) if largest is not None else 0
    cells = section.cells or max(longest, section.decimals + 1 if longest else 0)
    if not cells:
        raise Invalid((*place, "cells"), "is missing; it must be the number of cells, 1 to 20")
    if members and longest > cells:
        raise Invalid(
            (*place, "list"), f"{section.list} has a number of {longest} digits, and there are {cells} cells"
        )
    if cells > 20:
        raise Invalid((*place, "cells"), f"would be {cells}; a comb has at most 20")
    return cells


def _units(section: FieldSection, place: Place, key: str) -> int | None:
    """Smallest or largest in the field's units."""
    value = getattr(section, key)
    if value is None:
        return None
    found = {"date": _days, "time": _minutes}.get(section.kind, _places)(value, section.decimals)
    if found is None:
        words = {
            "date": "a date: 2026-01-31",
            "time": 'a time: "08:30"',
            "integer": "a whole number from 0",
        }.get(section.kind, f"a number from 0, of at most {_count(section.decimals, 'decimal')}")
        raise Invalid((*place, key), f"{shown(value)}: must be {words}")
    return found


def _places(value: object, decimals: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    scaled = Decimal(repr(value)).scaleb(decimals)
    return int(scaled) if scaled == int(scaled) and scaled < 10**20 else None


def _days(value: object, _: int) -> int | None:
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return found.toordinal() if isinstance(found, date) else None


def _minutes(value: object, _: int) -> int | None:
    try:
        found = time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return found.hour * 60 + found.minute if isinstance(found, time) else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s'[: number != 1]}"
