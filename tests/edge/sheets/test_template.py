"""Templates: taken as they are written, or refused with the line."""

from pathlib import Path

import pytest

from digitlens.core.errors import TemplateError
from digitlens.sheets.layout import lay_out
from digitlens.sheets.template import load

GOOD = """\
title = "Form"

[[field]]
name = "count"
label = "How many"
kind = "integer"
largest = 250

[[table]]
name = "rows"
rows = ["first", "second"]

[[table.column]]
name = "points"
kind = "integer"
cells = 2

[[table.column]]
name = "price"
kind = "decimal"
cells = 4
decimals = 2

[[field]]
name = "total"
kind = "integer"
cells = 3

[rules]
total = "sum(rows.points)"
"""


def refused(folder: Path, text: str | bytes) -> str:
    path = folder / "form.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(TemplateError) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}")
    return line.removeprefix(f"{path}")


def test_fields_stand_in_the_order_of_the_file_and_tables_are_expanded(tmp_path: Path) -> None:
    (tmp_path / "form.toml").write_text(GOOD)
    template = load(tmp_path / "form.toml")
    assert list(template.fields) == [
        "count", "rows.1.points", "rows.1.price", "rows.2.points", "rows.2.price", "total",
    ]  # fmt: skip
    assert (template.name, template.paper, template.fields["count"].cells) == ("form", "A4", 3)
    price = template.fields["rows.2.price"]
    assert (price.table, price.row, price.column, price.decimals) == ("rows", 2, "price", 2)
    assert template.rules[0].fields == ("total", "rows.1.points", "rows.2.points")


def test_the_version_is_of_what_is_printed_alone(tmp_path: Path) -> None:
    path = tmp_path / "form.toml"
    versions = []
    for text in (
        GOOD, GOOD.replace("= 250", "= 200\nrequired = true"),
        GOOD.replace("[rules]", '[rules]\nmore = "count > total"'),
        GOOD.replace("How many", "Number"), GOOD.replace("cells = 3", "cells = 4"),
    ):  # fmt: skip
        path.write_text(text)
        versions.append(load(path).version)
    assert versions[0] == versions[1] == versions[2]
    assert len({versions[0], *versions[3:]}) == 3


