"""Where ink is looked for: a sheet's margins cost nothing, and change nothing."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.paper.rules import ink
from digitlens.paper.rules.segment import find_page
from tests.edge.pages import write

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]


def _sheet(digits: Digits, noise: float, shade: float, blackboard: bool = False) -> Gray:
    """Two numbers on a sheet of 640 x 480, at 1/2 and 3/4 of its height."""
    page = np.full((480, 640), 225, np.float32)
    for text, left, top in (("3519", 200, 220), ("27", 260, 340)):
        number = write(text, digits)
        page[top : top + number.shape[0], left : left + number.shape[1]] = number
    page *= np.linspace(1, 1 - shade, page.shape[1], dtype=np.float32)
    page += np.random.default_rng(3).normal(0, 1, page.shape) * noise
    gray: Gray = page.clip(0, 255).astype(np.uint8)
    return cv2.bitwise_not(gray).astype(np.uint8) if blackboard else gray


@pytest.mark.parametrize(
    ("noise", "shade", "blackboard"), [(0, 0, False), (1.5, 0.4, False), (6, 0.2, False), (1, 0.3, True)]
)
def test_margins_change_nothing(
    digits: Digits, monkeypatch: pytest.MonkeyPatch, noise: float, shade: float, blackboard: bool
) -> None:
    page = _sheet(digits, noise, shade, blackboard)
    found = ink.find_ink(page)
    glyphs = find_page(page).glyphs
    monkeypatch.setattr(ink, "_inked", lambda shape, *_: (slice(0, shape[0]), slice(0, shape[1])))
    everywhere = ink.find_ink(page)
    np.testing.assert_array_equal(found.mask, everywhere.mask)
    np.testing.assert_array_equal(found.faint, everywhere.faint)
    for picture, other in (
        (found.contrast, everywhere.contrast), (found.edge, everywhere.edge), (found.deep, everywhere.deep)
    ):  # fmt: skip
        inner = tuple(slice(max(0, side.start) + 4, side.stop - 4) for side in found.part)
        np.testing.assert_array_equal(picture[inner], other[inner])
    assert [glyph.box for glyph in glyphs] == [glyph.box for glyph in find_page(page).glyphs]
    assert len(glyphs) == 6


def test_most_of_a_sheet_is_margin(digits: Digits) -> None:
    page = _sheet(digits, 1, 0.1)
    rows, columns = ink.find_ink(page).part
    assert (rows.stop - rows.start) * (columns.stop - columns.start) < 0.4 * page.size
    for x, y, width, height in (glyph.box for glyph in find_page(page).glyphs):
        assert rows.start < y < y + height < rows.stop
        assert columns.start < x < x + width < columns.stop


def test_an_empty_sheet_has_no_ink_anywhere() -> None:
    blank = ink.find_ink(np.full((480, 640), 200, np.uint8))
    assert not blank.mask.any()
    assert not blank.contrast.any()
    assert blank.part[0].start == blank.part[0].stop
    assert find_page(np.full((480, 640), 200, np.uint8)).glyphs == []
