"""Forms of others: black lines, tables whose corners are all alike, boxes that are to be blackened."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fpdf", reason="needs the extra sheets")
pytest.importorskip("pypdfium2", reason="needs the extra sheets")

from digitlens.core.arrays import Doubles, Gray
from digitlens.sheets import foreign
from digitlens.sheets.aligned import Form
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.template import load
from tests.edge.sheets import filled

PER_MM = 5
ROWS, TOP, LEFT, WIDE, TALL = 8, 60.0, 70.0, 30.0, 9.0
"""Of a table's cells that are written in, millimeters."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of a PDF: a table with black borders, eight rows by three columns, and one box below."""
    import fpdf

    folder = tmp_path_factory.mktemp("table")
    page = fpdf.FPDF()
    page.set_auto_page_break(False)
    page.add_page()
    page.set_font("Helvetica", size=20)
    page.text(20, 30, "Stock of the workshop")
    page.set_font("Helvetica", size=10)
    page.text(20, 45, "Count each article, and write the numbers into the table.")
    page.set_line_width(0.35)
    text = 'title = "Stock"\nblank = "stock.pdf"\npaper = "A4"\n'
    for row in range(ROWS):
        top = TOP + TALL * row
        page.rect(20, top, 50, TALL)
        page.text(
            22, top + 6, ("Bolts", "Nuts", "Washers", "Screws", "Hinges", "Hooks", "Nails", "Wire")[row]
        )
        for column in range(3):
            left = LEFT + WIDE * column
            page.rect(left, top, WIDE, TALL)
            text += (
                f'[[field]]\nname = "n_{column}_{row}"\nkind = "integer"\ncells = 3\ncomb = false\n'
                f"at = [{left}, {top}]\ncell = [10, {TALL}]\n"
            )
    page.rect(20, 150, 5, 5)
    page.text(28, 154, "counted twice")
    text += '[[field]]\nname = "twice"\nkind = "tick"\nblackened = true\nat = [20, 150]\ncell = [5, 5]\n'
    page.output(str(folder / "stock.pdf"))
    (folder / "stock.toml").write_text(text)
    return folder / "stock.toml"


def photo(form: Form, digits: tuple[Gray, Gray]) -> tuple[Gray, Doubles]:
    """A page with 42 in one row and the box blackened, tilted, sharpened; and the homography to it."""
    page = form.page(1)
    assert isinstance(page, foreign.ForeignPage)
    gray = page.picture(PER_MM).copy()
    hand = filled.clear_digits(digits)
    for place, sign in enumerate("42"):
        filled._write(gray, hand[sign], (round((LEFT + 8 + 7 * place) * PER_MM), round(TOP * PER_MM), 34, 45))
    cv2.rectangle(gray, (103, 753), (122, 772), (50,), -1)
    height, width = gray.shape
    start = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    end = np.array([[120, 60], [1090, 130], [1060, 1500], [50, 1430]], np.float32)
    move = cv2.getPerspectiveTransform(start, end)
    seen = cv2.warpPerspective(gray, move, (1160, 1560), borderValue=(90,))
    soft = cv2.GaussianBlur(seen, (0, 0), 0.8)
    sharp = cv2.addWeighted(soft, 2.0, cv2.GaussianBlur(soft, (0, 0), 1.5), -1.0, 0)
    return np.asarray(np.clip(0.8 * sharp, 0, 255), np.uint8), move @ np.diag([PER_MM, PER_MM, 1.0])


def test_a_table_of_black_lines_is_found_and_its_empty_boxes_are_empty(
    table: Path, digits: tuple[Gray, Gray]
) -> None:
    reader = SheetReader.load(load(table))
    picture, truth = photo(reader.form, digits)
    seen = reader.seen(picture)
    places = np.array([placed.box[:2] for placed in reader.form.layout.on_page(1)], np.float64)
    meant = cv2.perspectiveTransform(places[np.newaxis], truth)[0]
    assert np.hypot(*(seen.page.aligned.in_picture(places) - meant).T).max() < 2.0  # pixels, 0.4 mm
    fields = reader.decided(seen, "").fields
    assert fields.pop("n_0_0").value == 42
    twice = fields.pop("twice")
    assert (twice.value, twice.state) == (True, "sure")
    assert {one.state for one in fields.values()} == {"empty"}


def test_corners_that_are_alike_are_paired_once_and_no_page_is_a_point(table: Path) -> None:
    random = np.random.default_rng(0)
    own = random.integers(0, 256, (60, 32)).astype(np.uint8)
    own[20:] = own[20]  # the corners of a table's lines
    pairs = foreign._matched(own, own[:21].copy(), 0.8)
    assert sorted(pairs[:, 1].tolist()) == list(range(21))
    paper = Form(load(table)).layout.paper_mm
    point = np.array([[1500.0, 1500, 3], [620, 620, 1], [1, 1, 0.002]])
    tilted = np.array([[5.0, 0.4, 100], [-0.3, 5, 80], [2e-4, 3e-4, 1]])
    assert [foreign._is_page(one, paper, 3.0) for one in (tilted, point)] == [True, False]


def test_what_blackening_means_is_no_part_of_the_version(table: Path) -> None:
    other = table.with_name("other.toml")
    other.write_text(
        table.read_text().replace("blackened = true\n", "").replace('"Stock"', '"Stock"\nname = "stock"')
    )
    assert load(other).version == load(table).version
