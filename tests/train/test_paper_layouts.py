"""Layouts of generated paper: seeded, of any size, with the classes and numbers that they promise."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.everyday import _two
from digitlens_train.paper.hand import NEAT_PENS, Hand
from digitlens_train.paper.layouts import EMPTY, HELD_OUT, LAYOUTS, WEIGHTS
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import Cell, Sheet

RULED = ("ruled", "squared", "square_digits", "table", "scorecard", "sudoku", "comb", "boxes", "bubbles",
         "mark_sheet", "exam_marks", "counts", "ledger")  # fmt: skip
LABELED = ("form", "exam_cover", "annotated", "keys", "printed_page", "printed_numbers", "calendar",
           "exam_marks", "slip")  # fmt: skip
LETTERED = ("lists", "notes", "words", "marks", "sums", "equations", "scribbles", "symbols", "struck_list",
            "counts", "one_sum")  # fmt: skip


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.load(None)


def drawn(name: str, material: Material, seed: int, size: tuple[int, int] = (210, 260)) -> Canvas:
    canvas = Canvas(*size)
    LAYOUTS[name](canvas, material, np.random.default_rng(seed), 26)
    return canvas


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_seed_gives_one_page(name: str, material: Material) -> None:
    first, again, other = (drawn(name, material, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.alpha, again.alpha)
    np.testing.assert_array_equal(first.tone, again.tone)
    assert first.numbers == again.numbers
    assert np.any(first.alpha != other.alpha)


@pytest.mark.parametrize("name", LAYOUTS)
def test_classes_and_numbers(name: str, material: Material) -> None:
    """Of four pages, at least one shows each class that the layout is there for."""
    pages = [drawn(name, material, seed) for seed in range(4)]
    seen = {kind for kind in Kind if any(np.any(page.alpha[kind]) for page in pages)}
    written = [number for page in pages for number in page.numbers if not number.printed]
    if name in EMPTY:
        assert Kind.DIGIT not in seen
        assert not written
    else:
        assert Kind.DIGIT in seen
        assert written
    assert all(number.text and min(number.box[2:]) > 0 for number in written)
    assert Kind.LINE in seen or name not in RULED
    assert Kind.PRINT in seen or name not in LABELED
    assert Kind.WRITING in seen or name not in LETTERED


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("height", [7, 150])
def test_the_smallest_canvas_and_any_height(name: str, height: int, material: Material) -> None:
    LAYOUTS[name](Canvas(64, 64), material, np.random.default_rng(height), height)


def test_numbers_stand_in_their_boxes(material: Material) -> None:
    """Most of the digits' ink on a page is in the boxes of its numbers."""
    page = drawn("free_rows", material, 1)
    outside = page.alpha[Kind.DIGIT].astype(np.int64)
    total = outside.sum()
    for number in page.numbers:
        x, y, width, height = number.box
        outside[max(0, int(y) - 2) : int(y + height) + 3, max(0, int(x) - 2) : int(x + width) + 3] = 0
    assert outside.sum() < 0.05 * total


@pytest.mark.parametrize("seed", range(8))
def test_one_number_stands_on_its_sheet(seed: int, material: Material) -> None:
    page = drawn("one_number", material, seed, (400, 300))
    assert len(page.numbers) == 1
    x, y, width, height = page.numbers[0].box
    assert -5 < x < x + width < 305
    assert -20 < y < y + height < 420


def test_two_numbers_of_a_cell_stand_apart(material: Material) -> None:
    """As many heights as asked for, but for the writer's unrest: one number's digits stand closer."""
    for seed in range(20):
        sheet = Sheet(Canvas(100, 400, neat=True), material, np.random.default_rng(seed), 30)
        _two(sheet, Cell(20, 30, 380, 70), 2, 60)
        boxes = [number.box for number in sheet.canvas.numbers]
        gaps = [second[0] - first[0] - first[2] for first, second in pairwise(boxes)]
        assert all(0.5 * 60 < gap < 1.5 * 60 for gap in gaps)


def test_neat_pages_are_written_with_care(material: Material) -> None:
    """Firm pens on thin lines, no page of ones; a page of the same seed that is not neat is another."""
    for seed in range(40):
        sheet = Sheet(Canvas(300, 300, neat=True), material, np.random.default_rng(seed), 30)
        assert NEAT_PENS[0] * 30 <= sheet.hand.pen <= NEAT_PENS[1] * 30
        assert sheet.thickness() <= 2.1
        assert sheet.hand.source != "small"
        assert not sheet.ones


def test_signs_part_a_number(material: Material) -> None:
    """Its parts stand in its box, side by side; points and commas part none."""
    canvas = Canvas(100, 400)
    hand = Hand.draw(np.random.default_rng(1), material, 30, source="drawn")
    for k, text in enumerate(("8/12-3", "-264", "12.50", "7")):
        hand.number(canvas, text, 20, 10 + 20 * k)
    dates, negative, price, digit = canvas.numbers
    assert [part.text for part in dates.parts] == ["8", "12", "3"]
    assert [part.text for part in negative.parts] == ["264"]
    assert price.parts == (price,)
    assert digit.parts == (digit,)
    for first, second in pairwise(dates.parts):
        assert first.box[0] + first.box[2] < second.box[0]
    for number in (dates, negative):
        x, _, width, _ = number.box
        assert all(x - 1 < part.box[0] and part.box[0] + part.box[2] < x + width + 1 for part in number.parts)


def test_weights() -> None:
    assert set(WEIGHTS) == set(LAYOUTS)
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert {name for name, weight in WEIGHTS.items() if not weight} == set(HELD_OUT)
    assert set(EMPTY) <= set(LAYOUTS)
