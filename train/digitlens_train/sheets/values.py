"""Values that a form's rules allow, drawn at random: what its sheets are filled in with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from digitlens.sheets import checkdigits
from digitlens.sheets.expressions import Rule
from digitlens.sheets.fields import Field, Template
from digitlens_train.data import DataError

FILLED = 0.85
"""Share of the fields that need not be filled in, and are; of a tick, TICKED."""
TICKED = 0.3
TRIES = 400
"""Draws of a sheet until all its rules hold."""


@dataclass(frozen=True)
class Written:
    """What is written in a field.

    Attributes:
        cells: a digit of each cell, or ""; of ticks and choices "x" or "".
        value: as FieldDecision has it; None where it is empty.
    """

    cells: tuple[str, ...]
    value: int | float | str | bool | None


def draw(random: np.random.Generator, template: Template) -> dict[str, Written]:
    """Values of all fields that keep to the template's rules.

    Raises:
        DataError: none were found.
    """
    fields = template.fields
    for _ in range(TRIES):
        rows = _filled_rows(random, template)
        units = {name: _units(random, field, rows) for name, field in fields.items()}
        if _kept(random, template, units, rows):
            return {name: _written(random, field, units[name]) for name, field in fields.items()}
    raise DataError(f"{template.name}: no values found that keep to its rules")


def _filled_rows(random: np.random.Generator, template: Template) -> dict[str, int]:
    """How many rows of each table of empty rows are filled in."""
    from digitlens.sheets.fields import Table

    tables = [block for block in template.blocks if isinstance(block, Table)]
    return {
        table.name: len(table.rows) if any(table.rows) else int(random.integers(1, len(table.rows) + 1))
        for table in tables
    }


def _units(random: np.random.Generator, field: Field, rows: Mapping[str, int]) -> str | int | None:
    """A value: digits as text, a choice's or a tick's number, all else in the field's units."""
    if field.table and field.row > rows[field.table]:
        return None
    if field.kind == "tick":
        return 1 if random.random() < TICKED else None
    if not field.required and random.random() > FILLED:
        return None
    if field.kind == "choice":
        return int(random.integers(len(field.choices)))
    if field.members is not None:
        members = sorted(field.members)
        member = members[int(random.integers(len(members)))]
        return int(member) if field.kind == "integer" else member
    if field.kind == "digits":
        return _digits(random, field)
    low = field.smallest or 0
    high = field.largest if field.largest is not None else _most(field)
    if field.kind in ("date", "time"):
        if field.kind == "date":
            low, high = max(low, date(2020, 1, 1).toordinal()), min(high, date(2039, 12, 31).toordinal())
        return int(random.integers(low, high + 1))
    if random.random() < 0.5:  # small numbers, of all lengths
        top = max(1, high - low)
        return low + min(top, int(np.exp(random.uniform(0, np.log(top + 1)))))
    return int(random.integers(low, high + 1))


def _most(field: Field) -> int:
    if field.kind == "time":
        return 24 * 60 - 1
    return date(2099, 12, 31).toordinal() if field.kind == "date" else 10**field.cells - 1


def _digits(random: np.random.Generator, field: Field) -> str:
    while True:
        length = int(random.integers(field.fewest, field.cells + 1))
        text = "".join(map(str, random.integers(0, 10, length).tolist()))
        if field.check is None:
            return text
        for end in range(100 if field.check == "mod97" else 10):
            wide = 2 if field.check == "mod97" else 1
            fitting = text[:-wide] + f"{end:0{wide}}"
            if checkdigits.fits(fitting, field.check):
                return fitting


def _kept(
    random: np.random.Generator,
    template: Template,
    units: dict[str, str | int | None],
    rows: Mapping[str, int],
) -> bool:
    """Whether all rules hold, sums being written where they belong and the rest drawn again a few times."""
    fields = template.fields
    for _ in range(3):
        for rule in template.rules:
            if _holds(rule, fields, units):
                continue
            if not _set(rule, fields, units):
                for _ in range(30):
                    for name in rule.fields:
                        units[name] = _units(random, fields[name], rows)
                    if _holds(rule, fields, units):
                        break
    return all(_holds(rule, fields, units) for rule in template.rules)


def _value(field: Field, units: str | int | None) -> Fraction | None:
    return None if units is None else Fraction(int(units), 10**field.decimals)


def _holds(rule: Rule, fields: Mapping[str, Field], units: Mapping[str, str | int | None]) -> bool:
    return rule.holds({name: _value(fields[name], units[name]) for name in rule.fields})


def _set(rule: Rule, fields: Mapping[str, Field], units: dict[str, str | int | None]) -> bool:
    """Write a sum where a rule has one field alone on its left; whether it fits there."""
    if (
        rule.relation != "="
        or len(rule.left) != 1
        or len(rule.left[0].fields) != 1
        or rule.left[0].factor != 1
    ):
        return False
    (name,) = rule.left[0].fields
    total = Fraction(0)
    for factor, names in rule.right:
        for one in names:
            factor *= _value(fields[one], units[one]) or 0
        total += factor
    field = fields[name]
    scaled = total * 10**field.decimals
    high = field.largest if field.largest is not None else _most(field)
    if scaled.denominator != 1 or not (field.smallest or 0) <= scaled <= high:
        return False
    units[name] = int(scaled)
    return True


def _written(random: np.random.Generator, field: Field, units: str | int | None) -> Written:
    """The value in its cells: numbers begin in the first one, or end in the last."""
    if field.kind == "tick":
        return Written(("x" if units else "",), bool(units))
    if units is None:
        return Written(("",) * field.cells, None)
    if field.kind == "choice":
        return Written(
            tuple("x" if k == units else "" for k in range(field.cells)), field.choices[int(units)]
        )
    if field.kind == "digits":
        text = str(units)
        return Written((*text, *[""] * (field.cells - len(text))), text)
    if field.kind == "time":
        text = f"{int(units) // 60:02}{int(units) % 60:02}"
        return Written(tuple(text), f"{text[:2]}:{text[2:]}")
    if field.kind == "date":
        day = date.fromordinal(int(units))
        text, place = "", 0
        while place < len(field.format):
            letter = field.format[place]
            length = len(field.format[place:]) - len(field.format[place:].lstrip(letter))
            if letter.isalpha():
                number = {"D": day.day, "M": day.month, "Y": day.year}[letter]
                text += f"{number:0{length}}"[-length:]
            place += length
        return Written(tuple(text), day.isoformat())
    text = f"{int(units):0{field.decimals + 1}}"
    blank = [""] * (field.cells - len(text))
    to_the_right = field.kind == "decimal" or random.random() < 0.5
    value = int(units) if field.kind == "integer" else int(units) / 10**field.decimals
    return Written((*blank, *text) if to_the_right else (*text, *blank), value)