CHANGES = {
    "two fields of one name": (
        'name = "total"',
        'name = "count"',
        ':25: [field.2] name: "count": there is another field or table of that name',
    ),
    "a field with a table's name": (
        'name = "total"',
        'name = "rows"',
        ':25: [field.2] name: "rows": there is another field or table of that name',
    ),
    "two columns of one name": (
        'name = "price"',
        'name = "points"',
        ':19: [table.1.column.2] name: "points": the table has another column of that name',
    ),
    "a field off the page": (
        "largest = 250",
        "largest = 250\nat = [180, 250]",
        ":8: [field.1] at: lies off the page: it takes 180 to 199.5 mm across, 250 to 258 down; there is "
        "room from 16 to 194 and 16 to 281",
    ),
    "a field over the code": (
        "largest = 250",
        "largest = 250\nat = [170, 30]",
        ":8: [field.1] at: lies over the code in the top right corner",
    ),
    "a field over another": (
        "largest = 250",
        "largest = 250\nat = [20, 43]",
        ":8: [field.1] at: count lies over rows.1.points",
    ),
    "a rule over a field that is not there": (
        "sum(rows.points)",
        "count + nobody",
        ":30: [rules] total: there is no field nobody",
    ),
    "a sum over a column that is not there": (
        "rows.points",
        "rows.marks",
        ":30: [rules] total: sum() takes TABLE.COLUMN, and there is no column rows.marks",
    ),
    "a rule that ends": (
        "sum(rows.points)",
        "count +",
        ":30: [rules] total: it ends where a field or a number must stand",
    ),
    "a rule with a sign": (
        "sum(rows.points)",
        "count % 2",
        ':30: [rules] total: "%" has no meaning in a rule',
    ),
    "a rule that divides": (
        "sum(rows.points)",
        "2 / count",
        ":30: [rules] total: divides by something that is not a number, or is 0",
    ),
    "a rule that is a number": (
        '"sum(rows.points)"',
        "7",
        ':30: [rules] total: must be text in quotes: "a + b", or "end >= start"',
    ),
    "a list that is not there": (
        "largest = 250",
        'list = "members.csv:number"',
        ":7: [field.1] list: {folder}/members.csv: no such file or folder",
    ),
    "a list without the column": (
        "largest = 250",
        'list = "list.csv:id"',
        ":7: [field.1] list: {folder}/list.csv has no column id; its first line has name, number",
    ),
    "a list of words": (
        "largest = 250",
        'list = "list.csv:name"',
        ':7: [field.1] list: list.csv:name has "A", which is not digits alone',
    ),
    "no cells": (
        "largest = 250",
        "",
        ":3: [field.1] cells: is missing; it must be the number of cells, 1 to 20",
    ),
    "too many cells": (
        "cells = 3",
        "cells = 50",
        ":27: [field.2] cells: 50: must be a whole number, 1 to 20",
    ),
    "too large": (
        "largest = 250",
        "largest = 250\ncells = 2",
        ":7: [field.1] largest: 250 does not fit into 2 cells",
    ),
    "below zero": (
        "largest = 250",
        "largest = -5",
        ":7: [field.1] largest: -5: must be a whole number from 0",
    ),
    "smallest above largest": (
        "largest = 250",
        "largest = 250\nsmallest = 300",
        ":8: [field.1] smallest: 300 is more than largest",
    ),
    "all cells decimals": (
        "decimals = 2",
        "decimals = 4",
        ":22: [table.1.column.2] decimals: 4 of 4 cells cannot be decimals",
    ),
    "a key of another kind": (
        "largest = 250",
        "largest = 250\ndecimals = 1",
        ":8: [field.1] decimals: belongs to decimal, and this is integer",
    ),
    "a misspelt key": ("label =", "lable =", ":5: [field.1] lable: no such setting; did you mean label?"),
    "an unknown kind": (
        'kind = "integer"\nlargest',
        'kind = "number"\nlargest',
        ':6: [field.1] kind: "number": must be one of '
        '"choice", "date", "decimal", "digits", "integer", "tick", "time"',
    ),
    "a name with a sign": (
        'name = "count"',
        'name = "the count"',
        ':4: [field.1] name: "the count": take a letter, then letters, digits and _, 40 at most',
    ),
    "no title": ('title = "Form"', "", ": title: is missing; it must be the text above the form"),
    "one bracket": (
        '[[field]]\nname = "total"',
        '[total]\nname = "total"',
        ":24: total: no such setting; did you mean title?",
    ),
    "no rows": (
        '["first", "second"]',
        "0",
        ":11: [table.1] rows: must be a number of empty rows, a list of labels in "
        'quotes, or "FILE.csv:COLUMN"',
    ),
    "a table that is too wide": (
        "cells = 4",
        "cells = 20\ncell = [8, 8]",
        ":13: [table.1] column: its columns are 193 mm wide, and the page has 170",
    ),
    "no TOML": (
        "largest = 250",
        "largest = two",
        ':7: not TOML: Invalid value: write it as "two" if it is text',
    ),
    "letters that the font lacks": (
        "How many",
        "Ile z\u0142otych",
        ':5: the letter \u0142 is not in Helvetica; name a TrueType font that has it: font = "FILE.ttf"',
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, change: str) -> None:
    (tmp_path / "list.csv").write_text("name,number\nA,12\nB,17\n")
    old, new, line = CHANGES[change]
    assert GOOD.count(old) == 1
    assert refused(tmp_path, GOOD.replace(old, new)) == line.format(folder=tmp_path)


def test_what_is_no_template_is_refused(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, 'title = "Empty"\n')
        == ": field: is missing; a template needs a [[field]] or a [[table]]"
    )
    assert refused(tmp_path, b'title = "\xff"').startswith(":1: not UTF-8")
    assert refused(tmp_path, "[" * 5000).startswith((": brackets", ":1: not TOML"))
    assert refused(tmp_path, f'{GOOD}more = "{"(" * 500}count > 0"\n').startswith(
        ":31: [rules] more: has more than 50 signs"
    )
    many = '[[table]]\nname = "t{}"\nrows = 500\n' + '[[table.column]]\nname = "a{}"\nkind = "tick"\n'
    tables = "\n".join(many.format(count, count) for count in range(8))
    assert "more than 3000 fields" in refused(tmp_path, f'title = "Long"\n{tables}')
    with pytest.raises(TemplateError, match="no such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(TemplateError):
        load(tmp_path)


def test_a_long_table_goes_on_on_the_next_page_below_its_header(tmp_path: Path) -> None:
    (tmp_path / "form.toml").write_text(GOOD.replace('["first", "second"]', "60"))
    template = load(tmp_path / "form.toml")
    layout = lay_out(template)
    assert layout.pages == 3
    assert [
        sum(text.text == "points" for text in layout.texts if text.page == page) for page in (1, 2, 3)
    ] == [1, 1, 1]
    for placed in layout.fields.values():
        x, y, width, height = placed.box
        assert x >= 20
        assert y >= 20
        assert x + width <= 190
        assert y + height <= 277
    boxes = [(placed.page, *placed.box) for placed in layout.fields.values()]
    assert not any(
        one[0] == other[0] and one[1] < other[1] + other[3] and other[1] < one[1] + one[3]
        and one[2] < other[2] + other[4] and other[2] < one[2] + one[4]
        for place, one in enumerate(boxes) for other in boxes[:place]
    )  # fmt: skip


@pytest.mark.parametrize("name", ["exam_marks", "inventory_count", "score_card"])
def test_the_shipped_templates_stand_on_one_page(root: Path, name: str) -> None:
    template = load(root / "examples" / "sheets" / f"{name}.toml")
    assert template.name == name.replace("_", "-")
    assert lay_out(template).pages == 1
    assert template.rules
