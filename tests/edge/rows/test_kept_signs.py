"""Signs on demand: dates, sums, times and points as they stand."""

import pytest

from digitlens.core.readings import Digit, Number, number
from digitlens.rows.kept_signs import RowSign, with_signs
from digitlens.rows.recognizer import BRACKET, COLON, DASH, EQUALS, LETTER, PLUS, POINT, SLASH, SYMBOL, TIMES

LABELS = {
    ".": POINT,
    "-": DASH,
    "/": SLASH,
    "+": PLUS,
    "x": TIMES,
    "=": EQUALS,
    ":": COLON,
    "(": BRACKET,
    ")": BRACKET,
    "a": LETTER,
    "$": SYMBOL,
}


def _written(text: str, wide: int = 20) -> tuple[list[Number], list[RowSign]]:
    """The numbers and signs of a row; a blank parts it by three digit widths."""
    numbers: list[Number] = []
    digits: list[Digit] = []
    signs = []
    x = 0
    for sign in [*text, " "]:
        if sign.isdigit():
            digits.append(Digit(int(sign), 0.9, (x, 0, 16, 24)))
        else:
            if digits and sign != ".":
                numbers.append(number(tuple(digits)))
                digits = []
            if sign != " ":
                signs.append(RowSign(LABELS[sign], (x, 6, 12, 12)))
        x += 3 * wide if sign == " " else wide
    return numbers, signs


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("8/12/2025", ["8/12/2025"]),
        ("-264", ["-264"]),
        ("20.5", ["20.5"]),
        ("2+3=", ["2+3="]),
        ("2+3x(4-1)=11", ["2+3x(4-1)=11"]),
        ("9:30", ["9:30"]),
        ("a)12", ["12"]),
        ("3)24", ["3", "24"]),
        ("(3)24", ["(3)24"]),
        ("12 -7", ["12", "-7"]),
        ("12 7", ["12", "7"]),
        ("12/", ["12"]),
        ("$15", ["15"]),
        ("12aa34", ["12", "34"]),
        ("-", []),
    ],
)
def test_signs_are_written_as_they_stand(text: str, kept: list[str]) -> None:
    numbers, signs = _written(text)
    found = with_signs(numbers, signs, ".", 1.2)
    assert [one.text for one in found] == kept
    assert [digit.value for one in found for digit in one.digits] == [int(s) for s in text if s.isdigit()]


def test_a_point_is_written_as_asked_for() -> None:
    numbers, signs = _written("20.5")
    assert [one.text for one in with_signs(numbers, signs, ",", 1.2)] == ["20,5"]


def test_a_sign_on_a_digits_own_ink_is_none() -> None:
    numbers, _ = _written("17")
    bar = RowSign(DASH, (22, 10, 10, 4))  # the bar of the 7
    assert [one.text for one in with_signs(numbers, [bar], ".", 1.2)] == ["17"]


def test_a_number_keeps_its_wide_gaps() -> None:
    digits = tuple(Digit(value, 0.9, (60 * value, 0, 16, 24)) for value in range(4))
    assert [one.text for one in with_signs([number(digits)], [], ".", 1.2)] == ["0123"]
