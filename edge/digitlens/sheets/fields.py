"""A form's fields, its rules, and the template that holds them: values that printing and reading share."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from digitlens.sheets.expressions import Rule

Kind = Literal["integer", "decimal", "digits", "date", "time", "tick", "choice"]
Check = Literal["luhn", "mod11", "mod97", "ean"]
Point = tuple[float, float]
"""x and y, millimeters from the page's top left corner."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value to be written by hand: a comb of equally wide cells in a row.

    Integers, dates and so on are counted in units: a decimal's last place, a date's day (of the proleptic
    Gregorian calendar, as date.toordinal), a time's minute since midnight.
    """

    name: str
    """The key of its value; of a table's field TABLE.ROW.COLUMN, the row from 1."""
    label: str
    """The text above its comb; empty in a table, whose header has it."""
    kind: Kind
    cells: int
    """Digits at most; 1 of a tick, and as many as there are choices of a choice."""
    fewest: int = 1
    """Digits at least, where there are any."""
    smallest: int | None = None
    """The smallest value that is allowed, units."""
    largest: int | None = None
    """The largest value that is allowed, units."""
    decimals: int = 0
    """Cells behind the decimal separator, which is printed."""
    required: bool = False
    """Whether it must be filled in; in a table of empty rows: once anything is written in its row."""
    check: Check | None = None
    """The kind of its check digits, the last of its digits."""
    members: frozenset[str] | None = None
    """All values that are allowed, as digits; None without a list."""
    source: str = ""
    """The list as the template names it: FILE.csv:COLUMN."""
    choices: tuple[str, ...] = ()
    """What a choice chooses from, in the order of its cells."""
    format: str = ""
    """Of a date or a time: DD.MM.YYYY or HH:MM, a letter a cell, the separators printed between cells."""
    heading: str = ""
    """A text above it, on a line of its own."""
    table: str = ""
    """The table that it is in; empty outside of one."""
    row: int = 0
    """Its row in the table, from 1."""
    column: str = ""
    """Its column in the table."""
    at: Point | None = None
    """The top left corner of its comb, where it is placed by hand."""
    page: int = 1
    """The page on which it is placed by hand, from 1."""
    is_comb: bool = True
    """Whether lines part its cells; otherwise it is written in freely."""
    cell_mm: Point = (6.5, 8.0)
    """Width and height of a cell, millimeters."""
    blackened: bool = dataclasses.field(default=False, repr=False)
    """Of a tick or a choice: whether a blackened cell is marked; else it may be one that is taken back.
    It is not printed: left out of repr, it is no part of the template's version."""

    @property
    def is_marked(self) -> bool:
        """Whether its cells are marked, instead of written in."""
        return self.kind in ("tick", "choice")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of fields below a header."""

    name: str
    label: str
    """The heading above it."""
    row_label: str
    """The header of the rows' labels."""
    rows: tuple[str, ...]
    """Each row's printed label; of rows without labels "", and the number of the row is printed."""
    columns: tuple[Field, ...]
    """The fields of each row, named by the column alone; label is the header."""
    at: Point | None = None
    """The top left corner of its header, where it is placed by hand."""
    page: int = 1
    """The page on which it is placed by hand, from 1."""


@dataclass(frozen=True)
class Template:
    """A form: its print, its fields and the constraints on them."""

    name: str
    """Lower-case letters, digits and dashes: what the code on the page calls it."""
    title: str
    paper: Literal["A4", "Letter"]
    landscape: bool
    note: str
    """The text below the title."""
    version: str
    """Six letters of a hash of everything that is printed; rules and lists may change, the version stays."""
    blocks: tuple[Field | Table, ...]
    """Fields and tables in the order of the file."""
    rules: tuple[Rule, ...]
    blank: str = ""
    """Path of the empty form, a PDF or a picture, of one that exists already: without fiducials and code."""
    blank_mm: Point | None = None
    """Width and height of that form, millimeters."""
    font: str = ""
    """Path of a TrueType font that has the template's letters; empty: Helvetica."""

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All fields by name, tables expanded, in the order in which they are filled in."""
        found: dict[str, Field] = {}
        for block in self.blocks:
            for field in expanded(block) if isinstance(block, Table) else (block,):
                found[field.name] = field
        return found


def expanded(table: Table) -> Sequence[Field]:
    """A table's fields, row by row, named TABLE.ROW.COLUMN."""
    from dataclasses import replace

    return [
        replace(
            column, name=f"{table.name}.{row}.{column.name}", label="", table=table.name, row=row,
            column=column.name,
        )
        for row in range(1, len(table.rows) + 1)
        for column in table.columns
    ]  # fmt: skip
