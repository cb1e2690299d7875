"""A template's [rules] -> rules over its fields."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from digitlens.config.toml_text import Place
from digitlens.config.values import Invalid
from digitlens.sheets.expressions import Rule, RuleProblem, parse
from digitlens.sheets.fields import Field, Table

MAX_LENGTH = 2000
"""Letters of a rule at most."""
_COUNTED = ("integer", "decimal", "date", "time")
"""Kinds whose values a rule can calculate with."""


def rules_of(
    section: Mapping[str, object], fields: Mapping[str, Field], tables: Mapping[str, Table]
) -> tuple[Rule, ...]:
    """The rules of the section [rules]: `FIELD = "expression"`, or `any_name = "a comparison"`.

    TABLE.COLUMN means all of a column within sum(), and without it makes the rule one of each row.

    Raises:
        Invalid: a rule is none, or is over a field that is not there.
    """
    found: list[Rule] = []
    for place, key, text in _texts(section, ("rules",)):
        if len(text) > MAX_LENGTH:
            raise Invalid(place, f"has more than {MAX_LENGTH} letters")
        rule = text if re.search("[<>=]", text) else f"{key} = {text}"
        names = _Names(fields, tables)
        try:
            first = parse(rule, names.resolve)
            if not names.of_rows:
                found.append(first)
                continue
            (table,) = names.of_rows
            for row in range(1, len(tables[table].rows) + 1):
                names.row = row
                one = parse(rule, names.resolve)
                found.append(replace(one, text=f"{one.text} in row {row}"))
        except RuleProblem as problem:
            raise Invalid(place, str(problem)) from problem
    return tuple(found)


def _texts(section: Mapping[str, object], place: Place) -> Iterator[tuple[Place, str, str]]:
    """Each rule's place, its key without the section, and its text; table.total may come as a nested key."""
    for key, value in section.items():
        inner = (*place, key)
        if isinstance(value, dict):
            yield from _texts(value, inner)
        elif isinstance(value, str):
            yield inner, ".".join(inner[1:]), value
        else:
            raise Invalid(inner, 'must be text in quotes: "a + b", or "end >= start"')


class _Names:
    """What the names in a rule stand for."""

    def __init__(self, fields: Mapping[str, Field], tables: Mapping[str, Table]) -> None:
        self.fields, self.tables, self.row = fields, tables, 1
        self.of_rows: list[str] = []

    def resolve(self, name: str, in_sum: bool) -> tuple[str, ...]:
        table, _, column = name.partition(".")
        if table in self.tables and any(one.name == column for one in self.tables[table].columns):
            rows = range(1, len(self.tables[table].rows) + 1)
            if not in_sum:
                self._add_rows(table)
                rows = range(self.row, self.row + 1)
            return tuple(self._checked(f"{table}.{row}.{column}") for row in rows)
        if in_sum:
            raise RuleProblem(f"sum() takes TABLE.COLUMN, and there is no column {name}")
        return (self._checked(name),)

    def _add_rows(self, table: str) -> None:
        if table not in self.of_rows:
            self.of_rows.append(table)
        if len(self.of_rows) > 1:
            raise RuleProblem(f"goes over the rows of two tables, {' and '.join(self.of_rows)}")

    def _checked(self, name: str) -> str:
        if name not in self.fields:
            raise RuleProblem(f"there is no field {name}")
        kind = self.fields[name].kind
        if kind not in _COUNTED:
            raise RuleProblem(f"{name} is {kind}, and a rule calculates with {', '.join(_COUNTED)}")
        return name
