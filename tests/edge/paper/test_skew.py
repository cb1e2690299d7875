"""How far a page is tilted, and the picture leveled."""

import cv2
import numpy as np
import pytest

from digitlens.core.arrays import Gray
from digitlens.core.readings import Box
from digitlens.paper.page import Glyph, Page
from digitlens.paper.skew import level, tilt

BLANK: Gray = np.zeros((600, 800), np.uint8)


def _tilted(degrees: float, lines: bool, glyphs: bool) -> Page:
    """Ruled lines, and digits on them, that fall to the right by so many degrees."""
    drawn: Gray = np.zeros((300, 400), np.uint8)
    found: list[Glyph] = []
    turn = cv2.getRotationMatrix2D((400, 300), -degrees, 1)
    for y in range(100, 560, 80):
        if lines:
            (x0, y0), (x1, y1) = (turn @ np.array([x, y, 1]) / 2 for x in (80, 720))
            cv2.line(drawn, (round(x0), round(y0)), (round(x1), round(y1)), (255,), 2)
        if glyphs:
            for x in range(150, 650, 50):
                left, foot = (turn @ np.array([x, y, 1])).round().astype(int).tolist()
                found.append(Glyph((left, foot - 40, 24, 40), np.full((40, 24), 255, np.uint8)))
    return Page(BLANK, BLANK, BLANK, glyphs=found, lines=drawn)


@pytest.mark.parametrize("degrees", [-20, -9, -3, 0, 4, 12, 20])
@pytest.mark.parametrize(("lines", "glyphs"), [(True, False), (False, True), (True, True)])
def test_lines_and_rows_tell_the_tilt(degrees: float, lines: bool, glyphs: bool) -> None:
    assert tilt(_tilted(degrees, lines, glyphs)) == pytest.approx(degrees, abs=1.5)


def test_nothing_tells_no_tilt() -> None:
    assert tilt(Page(BLANK, BLANK, BLANK, lines=np.zeros((300, 400), np.uint8))) == 0
    lone = Glyph((100, 100, 20, 40), np.full((40, 20), 255, np.uint8))
    assert tilt(Page(BLANK, BLANK, BLANK, glyphs=[lone], lines=np.zeros((300, 400), np.uint8))) == 0


@pytest.mark.parametrize("degrees", [-18.0, 10.0, 20.0])
def test_a_leveled_picture_and_boxes_back(degrees: float) -> None:
    """Nothing is cut off, and a box of the leveled picture leads to the place that it shows."""
    gray = np.full((300, 500), 220, np.uint8)
    box: Box = (230, 140, 30, 24)
    gray[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = 30
    found = level(gray, degrees)
    assert found.gray.shape[0] > 300
    assert found.gray.shape[1] > 500
    there = cv2.boundingRect(np.where(found.gray < 100, np.uint8(255), np.uint8(0)))
    x, y, width, height = found.boxed_back((there[0], there[1], there[2], there[3]))
    assert (x + width / 2, y + height / 2) == pytest.approx((245, 152), abs=2)
    assert width >= 30
    assert height >= 24
    corners = [found.boxed_back((x, y, 1, 1))[:2] for x, y in ((0, 0), found.gray.shape[::-1])]
    assert min(corners[0]) <= 0
    assert corners[1][0] >= 500 - 1 or corners[1][1] >= 300 - 1
