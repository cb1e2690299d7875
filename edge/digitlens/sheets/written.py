"""The signs in a field's cells -> its value, or the constraint that they break; and back to text."""

from datetime import date
from typing import Literal, NamedTuple

from digitlens.sheets import checkdigits
from digitlens.sheets.combs import separators
from digitlens.sheets.fields import Field

Known = Literal["count", "range", "check", "list", "sum"]
"""Kinds of constraints on fields."""
Value = int | str | None
"""Units of what is counted; digits as they are, a choice's text, "x" of a tick; None: nothing is written."""
_GAP: tuple[Known, str] = ("count", "has an empty cell between digits")


class Written(NamedTuple):
    """What some signs mean."""

    value: Value
    """None for no signs, and for signs that mean nothing."""
    broken: Known | None = None
    """The kind of the first constraint that they break."""
    problem: str = ""
    """That in words."""


def meaning(field: Field, cells: str, use: frozenset[Known]) -> Written:
    """The meaning of a written field's cells: a digit each, or a space.

    Only the kinds of constraints in `use` are asked; signs without a meaning, such as a 13th month, break one
    in any case.
    """
    if not cells.strip():
        return Written(None)
    if field.kind == "date":
        return _date(field, cells, use)
    if field.kind == "time":
        return _time(field, cells, use)
    front = cells[: field.cells - field.decimals]
    digits = cells.strip() if not field.decimals else ""
    if field.decimals:
        places = cells[field.cells - field.decimals :].rstrip()
        if " " in front.strip() or " " in places:
            return Written(None, *_GAP)
        digits = front.strip() + places.ljust(field.decimals, "0")
    if " " in digits:
        digits = digits.replace(" ", "")
        if "count" in use:
            return Written(digits if field.kind == "digits" else int(digits), *_GAP)
    return _checked(field, digits, use)


def shown(field: Field, cells: str) -> str:
    """A field's cells as text: separators as printed, "_" for an empty cell between others."""
    if not cells.strip():
        return ""
    marks = separators(field)
    signs = [f"{marks.get(count, '')}{sign}" for count, sign in enumerate(cells.replace(" ", "_"))]
    text = "".join(signs)
    return text if field.format else text.strip("_")


def in_units(field: Field, value: Value) -> str:
    """A value as people write it: 12, 9.50, 2026-01-31, 08:30; digits as they are."""
    if not isinstance(value, int):
        return value or ""
    if field.kind == "date":
        return date.fromordinal(value).isoformat()
    if field.kind == "time":
        return f"{value // 60:02}:{value % 60:02}"
    if field.decimals:
        front, places = divmod(value, 10**field.decimals)
        return f"{front}.{places:0{field.decimals}}"
    return str(value)


def _checked(field: Field, digits: str, use: frozenset[Known]) -> Written:
    """The value of digits that stand side by side."""
    value: Value = digits if field.kind == "digits" else int(digits)
    if "count" in use and len(digits) < field.fewest:
        return Written(value, "count", f"has {len(digits)} of {field.fewest} digits")
    if isinstance(value, int) and (problem := _out_of_range(field, value, use)):
        return Written(value, "range", problem)
    if field.check and "check" in use and not checkdigits.fits(digits, field.check):
        return Written(value, "check", f"its check digit ({field.check}) is wrong")
    if field.members is not None and "list" in use and str(value) not in field.members:
        return Written(value, "list", f"is not in {field.source}")
    return Written(value)


def _out_of_range(field: Field, value: int, use: frozenset[Known]) -> str:
    if "range" not in use:
        return ""
    if field.smallest is not None and value < field.smallest:
        return f"is less than {in_units(field, field.smallest)}"
    if field.largest is not None and value > field.largest:
        return f"is more than {in_units(field, field.largest)}"
    return ""


def _date(field: Field, cells: str, use: frozenset[Known]) -> Written:
    parts = _parts(field, cells)
    year = parts["Y"]
    if " " in year or any(not parts[part].strip() for part in "DM"):
        return Written(None, *_GAP)
    try:
        found = date(int(year) + 2000 * (len(year) == 2), int(parts["M"]), int(parts["D"])).toordinal()
    except ValueError:
        return Written(None, "range", "is not a date")
    problem = _out_of_range(field, found, use)
    return Written(found, "range", problem) if problem else Written(found)


def _time(field: Field, cells: str, use: frozenset[Known]) -> Written:
    parts = _parts(field, cells)
    if " " in parts["M"] or not parts["H"].strip():
        return Written(None, *_GAP)
    hour, minute = int(parts["H"]), int(parts["M"])
    if hour > 23 or minute > 59:
        return Written(None, "range", "is not a time")
    found = hour * 60 + minute
    problem = _out_of_range(field, found, use)
    return Written(found, "range", problem) if problem else Written(found)


def _parts(field: Field, cells: str) -> dict[str, str]:
    """The cells of each of a format's letters."""
    letters = [letter for letter in field.format if letter.isalpha()]
    parts: dict[str, str] = {}
    for letter, sign in zip(letters, cells, strict=True):
        parts[letter] = parts.get(letter, "") + sign
    return parts
