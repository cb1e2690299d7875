"""find_page: which connected ink becomes a glyph, and what it says of the paper around."""

import tracemalloc

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitlens.core.arrays import Gray
from digitlens.core.readings import Box
from digitlens.paper.components import heights_around
from digitlens.paper.kinds import kinds
from digitlens.paper.network import CLASSES, DIGIT, LINE, PAPER, PRINT, STEP, WRITING, Logits
from digitlens.paper.page import Page, _dots, find_page
from digitlens.paper.rules.segment import find_page as find_page_by_rules
from digitlens.paper.threshold import threshold_page
from tests.edge.ink import YOUNG, page_of
from tests.edge.pages import put

Digits = tuple[Gray, Gray]


class Known:
    """Gives the classes (H, W) of a picture for certain, whatever the picture."""

    def __init__(self, classes: Gray) -> None:
        self._half = cv2.resize(classes, None, fx=1 / STEP, fy=1 / STEP, interpolation=cv2.INTER_NEAREST)

    @property
    def scale(self) -> float:
        return 0.1

    def logits(self, gray: Gray) -> Logits:
        found: Logits = np.full((*self._half.shape, CLASSES), -60, np.int16)
        np.put_along_axis(found, self._half[..., np.newaxis].astype(np.intp), 60, axis=2)
        return found


class Paper:
    """A page that is drawn together with its classes."""

    def __init__(self, height: int = 200, width: int = 400) -> None:
        self.gray = np.full((height, width), 220, np.uint8)
        self.classes = np.full((height, width), PAPER, np.uint8)

    def fill(self, kind: int, x: int, y: int, width: int, height: int) -> Box:
        self.gray[y : y + height, x : x + width] = 40
        self.classes[y : y + height, x : x + width] = kind
        return x, y, width, height

    def found(self, printed: bool = False) -> Page:
        return find_page(self.gray, Known(self.classes), printed)


def near(one: Box, other: Box, by: int = 2) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def covered(mask: Gray, box: Box) -> float:
    """How much of a box is set."""
    x, y, width, height = box
    return float(np.mean(mask[y : y + height, x : x + width] > 0))


