"""Sheets under a camera: each taken once, when it lies still with nothing on it, whatever a hand does."""

import numpy as np
import pytest

pytest.importorskip("zxingcpp", reason="needs the extra sheets")
pytest.importorskip("fpdf", reason="needs the extra sheets")

from digitlens.config.parameters.sheet_watch import SheetWatchParameters
from digitlens.core.arrays import Gray
from digitlens.core.sheet_rows import SeenSheet
from digitlens.outlets.sheet_rows import SheetRows
from digitlens.sheets.fields import Template
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.template import load
from digitlens.sheets.watch import SheetTracker, SheetWatch
from tests.edge.sheets import filled, laid

FORM = """
title = "Counts"
[[field]]
name = "one"
kind = "integer"
cells = 3
[[field]]
name = "two"
kind = "integer"
cells = 3
[[field]]
name = "sum"
kind = "integer"
cells = 4
[rules]
sum = "one + two"
"""


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Template:
    path = tmp_path_factory.mktemp("form") / "counts.toml"
    path.write_text(FORM)
    return load(path)


@pytest.fixture(scope="module")
def reader(form: Template) -> SheetReader:
    return SheetReader.load(form)


@pytest.fixture(scope="module")
def pages(form: Template, digits: tuple[Gray, Gray]) -> list[Gray]:
    """Sheets 7 and 8."""
    hand = filled.clear_digits(digits)
    each = {7: {"one": " 52", "two": "318", "sum": " 370"}, 8: {"one": "104", "two": " 66", "sum": " 170"}}
    return [filled.page(form, texts, hand, serial) for serial, texts in each.items()]


def test_each_sheet_is_taken_once(reader: SheetReader, form: Template, pages: list[Gray]) -> None:
    rows, drafts, lines = SheetRows(form.name), [], list[str]()

    def taken(seen: SeenSheet) -> str:
        draft, line = rows.take(seen)
        drafts.append(draft)
        return line

    parameters = SheetWatchParameters(sharpest=1)
    watch, tracker = SheetWatch(reader, taken, lines.append, parameters), SheetTracker()
    shown = []
    for number, frame in enumerate(laid.film([pages[0], pages[1], pages[0]])):
        tracker.update(watch.read(frame, "film", number / laid.RATE), frame)
        shown.append([one.number.text for one in tracker.numbers])
    assert [draft and draft.number for draft in drafts] == [7, 8, None]
    assert [line for line in lines if "taken" in line] == [
        "counts 7 taken; lay the next one",
        "counts 8 taken; lay the next one",
        "counts 7 was taken before, and says the same; lay the next one",
    ]
    for draft, name, value in zip(drafts, ("sum", "one"), (370, 104), strict=False):
        assert draft is not None
        assert draft.sheet is not None
        assert draft.sheet.fields[name].value == value
    assert shown[0] == []
    assert shown[-1] == ["52", "318", "370"]


def test_nothing_is_taken_while_something_lies_on_the_sheet(reader: SheetReader, pages: list[Gray]) -> None:
    taken, lines = list[SeenSheet](), list[str]()

    def take(seen: SeenSheet) -> str:
        taken.append(seen)
        return "taken"

    watch = SheetWatch(reader, take, lines.append)
    lying = list(laid.film(pages[:1]))[-1]
    covered = lying.copy()
    covered[150:250, 380:760] = 150  # over the first line of fields
    for number in range(12):
        watch.read(covered, "", number / laid.RATE)
    assert not taken
    assert any("something lies on the sheet" in line for line in lines)
    for number in range(12, 24):
        watch.read(lying, "", number / laid.RATE)
    assert [seen.serial for seen in taken] == [7]


def test_an_empty_table_is_said_once(reader: SheetReader) -> None:
    lines = list[str]()
    watch = SheetWatch(reader, lambda seen: "taken", lines.append)
    table = np.full((480, 640), 90, np.uint8)
    for number in range(60):
        assert watch.read(table, "", number / laid.RATE).numbers == ()
    assert len(lines) == 1
    assert lines[0].startswith("no sheet is taken: ")
