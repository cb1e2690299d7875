"""The rows of a page."""

import cv2
import numpy as np
import pytest

from digitlens.rows.row import find_rows
from tests.edge.ink import find_glyphs, page_of
from tests.edge.pages import write
from tests.edge.rows.row_pages import Digits


def test_a_row_is_split_at_wide_gaps_and_its_slope_is_measured(digits: Digits) -> None:
    page = write("3141    59", digits)
    first, second = find_rows(find_glyphs(page))
    assert (len(first.glyphs), len(second.glyphs)) == (4, 2)
    height, width = page.shape
    skew = np.array([[1, 0, 0], [0.1, 1, -0.05 * width]])
    climbing = cv2.warpAffine(page, skew, (width, height), borderMode=cv2.BORDER_REPLICATE)
    first, _ = find_rows(find_glyphs(np.asarray(climbing, np.uint8)))
    assert first.slope == pytest.approx(0.1, abs=0.04)


def test_the_row_of_a_close_up_extends_as_far_as_there_is_ink(digits: Digits) -> None:
    page = write("3141    59", digits)
    found = page_of(page)
    last = max(found.glyphs, key=lambda glyph: glyph.box[0])
    rest = [glyph for glyph in found.glyphs if glyph is not last]
    (row,) = find_rows(rest, found.mask)
    assert row.sides is not None
    assert row.sides[1] >= last.box[0] + last.box[2]
    assert row.box[0] + row.box[2] == row.sides[1]
    assert [other.sides for other in find_rows(found.glyphs, found.mask)] == [None, None]  # no more ink
    high = cv2.copyMakeBorder(found.mask, 400, 400, 0, 0, cv2.BORDER_CONSTANT, value=(0,))
    assert len(find_rows(rest, np.asarray(high, np.uint8))) == 2  # a page
