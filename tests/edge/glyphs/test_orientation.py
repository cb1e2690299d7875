"""Which way is up, and boxes in the picture as it stands."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Classifier
from digitlens.core.arrays import Floats, Gray
from digitlens.glyphs.normalize import to_mnist
from digitlens.glyphs.orientation import turned, turned_back, upright_turn
from digitlens.paper.page import Glyph
from tests.edge.ink import find_glyphs
from tests.edge.pages import write

Digits = tuple[Gray, Gray]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def _turn(glyphs: list[Glyph], classifier: Classifier) -> int:
    def classify(some: list[Glyph]) -> Floats:
        return classifier.probabilities(to_mnist(some))

    return upright_turn(glyphs, classify)


def _glyphs(text: str, digits: Digits) -> list[Glyph]:
    """Glyphs of real digits, without any network."""
    x, y = digits
    inks = [x[np.flatnonzero(y == int(sign))[place]] for place, sign in enumerate(text)]
    return [Glyph((40 * place, 0, 28, 28), ink) for place, ink in enumerate(inks)]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (3, 5, 7, 2), (38, 20, 2, 4), (0, 23, 40, 1)])
def test_a_box_is_turned_back(turn: int, box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    page = np.zeros((24, 40), np.uint8)
    page[y : y + height, x : x + width] = 255
    there = cv2.boundingRect(turned(page, turn))
    assert turned_back(tuple(there), turn, (40, 24)) == box  # type: ignore[arg-type]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_four_turns_are_none(turn: int) -> None:
    page = np.random.default_rng(1).integers(0, 256, (24, 40)).astype(np.uint8)
    np.testing.assert_array_equal(turned(turned(page, turn), (4 - turn) % 4), page)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_glyphs_say_which_way_is_up(digits: Digits, classifier: Classifier, turn: int) -> None:
    glyphs = [
        Glyph(glyph.box, np.ascontiguousarray(np.rot90(glyph.ink, turn)))
        for glyph in _glyphs("2027354", digits)
    ]
    assert (_turn(glyphs, classifier) + turn) % 4 == 0


@pytest.mark.parametrize("text", ["8", "0", "1", "11", "808", "69", "6", "9"])
def test_what_reads_both_ways_stays(digits: Digits, classifier: Classifier, text: str) -> None:
    assert _turn(_glyphs(text, digits), classifier) == 0


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_the_example_in_four_turns(root: Path, classifier: Classifier, turn: int) -> None:
    sheet: npt.NDArray[np.uint8] = np.asarray(
        cv2.imread(str(root / "examples" / "sheet.jpg"), cv2.IMREAD_GRAYSCALE), np.uint8
    )
    assert (_turn(find_glyphs(turned(sheet, turn)), classifier) + turn) % 4 == 0


def test_a_page_without_glyphs_stands() -> None:
    assert upright_turn([], lambda glyphs: pytest.fail("classifies nothing")) == 0


def test_a_sure_page_is_looked_at_once(digits: Digits, classifier: Classifier) -> None:
    calls: list[int] = []

    def classify(some: list[Glyph]) -> Floats:
        calls.append(len(some))
        return classifier.probabilities(to_mnist(some))

    assert upright_turn(find_glyphs(write("40716", digits)), classify) == 0
    assert calls == [5]
