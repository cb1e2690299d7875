"""Digits -> numbers: rows, gaps, reading order."""

import math

import numpy as np

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.core.readings import Digit
from digitlens.numbers.gaps import to_numbers


def _row(text: str, y: int, step: int = 50, skew: float = 0.0, x: int = 0) -> list[Digit]:
    return [
        Digit(int(sign), 1.0, (x + place * step, round(y + place * step * skew), 36, 48))
        for place, sign in enumerate(text)
        if sign != " "
    ]


def _texts(digits: list[Digit]) -> list[str]:
    return [number.text for number in to_numbers(digits)]


def test_rows_top_to_bottom_digits_left_to_right() -> None:
    digits = _row("789", 200) + _row("123", 10) + _row("456", 100)
    assert _texts(digits[::-1]) == ["123", "456", "789"]


def test_a_gap_splits_numbers() -> None:
    assert _texts(_row("12 345  6", 0)) == ["12", "345", "6"]


def test_parameters_say_how_gaps_split_numbers() -> None:
    row = _row("12 345", 0)
    (number,) = to_numbers(row, parameters=NumberParameters(wide_gap=3.0))
    assert number.text == "12345"


def test_wide_writing_is_one_number() -> None:
    assert _texts(_row("05221859", 0, step=84)) == ["05221859"]


def test_skewed_rows_stay_rows() -> None:
    skew = math.tan(math.radians(8))
    assert _texts(_row("1234567890", 0, skew=skew) + _row("9876543210", 70, skew=skew)) == [
        "1234567890",
        "9876543210",
    ]


def test_two_lone_digits_far_apart() -> None:
    assert _texts(_row("1     2", 0)) == ["1", "2"]
    assert _texts(_row("12", 0)) == ["12"]


def test_a_number_is_as_sure_as_all_its_digits() -> None:
    digits = [Digit(1, 0.5, (0, 0, 20, 40)), Digit(2, 0.5, (30, 0, 20, 40))]
    (number,) = to_numbers(digits)
    assert number.confidence == 0.25
    assert number.box == (0, 0, 50, 40)


def test_nothing() -> None:
    assert to_numbers([]) == ()


def _upright(x: int, slant: int = 0) -> np.ndarray:
    return np.array([[x, 0], [x + slant, 400]], np.int32)


def test_a_table_splits_numbers() -> None:
    """Also where digits stand as close across the line as in a number, and the line leans."""
    row = _row("1234", 200)  # 36 wide, 50 apart: lines go through the gaps
    cells = [_upright(93 - 10, 20), _upright(300)]
    assert [number.text for number in to_numbers(row, cells)] == ["12", "34"]
    below = [np.array([[93, 300], [93, 400]], np.int32)]
    assert [number.text for number in to_numbers(row, below)] == ["1234"]


def test_squared_paper_splits_nothing() -> None:
    squares = [_upright(x) for x in range(43, 400, 50)]
    assert [number.text for number in to_numbers(_row("1234", 200), squares)] == ["1234"]
