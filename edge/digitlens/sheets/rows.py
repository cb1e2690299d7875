"""Pages of forms -> rows: one a sheet, its pages joined by their serial number."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from digitlens.sheets.fields import Template
from digitlens.sheets.readings import DOUBTFUL, FieldReading, PageReading, Value

HEAD = ("source", "serial", "state")
"""Columns before the fields."""


@dataclass
class SheetRow:
    """A sheet: what its pages say.

    Attributes:
        serial: the copy's; 0 without.
        pages: by number.
    """

    serial: int
    pages: dict[int, PageReading] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, FieldReading]:
        """Of all its pages."""
        return {name: one for _, page in sorted(self.pages.items()) for name, one in page.fields.items()}

    @property
    def source(self) -> str:
        """The pictures that it was read from."""
        return ", ".join(dict.fromkeys(page.source for _, page in sorted(self.pages.items())))

    @property
    def state(self) -> str:
        """sure, or what most needs a look: rule, unreadable, doubt."""
        found = {one.state for one in self.fields.values()}
        return next((state for state in ("rule", "unreadable", "doubt") if state in found), "sure")

    def cells(self, template: Template) -> list[Value]:
        """The row below `header`."""
        fields = self.fields
        values = [fields[name].value if name in fields else None for name in template.fields]
        return [self.source, self.serial or None, self.state, *values]


class Rows:
    """Rows in the order in which sheets were first seen; a page seen again takes the older one's place."""

    def __init__(self) -> None:
        self._rows: list[SheetRow] = []
        self._by_serial: dict[int, SheetRow] = {}

    def add(self, page: PageReading) -> bool:
        """Take in a page; whether it took the place of another picture of it.

        Pages without a serial number that follow each other are one sheet until one of them comes again.
        """
        row = self._by_serial.get(page.serial) if page.serial else self._last()
        if row is not None and not page.serial and page.page in row.pages:
            row = None
        if row is None:
            row = SheetRow(page.serial)
            self._rows.append(row)
            if page.serial:
                self._by_serial[page.serial] = row
        again = page.page in row.pages
        row.pages[page.page] = page
        return again

    def _last(self) -> SheetRow | None:
        return self._rows[-1] if self._rows and not self._rows[-1].serial else None

    def __iter__(self) -> Iterator[SheetRow]:
        return iter(self._rows)


def header(template: Template) -> list[str]:
    """The columns' names."""
    return [*HEAD, *template.fields]


def broken_rules(row: SheetRow) -> list[tuple[str, FieldReading]]:
    """The fields in which a rule is broken."""
    return [(name, one) for name, one in row.fields.items() if one.state == "rule"]


def doubtful(row: SheetRow) -> list[tuple[str, FieldReading]]:
    """The fields that a person should look at."""
    return [(name, one) for name, one in row.fields.items() if one.state in DOUBTFUL]
