"""Numbers by rules, split by their rows; and the page around them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitlens.core.arrays import Floats
from digitlens.core.readings import Digit, Number, number
from digitlens.numbers.parting import by_digits, parted
from digitlens.paper.page import Glyph, Page

BLANK = np.zeros((120, 400), np.uint8)
PAGE = Page(BLANK, BLANK, BLANK)


def _number(text: str, x: int, y: int = 0) -> Number:
    return number(tuple(Digit(int(sign), 0.9, (x + 20 * k, y, 15, 30)) for k, sign in enumerate(text)))


def _texts(numbers: tuple[Number, ...]) -> list[str]:
    return [found.text for found in numbers]


def _apart(row: Sequence[Digit], where: Page) -> Floats:
    return np.full(len(row) - 1, -1, np.float32)


def _together(row: Sequence[Digit], where: Page) -> Floats:
    return np.ones(len(row) - 1, np.float32)


def test_numbers_are_split_and_never_joined() -> None:
    numbers = [_number("12", 0), _number("3", 60)]
    assert _texts(parted(numbers, PAGE, _apart)) == ["1", "2", "3"]
    assert _texts(parted(numbers, PAGE, _together)) == ["12", "3"]
    assert parted([], PAGE, _apart) == ()


def test_rows_are_asked_for_as_they_stand() -> None:
    """With all of their numbers, once each; a number in a row of its own is a row, and one digit is none."""
    asked: list[tuple[str, Page]] = []

    def logits(row: Sequence[Digit], where: Page) -> Floats:
        asked.append(("".join(str(digit.value) for digit in row), where))
        return np.where(np.arange(len(row) - 1) == 0, np.float32(-1), np.float32(1))

    found = parted(
        [_number("12", 0), _number("34", 100), _number("56", 0, 60), _number("7", 0, 100)], PAGE, logits
    )
    assert _texts(found) == ["1", "2", "34", "5", "6", "7"]
    assert [text for text, _ in asked] == ["1234", "56"]
    assert all(where is PAGE for _, where in asked)


def test_a_number_over_two_rows_is_two() -> None:
    over = number((Digit(1, 0.9, (0, 0, 15, 30)), Digit(2, 0.9, (20, 60, 15, 30))))
    assert _texts(parted([over], PAGE, _together)) == ["1", "2"]


def test_a_point_joins() -> None:
    page = replace(PAGE, dots=[(36, 25, 3, 3)])
    price = number(
        (Digit(1, 0.9, (0, 0, 15, 30)), Digit(2, 0.9, (20, 0, 15, 30)), Digit(5, 0.9, (40, 0, 15, 30)))
    )
    assert _texts(parted([price], page, _apart)) == ["1", "25"]


def test_far_digits_at_equal_steps_stay_one() -> None:
    """As the rules joined them; not fewer digits, nor at other steps, nor with a line between."""

    def row(*at: int) -> Number:
        return number(tuple(Digit(k, 0.9, (x, 0, 15, 30)) for k, x in enumerate(at)))

    assert _texts(parted([row(0, 40, 80, 120)], PAGE, _apart)) == ["0123"]
    assert _texts(parted([row(0, 40, 80)], PAGE, _apart)) == ["0", "1", "2"]
    assert _texts(parted([row(0, 40, 80, 160)], PAGE, _apart)) == ["0", "1", "2", "3"]
    lines = np.zeros((60, 200), np.uint8)
    lines[:, 14] = 255
    assert _texts(parted([row(0, 40, 80, 120)], replace(PAGE, lines=lines), _apart)) == ["0", "1", "2", "3"]


def test_other_glyphs_are_other_writing() -> None:
    ink = np.full((30, 15), 255, np.uint8)
    own, sign = Glyph((1, 2, 15, 30), ink), Glyph((60, 0, 15, 30), ink)
    around = by_digits(replace(PAGE, glyphs=[own, sign], others=[(90, 0, 9, 9)]), [_number("12", 0)], BLANK)
    assert around.glyphs == [own]
    assert around.others == [(90, 0, 9, 9), sign.box]
    assert by_digits(PAGE, [], BLANK) is PAGE


def test_no_line_is_on_a_digits_ink() -> None:
    """A stroke that the network takes for a line is none; a line beside it stays, as where no digit is."""
    lines, ink = np.zeros((60, 200), np.uint8), BLANK.copy()
    ink[0:30, 10:14] = 255  # the stem of a digit at 0 to 15, and as far away a line's
    ink[0:30, 200:204] = 255
    lines[0:15, 5:7] = lines[0:15, 12] = lines[0:15, 100:102] = 255
    kept = by_digits(replace(PAGE, lines=lines), [_number("4", 0)], ink).lines
    assert not kept[:, :10].any()
    assert kept[0:15, 12].all()
    assert kept[0:15, 100:102].all()
    assert lines[:, 5:7].any()
