"""Digits -> numbers: rows, gaps, lines, reading order, with the shipped network for pairs."""

import math

import numpy as np
import pytest

from digitlens import ModelError
from digitlens.core.arrays import Gray
from digitlens.core.readings import Box, Digit, Number
from digitlens.numbers.grouping import Grouper, separated
from digitlens.paper.network import STEP
from digitlens.paper.page import Page
from tests.edge.ink import TRACED, YOUNG

PAPER: Gray = np.zeros((600, 1200), np.uint8)


def _page(lines: list[Box] | None = None, others: list[Box] | None = None) -> Page:
    """A page with nothing but lines and other writing; both as boxes."""
    drawn: Gray = np.zeros((300, 600), np.uint8)
    for x, y, width, height in lines or []:
        drawn[y // STEP : (y + height) // STEP, x // STEP : (x + width) // STEP] = 255
    return Page(PAPER, PAPER, PAPER, others=others or [], lines=drawn)


def _row(text: str, y: int, step: int = 50, skew: float = 0.0, x: int = 0) -> list[Digit]:
    return [
        Digit(int(sign), 1.0, (x + place * step, round(y + place * step * skew), 36, 48))
        for place, sign in enumerate(text)
        if sign != " "
    ]


@pytest.fixture(scope="module")
def group() -> Grouper:
    return Grouper.load()


def _texts(found: tuple[Number, ...]) -> list[str]:
    return [number.text for number in found]


def test_rows_top_to_bottom_digits_left_to_right(group: Grouper) -> None:
    digits = _row("789", 200) + _row("123", 10) + _row("456", 100)
    assert _texts(group(digits[::-1], _page())) == ["123", "456", "789"]


@pytest.mark.parametrize("text", ["12 345  6", "12   345", "314 159 265", "1  2  3"])
def test_a_gap_splits_numbers(group: Grouper, text: str) -> None:
    assert _texts(group(_row(text, 100), _page())) == text.split()


@pytest.mark.parametrize("step", [38, 50, 66, 84])
def test_narrow_and_wide_writing_is_one_number(group: Grouper, step: int) -> None:
    assert _texts(group(_row("05221859", 100, step), _page())) == ["05221859"]


def test_skewed_rows_stay_rows(group: Grouper) -> None:
    skew = math.tan(math.radians(8))
    rows = _row("1234567890", 0, skew=skew) + _row("9876543210", 70, skew=skew)
    assert _texts(group(rows, _page())) == ["1234567890", "9876543210"]


def test_two_lone_digits(group: Grouper) -> None:
    assert _texts(group(_row("1     2", 0), _page())) == ["1", "2"]
    assert _texts(group(_row("12", 0), _page())) == ["12"]


def test_a_number_is_as_sure_as_all_its_digits(group: Grouper) -> None:
    digits = [Digit(1, 0.5, (0, 0, 20, 40)), Digit(2, 0.5, (30, 0, 20, 40))]
    (number,) = group(digits, _page())
    assert number.confidence == 0.25
    assert number.box == (0, 0, 50, 40)


def test_nothing(group: Grouper) -> None:
    assert group([], _page()) == ()


def _table(columns: list[int], rows: tuple[int, int] = (180, 270)) -> list[Box]:
    """The lines of a row of cells: uprights at these columns, one line above and one below."""
    width = columns[-1] - columns[0]
    across = [(columns[0], y, width, 4) for y in rows]
    return [*((x, rows[0], 4, rows[1] - rows[0]) for x in columns), *across]


@YOUNG
def test_a_table_splits_numbers(group: Grouper) -> None:
    """Two digits in each cell, as close across the line as in a number."""
    lines = _table([190, 292, 392, 492])
    assert _texts(group(_row("123456", 200, x=200), _page(lines))) == ["12", "34", "56"]
    below = _table([190, 292, 392, 492], (300, 390))
    assert _texts(group(_row("123456", 200, x=200), _page(below))) == ["123456"]


def test_a_cell_for_each_number(group: Grouper) -> None:
    """Lone digits in the wide cells of a table are so many numbers."""
    lines = _table([100, 260, 420, 580, 740])
    digits = [Digit(k, 1.0, (160 * k, 200, 36, 48)) for k in (1, 2, 3, 4)]
    assert _texts(group(digits, _page(lines))) == ["1", "2", "3", "4"]


def test_a_comb_is_one_number(group: Grouper) -> None:
    """Eight joined boxes, a digit in each."""
    lines = _table(list(range(192, 192 + 9 * 60, 60)), (188, 262))
    assert _texts(group(_row("05221859", 200, 60, x=204), _page(lines))) == ["05221859"]


def test_squared_paper_splits_nothing(group: Grouper) -> None:
    squares = [(x, 0, 2, 600) for x in range(42, 800, 50)] + [(0, y, 1200, 2) for y in range(0, 600, 50)]
    assert _texts(group(_row("1234", 200), _page(squares))) == ["1234"]


@pytest.mark.parametrize("sign", [(245, 212, 28, 28), pytest.param((250, 200, 14, 50), marks=TRACED)])
def test_a_sign_between_splits_numbers(group: Grouper, sign: Box) -> None:
    """A plus and a slash in the place of a digit."""
    digits = _row("12 34", 200, 50, x=140)
    assert _texts(group(digits, _page(others=[sign]))) == ["12", "34"]


def test_a_missing_network_is_named() -> None:
    with pytest.raises(ModelError, match="no such model"):
        Grouper.load("nonesuch")


@pytest.mark.parametrize(
    ("dots", "text"),
    [
        ([(139, 42, 6, 6)], "123.4"),
        ([(139, 0, 6, 6), (400, 42, 6, 6)], "1234"),  # a speck above; a full stop
        ([], "1234"),
    ],
)
def test_a_decimal_separator_is_kept_on_demand(group: Grouper, dots: list[Box], text: str) -> None:
    (number,) = group(_row("1234", 0), _page())
    found = separated(number, dots, ".")
    assert (found.text, found.digits) == (text, number.digits)
