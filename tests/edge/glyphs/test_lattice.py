"""Seams, joins and cuts, with real digits and the shipped network."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Classifier, Reader
from digitlens.config.parameters.glyphs import GlyphParameters, LatticeParameters
from digitlens.glyphs import lattice
from digitlens.glyphs.normalize import to_mnist
from digitlens.glyphs.seams import find_seams, split
from digitlens.paper.page import Glyph
from tests.edge.ink import TRACED, find_glyphs, page_of
from tests.edge.pages import ink_box, touch, write

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]


@pytest.fixture(scope="module")
def bridge() -> Gray:
    """Two discs, joined by a thin bar at column 50."""
    ink = np.zeros((60, 100), np.uint8)
    cv2.circle(ink, (25, 30), 22, (255,), -1)
    cv2.circle(ink, (75, 30), 22, (255,), -1)
    cv2.line(ink, (40, 30), (60, 30), (255,), 3)
    return ink


def test_a_seam_crosses_where_the_ink_is_thin(bridge: Gray) -> None:
    middle = [seam for seam in find_seams(bridge) if abs(seam.columns.mean() - 50) < 4]
    assert middle
    assert min(seam.cost for seam in middle) < 0.1
    assert all(seam.columns.shape == (60,) for seam in middle)


def test_a_split_loses_nothing(bridge: Gray) -> None:
    found = find_seams(bridge)
    assert found
    parts = split(bridge, found)
    assert len(parts) == len(found) + 1
    np.testing.assert_array_equal(np.sum(parts, axis=0, dtype=np.int64), bridge)
    assert np.max(np.count_nonzero(parts, axis=0)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 200), (200, 3), (9, 9)])
@pytest.mark.parametrize("level", [0, 255])
def test_seams_of_any_shape(shape: tuple[int, int], level: int) -> None:
    ink = np.full(shape, level, np.uint8)
    parts = split(ink, find_seams(ink))
    np.testing.assert_array_equal(np.sum(parts, axis=0, dtype=np.int64), ink)


def test_touching_digits_are_cut(reader: Reader, digits: Digits) -> None:
    """Pairs and triples that are one piece of ink each: more than half are read as they were written."""
    right = together = 0
    for which in range(6):
        for text in ("27", "50", "38", "94", "616", "380", "742"):
            page = touch(text, digits, which)
            together += len(find_glyphs(page)) < len(text)
            right += "".join(number.text for number in reader.read(page).numbers) == text
    assert together > 36
    assert right > 21


@pytest.mark.parametrize("gap", ["across", "along"])
@pytest.mark.parametrize("text", ["0", pytest.param("8", marks=TRACED), "3"])
def test_a_broken_digit_is_one(reader: Reader, digits: Digits, text: str, gap: str) -> None:
    page = write(text, digits, size=90)
    x, y, width, height = ink_box(page)
    if gap == "across":
        page[y + height // 2 - 1 : y + height // 2 + 2] = 220
    else:
        page[:, x + width // 2 - 1 : x + width // 2 + 2] = 220
    assert len(find_glyphs(page)) > 1 or gap == "across"
    assert [number.text for number in reader.read(page).numbers] == [text]


def test_sure_glyphs_stay_unchanged(digits: Digits) -> None:
    glyphs = find_glyphs(write("40716", digits))
    calls: list[int] = []
    classifier = Classifier.load()

    def classify(some: list[Glyph]) -> npt.NDArray[np.float32]:
        calls.append(len(some))
        return classifier.probabilities(to_mnist(some))

    resolved = lattice.resolve(glyphs, classify)
    assert calls == [5]
    assert resolved.parts == []
    assert {glyph.box for glyph in resolved.glyphs} == {glyph.box for glyph in glyphs}


def test_parameters_bound_seams_and_doubt(bridge: Gray, digits: Digits) -> None:
    assert len(find_seams(bridge, GlyphParameters(most_seams=1))) == 1
    assert all(seam.cost == 0 for seam in find_seams(bridge, GlyphParameters(seam_cost=0.0)))
    glyphs = find_glyphs(touch("27", digits, 0))
    classifier = Classifier.load()

    def classify(some: list[Glyph]) -> npt.NDArray[np.float32]:
        return classifier.probabilities(to_mnist(some))

    assert lattice.resolve(glyphs, classify).parts
    assert lattice.resolve(glyphs, classify, LatticeParameters(most_doubtful=0)).parts == []


def test_nothing_to_resolve() -> None:
    resolved = lattice.resolve([], lambda some: np.zeros((0, 10), np.float32))
    assert (resolved.glyphs, resolved.probabilities.shape) == ([], (0, 10))


def test_low_writing_is_enlarged(reader: Reader, digits: Digits) -> None:
    """Nine pixels high, in a small strip; the boxes are the picture's own all the same."""
    page = cv2.resize(write("40716258", digits), None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    gray = page.astype(np.uint8, copy=False)
    (number,) = reader.read(gray).numbers
    assert number.text == "40716258"
    x, y, width, height = number.box
    assert 0 <= x < x + width <= gray.shape[1]
    assert 6 <= height <= 14
    assert 0 <= y < y + height <= gray.shape[0]


def test_a_line_under_touching_feet(reader: Reader, digits: Digits) -> None:
    """One rule on which all the digits stand is no reason to take them for one sign."""
    page = write("3527", digits)
    page = np.pad(page, ((20, 40), (100, 100)), constant_values=220)
    _, top, _, height = ink_box(page)
    feet = top + height
    cv2.line(page, (0, feet - 2), (page.shape[1], feet), (130,), 2)
    assert [number.text for number in reader.read(page).numbers] == ["3527"]


@pytest.mark.parametrize("text", ["20716", "3527", "8888"])
@pytest.mark.parametrize("pen", [2, 6])
def test_a_line_from_side_to_side_of_a_strip(reader: Reader, digits: Digits, text: str, pen: int) -> None:
    """All the digits stand on it, and more of it is under them than between them."""
    strip = np.pad(write(text, digits, step=60), ((0, 10), (0, 0)), constant_values=220)
    _, top, _, height = ink_box(strip)
    feet = top + height
    cv2.line(strip, (0, feet - 3), (strip.shape[1], feet - 1), (100,), pen)
    assert [number.text for number in reader.read(strip[:, 12:-12]).numbers] == [text]


@TRACED
@pytest.mark.parametrize("x", [1, 4])
def test_a_bit_of_a_frame_is_no_one(reader: Reader, digits: Digits, x: int) -> None:
    """Along the border, and finer than the pen; a 1 by that pen beside it stays."""
    cell = write("3", digits, size=90)
    cv2.line(cell, (x, 60), (x, 120), (40,), 2)
    assert [number.text for number in reader.read(cell).numbers] == ["3"]
    cell = write("3", digits, size=90)
    cv2.line(cell, (x + 8, 60), (x + 10, 120), (40,), 8)
    assert [number.text for number in reader.read(cell).numbers] == ["13"]


def test_a_pale_stroke_belongs_to_its_digit(digits: Digits) -> None:
    """The lower half of the 0 is pressed less and less: it stays one piece."""
    page = write("0", digits, size=120).astype(np.float32)
    pressed = np.interp(np.arange(page.shape[0]), [110, 170], [1, 0.3])[:, np.newaxis]
    found = page_of((220 - (220 - page) * pressed).astype(np.uint8))
    (glyph,) = found.glyphs
    assert glyph.box[3] > 100
    assert not found.others
