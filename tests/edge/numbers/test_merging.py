"""Two readings of one page: numbers of either, and the better where both read the same ink."""

from collections.abc import Sequence

import numpy as np

from digitlens.core.readings import Box, Digit, Number, number
from digitlens.numbers.merging import are_close, merged, parted, partitioned, regrouped
from digitlens.paper.page import Page

SHARED = 0.3


def _number(text: str, x: int, confidence: float, y: int = 0) -> Number:
    digits = tuple(Digit(int(sign), confidence, (x + 20 * k, y, 15, 30)) for k, sign in enumerate(text))
    found = number(digits)
    return Number(found.text, confidence, found.box, found.digits)


def _texts(numbers: tuple[Number, ...]) -> list[str]:
    return [found.text for found in numbers]


def test_numbers_of_either_are_kept() -> None:
    assert _texts(merged([_number("12", 0, 0.9)], [_number("34", 200, 0.8)], SHARED)) == ["12", "34"]
    assert _texts(merged([], [_number("34", 200, 0.8)], SHARED)) == ["34"]
    assert _texts(merged([_number("12", 0, 0.9)], [], SHARED)) == ["12"]
    assert merged([], [], SHARED) == ()


def test_the_more_probable_stands() -> None:
    one, other = _number("12", 0, 0.6), _number("17", 2, 0.9)
    assert _texts(merged([one], [other], SHARED)) == ["17"]
    assert _texts(merged([other], [one], SHARED)) == ["17"]


def test_the_first_stands_where_both_are_alike() -> None:
    one, other = _number("12", 0, 0.7), _number("17", 0, 0.7)
    assert _texts(merged([one], [other], SHARED)) == ["12"]


def test_all_that_share_ground_are_one_choice() -> None:
    joined = [_number("1234", 0, 0.55)]
    parts = [_number("12", 0, 0.9), _number("34", 40, 0.9)]
    assert _texts(merged(joined, parts, SHARED)) == ["12", "34"]
    assert _texts(merged(parts, joined, SHARED)) == ["12", "34"]
    rows = [_number("12", 0, 0.9, 0), _number("34", 0, 0.9, 40)]
    assert _texts(merged(rows, [_number("9", 0, 0.6, 40)], SHARED)) == ["12", "34"]


def test_digits_are_moved_and_grouped_anew() -> None:
    blank = np.zeros((60, 200), np.uint8)
    page = Page(blank, blank, blank)
    asked = []

    def group(digits: list[Digit], where: Page) -> tuple[Number, ...]:
        asked.append((digits, where))
        return tuple(number((digit,)) for digit in digits)

    def doubled(box: Box) -> Box:
        return (2 * box[0], 2 * box[1], 2 * box[2], 2 * box[3])

    found = regrouped([_number("12", 10, 0.9)], page, doubled, group)  # type: ignore[arg-type]
    assert _texts(found) == ["1", "2"]
    assert [one.box for one in found] == [(20, 0, 30, 60), (60, 0, 30, 60)]
    assert asked[0][1] is page


def test_digits_that_stand_close() -> None:
    assert are_close([_number("12", 0, 0.9), _number("34", 45, 0.9)], 0.75)
    wide = number((Digit(1, 0.9, (0, 0, 15, 30)), Digit(2, 0.9, (45, 0, 15, 30))))
    assert not are_close([_number("12", 0, 0.9), wide], 0.75)
    assert are_close([], 0.75)


def test_numbers_are_split_and_never_joined() -> None:
    blank = np.zeros((60, 200), np.uint8)
    page = Page(blank, blank, blank)

    def halves(digits: Sequence[Digit], where: Page) -> tuple[Number, ...]:
        assert where is page
        middle = len(digits) // 2
        return tuple(number(tuple(part)) for part in (digits[:middle], digits[middle:]) if part)

    assert _texts(parted([_number("12", 0, 0.9), _number("3", 40, 0.9)], page, halves)) == ["1", "2", "3"]


def test_ink_is_read_once() -> None:
    long, part = _number("1234", 0, 0.6), _number("23", 21, 0.9)
    assert _texts(partitioned([long, part], 0.7)) == ["1234"]
    assert _texts(partitioned([_number("12", 0, 0.6), _number("12", 2, 0.9)], 0.7)) == ["12"]
    apart = [_number("12", 0, 0.6), _number("12", 60, 0.9), _number("12", 0, 0.9, 40)]
    assert partitioned(apart, 0.7) == tuple(apart)
    assert partitioned([], 0.7) == ()


def test_numbers_that_share_a_digit_are_one() -> None:
    (found,) = partitioned([_number("69", 0, 0.9), _number("97", 21, 0.5)], 0.7)
    assert (found.text, found.confidence, found.box) == ("697", 0.5, (0, 0, 56, 30))


def test_ink_that_is_read_differently_is_the_surers() -> None:
    sure, other = _number("69", 0, 0.9), _number("47", 21, 0.5)
    assert _texts(partitioned([other, sure], 0.7)) == ["69", "7"]
    assert _texts(partitioned([sure, _number("4", 21, 0.5)], 0.7)) == ["69"]