def test_digits_are_kept_and_all_else_is_left_out() -> None:
    paper = Paper()
    digit = paper.fill(DIGIT, 40, 60, 10, 60)
    sign, word = paper.fill(WRITING, 80, 90, 30, 8), paper.fill(WRITING, 130, 60, 10, 60)
    label = paper.fill(PRINT, 180, 60, 10, 60)
    line = paper.fill(LINE, 20, 150, 300, 4)
    page = paper.found()
    (glyph,) = page.glyphs
    assert near(glyph.box, digit)
    assert glyph.ink.shape == (glyph.box[3], glyph.box[2])
    assert np.mean(glyph.ink > 128) > 0.8
    assert glyph.classes[0] > 0.9
    assert sorted(box[0] for box in page.others) == pytest.approx([80, 130, 180], abs=2)
    for box in (sign, word, label, line):
        assert covered(page.ink, box) > 0.8
        assert covered(page.mask, box) == 0
        assert covered(page.contrast, box) < 0.1
    x, y, width, height = line
    lined = page.lines[y // STEP : (y + height) // STEP, x // STEP : (x + width) // STEP]
    assert np.mean(lined == 255) > 0.9
    assert np.count_nonzero(page.lines[: y // STEP - 4]) == 0


def test_print_is_kept_on_demand() -> None:
    paper = Paper()
    label = paper.fill(PRINT, 180, 60, 10, 60)
    assert paper.found().glyphs == []
    (glyph,) = paper.found(printed=True).glyphs
    assert near(glyph.box, label)
    assert glyph.classes[2] > 0.9


def test_a_digit_on_a_line_is_parted_from_it() -> None:
    """The ink where they cross is the digit's."""
    paper = Paper()
    line = paper.fill(LINE, 20, 110, 300, 4)
    digit = paper.fill(DIGIT, 100, 60, 10, 70)
    (glyph,) = paper.found().glyphs
    assert near(glyph.box, digit, by=4)
    assert covered(paper.found().mask, (line[0], line[1], 60, line[3])) == 0


def test_the_bar_of_a_five_joins_it() -> None:
    """In a row of digits, which say how high a digit is."""
    paper = Paper()
    paper.fill(DIGIT, 100, 68, 12, 52)
    paper.fill(DIGIT, 100, 54, 30, 10)
    for x in (40, 170, 230):
        paper.fill(DIGIT, x, 54, 12, 66)
    glyphs = paper.found().glyphs
    assert len(glyphs) == 4
    assert any(near(glyph.box, (100, 54, 30, 66)) for glyph in glyphs)


def test_two_rows_stay_two() -> None:
    """A low digit below a high one is no part of it."""
    paper = Paper()
    paper.fill(DIGIT, 100, 20, 12, 60)
    paper.fill(DIGIT, 100, 120, 12, 40)
    assert len(paper.found().glyphs) == 2


def test_dots_are_found_and_are_no_glyphs() -> None:
    paper = Paper()
    for x in (40, 120):
        paper.fill(DIGIT, x, 60, 12, 60)
    dot = paper.fill(WRITING, 84, 110, 8, 8)
    page = paper.found()
    assert len(page.glyphs) == 2
    (found,) = page.dots
    assert near(found, dot)


def test_each_row_has_its_own_height() -> None:
    """A headline does not make specks of a row of small digits."""
    paper = Paper(500, 700)
    for x in (40, 160, 280):
        paper.fill(DIGIT, x, 30, 40, 220)
    small = [paper.fill(DIGIT, x, 400, 6, 24) for x in range(60, 300, 30)]
    found = {glyph.box for glyph in paper.found().glyphs}
    assert len(found) == 3 + len(small)


def test_thousands_of_specks_take_little_memory() -> None:
    """Snow, as of a broken cable, took 300 MB of the service's 240."""
    random = np.random.default_rng(6)
    boxes = np.concatenate(
        [random.integers(0, 1200, (5000, 2)), random.integers(1, 9, (5000, 2))], axis=1
    ).astype(np.int64)
    heights = boxes[:, 3].astype(np.float64)
    tracemalloc.start()
    dots = _dots(boxes, boxes, heights, 0.5)
    around = heights_around(boxes, boxes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6
    few = slice(0, 200)
    np.testing.assert_array_equal(heights_around(boxes[few], boxes), around[few])
    assert [dot for dot in dots if dot in map(tuple, boxes[few].tolist())][:50] == _dots(
        boxes[few], boxes, heights, 0.5
    )[:50]


def test_the_classes_of_ink_are_shown(digits: Digits) -> None:
    paper = Paper()
    boxes = {kind: paper.fill(kind, 40 * kind, 60, 10, 60) for kind in (DIGIT, WRITING, PRINT, LINE)}
    shown = kinds(paper.found())
    assert shown.shape == paper.gray.shape
    for kind, (x, y, width, height) in boxes.items():
        assert np.mean(shown[y : y + height, x : x + width] == kind) > 0.8
    assert not shown[:50].any()
    page = np.full((121, 201), 220, np.uint8)
    put(page, "27", digits, 20, 30)
    assert set(np.unique(kinds(threshold_page(page)))) == {PAPER, DIGIT}
    cv2.line(page, (0, 118), (200, 118), (120,), 2)
    by_rules = kinds(find_page_by_rules(page))
    assert set(np.unique(by_rules)) == {PAPER, DIGIT, LINE}
    assert np.mean(by_rules[117:119] == LINE) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (7, 7), (33, 2), (90, 91)])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_paper_without_ink(shape: tuple[int, int], level: int) -> None:
    page = page_of(np.full(shape, level, np.uint8))
    assert (page.glyphs, page.dots) == ([], [])
    for picture in (page.contrast, page.ink, page.mask, kinds(page)):
        assert picture.shape == shape
        assert picture.dtype == np.uint8
        assert not picture.any()


# With the shipped network.


def counts(page: Page, boxes: list[Box]) -> list[int]:
    """How many of the page's glyphs have their middles in each of these boxes, and how many in none."""
    middles = [(x + w / 2, y + h / 2) for x, y, w, h in (glyph.box for glyph in page.glyphs)]
    inside = [
        sum(x - 3 < a < x + w + 3 and y - 3 < b < y + h + 3 for a, b in middles) for x, y, w, h in boxes
    ]
    return [*inside, len(middles) - sum(inside)]


def test_digits_on_ruled_paper(digits: Digits) -> None:
    gray = np.full((480, 640), 225, np.uint8)
    for y in range(40, 480, 60):
        cv2.line(gray, (0, y), (640, y + 6), (150,), 2)
    boxes = [put(gray, "3519", digits, 180, 108), put(gray, "27", digits, 260, 290)]
    page = page_of(gray)
    assert counts(page, boxes) == [4, 2, 0]
    assert np.count_nonzero(page.lines) > 6 * 2 * 320 * 0.5


@YOUNG
def test_digits_in_a_table_with_wide_margins(digits: Digits) -> None:
    gray = np.full((1100, 1280), 225, np.uint8)
    for x in range(400, 900, 120):
        cv2.line(gray, (x, 350), (x, 710), (110,), 2)
    for y in range(350, 720, 90):
        cv2.line(gray, (400, y), (880, y), (110,), 2)
    texts = ["12", "7", "40", "3", "5", "66", "81", "9", "23", "0", "4", "57"]
    boxes = [
        put(gray, text, digits, 420 + 120 * (k % 4), 375 + 90 * (k // 4), size=40)
        for k, text in enumerate(texts)
    ]
    assert counts(page_of(gray), boxes) == [*map(len, texts), 0]


@YOUNG
def test_printed_words_are_no_glyphs(digits: Digits) -> None:
    gray = np.full((300, 640), 225, np.uint8)
    image = Image.fromarray(gray)
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((40, 60), "Delivery note, page", fill=50, font=font)
    gray = np.array(image)
    box = put(gray, "4071", digits, 200, 170)
    page = page_of(gray)
    assert counts(page, [box]) == [4, 0]
    assert len(page.others) > 8


@YOUNG
def test_a_dark_panel_on_light_paper(digits: Digits) -> None:
    gray = np.full((480, 640), 225, np.uint8)
    above = put(gray, "3519", digits, 200, 60)
    panel = np.full((160, 400), 225, np.uint8)
    x, y, width, height = put(panel, "4071", digits, 70, 50)
    gray[240:400, 120:520] = 255 - panel
    assert counts(page_of(gray), [above, (120 + x, 240 + y, width, height)]) == [4, 4, 0]


def test_a_decimal_point_is_found(digits: Digits) -> None:
    gray = np.full((200, 500), 225, np.uint8)
    x, y, width, height = put(gray, "40", digits, 60, 70)
    put(gray, "71", digits, x + width + 26, 70)
    cv2.circle(gray, (x + width + 13, y + height - 4), 4, (40,), -1)
    page = page_of(gray)
    assert len(page.glyphs) == 4
    (dot,) = page.dots
    assert near(dot, (x + width + 9, y + height - 8, 9, 9), by=3)


@pytest.mark.parametrize("size", [9, 14, 30, 90, 250])
def test_digits_of_many_sizes(digits: Digits, size: int) -> None:
    gray = np.full((480 + 2 * size, 640 + 6 * size), 225, np.uint8)
    boxes = [put(gray, "3519", digits, 150, 120, size)]
    assert counts(page_of(gray), boxes) == [4, 0]
