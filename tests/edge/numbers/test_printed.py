"""Which numbers are printed."""

import numpy as np
import pytest

from digitlens.core.readings import Digit, Number, number
from digitlens.numbers.printed import marked_printed
from digitlens.paper.page import Glyph

HAND, WORD, PRINT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
Classes = tuple[float, float, float]


def _number(text: str, x: int = 0) -> Number:
    return number(tuple(Digit(int(sign), 0.9, (x + 40 * k, 10, 30, 50)) for k, sign in enumerate(text)))


def _glyph(x: int, classes: Classes, width: int = 30, ink: int = 255) -> Glyph:
    return Glyph((x, 10, width, 50), np.full((50, width), ink, np.uint8), classes)


def _marks(found: tuple[Number, ...]) -> list[bool]:
    return [one.printed for one in found]


def test_each_number_by_its_own_glyphs() -> None:
    numbers = (_number("12"), _number("34", x=200), _number("5", x=400))
    glyphs = [
        *(_glyph(x, PRINT) for x in (0, 40)),
        *(_glyph(x, HAND) for x in (200, 240)),
        *(_glyph(x, PRINT) for x in (120, 320)),  # a printed sign between two numbers is in neither
    ]
    found = marked_printed(numbers, glyphs)
    assert _marks(found) == [True, False, False]
    assert [(one.text, one.digits) for one in found] == [(one.text, one.digits) for one in numbers]


@pytest.mark.parametrize(
    ("classes", "printed"),
    [
        ((HAND, PRINT, PRINT), True),
        ((HAND, HAND, PRINT), False),
        ((HAND, WORD, PRINT), False),
        (((0.3, 0.1, 0.6), (0.3, 0.1, 0.6), (0.4, 0.1, 0.5)), True),
        (((0.4, 0.2, 0.4),) * 3, False),
    ],
)
def test_most_of_the_ink_decides(classes: tuple[Classes, ...], printed: bool) -> None:
    glyphs = [_glyph(40 * k, one) for k, one in enumerate(classes)]
    assert _marks(marked_printed([_number("123")], glyphs)) == [printed]


def test_ink_counts_by_its_area() -> None:
    """The box of a thin frame is large, its ink is little."""
    frame = np.zeros((50, 30), np.uint8)
    frame[0] = 255
    glyphs = [Glyph((0, 10, 30, 50), frame, PRINT), _glyph(10, HAND, width=8)]
    assert _marks(marked_printed([_number("1")], glyphs)) == [False]


def test_touching_digits_are_one_glyph() -> None:
    assert _marks(marked_printed([_number("123")], [_glyph(0, PRINT, width=110)])) == [True]


def test_nothing_to_mark() -> None:
    assert marked_printed((), [_glyph(0, PRINT)]) == ()
    assert _marks(marked_printed([_number("12")], [])) == [False]
    assert _marks(marked_printed([_number("12")], [_glyph(500, PRINT)])) == [False]
