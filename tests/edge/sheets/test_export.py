"""Rows of sheets: pages joined by their serial number, CSV and XLSX as a spreadsheet takes them."""

import csv
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from digitlens.core.errors import SheetError
from digitlens.sheets import export
from digitlens.sheets.fields import Template
from digitlens.sheets.readings import FieldReading, PageReading, Value
from digitlens.sheets.rows import Rows
from digitlens.sheets.template import load

FORM = """
title = "Odd"
[[field]]
name = "count"
kind = "integer"
cells = 3
[[field]]
name = "price"
kind = "decimal"
cells = 4
decimals = 2
[[field]]
name = "kind"
kind = "choice"
choices = ["=1+1", "plain"]
[[field]]
name = "done"
kind = "tick"
"""
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def template(tmp_path: Path) -> Template:
    path = tmp_path / "odd.toml"
    path.write_text(FORM)
    return load(path)


def page(source: str, serial: int, number: int = 1, **values: Value) -> PageReading:
    fields = {
        name: FieldReading(value, str(value), 0.999, "sure", "", (0, 0, 9, 9))
        for name, value in values.items()
    }
    return PageReading(source, number, "odd", serial, 0.05, fields)


def rule_broken(source: str) -> PageReading:
    field = FieldReading(7, "7", 0.4, "rule", "breaks count = 8", (1, 2, 3, 4))
    return PageReading(source, 1, "odd", 9, 0.05, {"count": field})


def test_the_same_serial_again_is_an_update() -> None:
    rows = Rows()
    assert [rows.add(page("a.jpg", 1, count=1)), rows.add(page("b.jpg", 2, count=2))] == [False, False]
    assert rows.add(page("c.jpg", 1, count=3))
    assert [(row.serial, row.source, row.fields["count"].value) for row in rows] == [
        (1, "c.jpg", 3),
        (2, "b.jpg", 2),
    ]


def test_pages_of_one_serial_are_one_row_in_any_order() -> None:
    rows = Rows()
    for one in (page("2.jpg", 5, 2, price=1.5), page("x.jpg", 6, 1, count=4), page("1.jpg", 5, 1, count=3)):
        rows.add(one)
    first, second = rows
    assert (first.source, list(first.fields)) == ("1.jpg, 2.jpg", ["count", "price"])
    assert second.serial == 6


def test_without_serial_numbers_a_page_that_comes_again_begins_a_row() -> None:
    rows = Rows()
    for number in (1, 2, 1, 2):
        assert not rows.add(page("scan.pdf", 0, number, count=number))
    assert [sorted(row.pages) for row in rows] == [[1, 2], [1, 2]]


def test_csv(template: Template, tmp_path: Path) -> None:
    rows = Rows()
    rows.add(page("a.jpg", 1, count=12, price=9.5, kind="=1+1", done=True))
    rows.add(page("b.jpg", 2, count=None, price=None, kind=None, done=False))
    export.write_csv(tmp_path / "rows.csv", template, rows)
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["source", "serial", "state", "count", "price", "kind", "done"],
            ["a.jpg", "1", "sure", "12", "9.5", "'=1+1", "true"],
            ["b.jpg", "2", "sure", "", "", "", "false"],
        ]


def test_xlsx_has_no_formulas_and_shows_what_is_in_doubt(template: Template, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="needs the extra sheets")
    rows = Rows()
    rows.add(page("a.jpg", 1, count=12, price=9.5, kind="=1+1", done=True))
    rows.add(rule_broken("b.jpg"))
    crops = {("b.jpg", 1, "count"): np.full((60, 120), 200, np.uint8)}
    path = tmp_path / "rows.xlsx"
    export.write_xlsx(path, template, rows, crops)
    with zipfile.ZipFile(path) as book:
        names = book.namelist()
        sheets = [ElementTree.fromstring(book.read(f"xl/worksheets/sheet{k}.xml")) for k in (1, 2, 3)]  # noqa: S314
        texts = [
            "".join(one.itertext())
            for one in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314
        ]
    assert [name for name in names if name.startswith("xl/media/")] == ["xl/media/image1.png"]
    assert not [cell for sheet in sheets for cell in sheet.iter(f"{NAMESPACE}f")]
    assert "=1+1" in texts
    assert "breaks count = 8" in texts
    first = [cell for cell in sheets[0].iter(f"{NAMESPACE}c") if cell.get("r") in ("D2", "E2", "G2")]
    assert [(cell.get("t"), cell.findtext(f"{NAMESPACE}v")) for cell in first] == [
        (None, "12"),
        (None, "9.5"),
        ("b", "1"),
    ]


def test_a_file_that_cannot_be_written_is_named(template: Template, tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="no such file or folder"):
        export.write_csv(tmp_path / "none" / "rows.csv", template, Rows())
