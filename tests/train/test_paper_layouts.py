"""Layouts of generated paper: seeded, of any size, with the classes and numbers that they promise."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.layouts import EMPTY, HELD_OUT, LAYOUTS, WEIGHTS
from digitlens_train.paper.material import Material

RULED = ("ruled", "squared", "square_digits", "table", "scorecard", "sudoku", "comb", "boxes", "bubbles")
LABELED = ("form", "exam_cover", "annotated", "keys", "printed_page", "printed_numbers", "calendar")
LETTERED = ("lists", "notes", "words", "marks", "sums", "equations", "scribbles", "symbols", "struck_list")


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


def test_weights() -> None:
    assert set(WEIGHTS) == set(LAYOUTS)
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert {name for name, weight in WEIGHTS.items() if not weight} == set(HELD_OUT)
    assert set(EMPTY) <= set(LAYOUTS)
