"""Where a page's print is found, and what is left of a page without it."""

import cv2
import numpy as np
import pytest

from digitlens.config.parameters.sheets import DEFAULT
from digitlens.core.arrays import Floats, Gray
from digitlens.sheets import fiducials
from digitlens.sheets.align import CORNERS
from digitlens.sheets.aligned import BAND, Aligned
from digitlens.sheets.code import Code
from digitlens.sheets.displacement import Displacement, match_blocks
from digitlens.sheets.pages import fiducials as marks_of
from digitlens.sheets.plate import STRIP, Print, without_print
from digitlens.sheets.printing import fiducial_squares

PAPER = (210.0, 297.0)


def _marked(per_mm: int) -> Gray:
    """A page with its fiducials alone."""
    page = np.full((round(PAPER[1] * per_mm), round(PAPER[0] * per_mm)), 230, np.uint8)
    for mark in marks_of(PAPER):
        for (x, y, wide, tall), is_black in fiducial_squares(mark):
            top, left = round(y * per_mm), round(x * per_mm)
            square = page[top : top + round(tall * per_mm), left : left + round(wide * per_mm)]
            square[:] = 30 if is_black else 230
    return page


def _found(page: Gray) -> fiducials.Found | None:
    marks = marks_of(PAPER)
    places = np.array([(mark.x, mark.y) for mark in marks])
    return fiducials.match(fiducials.find_marks(page), places, [mark.is_open for mark in marks], CORNERS)


def test_all_fiducials_are_found_and_say_where_the_page_is() -> None:
    page = _marked(5)
    found = _found(page)
    assert found is not None
    assert (len(found.places), found.is_mirrored) == (8, False)
    assert np.allclose(found.seen, found.places * 5 - 0.5, atol=0.6)
    mirrored = _found(np.ascontiguousarray(page[:, ::-1]))
    assert mirrored is not None
    assert mirrored.is_mirrored


@pytest.mark.parametrize("covered", [2, 3])
def test_a_page_needs_six_fiducials(covered: int) -> None:
    marks, page = marks_of(PAPER), _marked(5)
    for mark in (marks[1], marks[3], marks[4])[:covered]:  # the corners stay
        cv2.circle(page, (round(5 * mark.x), round(5 * mark.y)), 40, (230,), -1)
    found = _found(page)
    assert (found is not None) == (covered == 2)
    assert found is None or len(found.places) == 6


def test_each_block_is_found_where_it_was_moved_to() -> None:
    random = np.random.default_rng(3)
    noise = random.random((200, 300)).astype(np.float32)
    blank = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.float32)
    moved = np.roll(blank, (3, -5), axis=(0, 1))
    points = np.array([(x, y) for y in (30.0, 70.0) for x in (30.0, 75.0, 120.0)])
    match = match_blocks(blank, moved, points, [(20.0, 16.0)] * 6, 5.0, 2.0)
    assert match.points.tolist() == points.tolist()
    assert np.allclose(match.shifts, [(-2.5, 1.5)] * 6, atol=0.05)
    assert (np.linalg.eigvalsh(match.weights) > 0).all()


def test_bare_paper_and_what_lies_beyond_reach_tell_no_place() -> None:
    blank = np.zeros((200, 300), np.float32)
    blank[95:105, 140:160] = 1
    block = np.array([(75.0, 50.0)]), [(30.0, 30.0)]
    assert len(match_blocks(np.zeros_like(blank), blank, *block, 5.0, 2.0).points) == 0
    assert len(match_blocks(blank, np.roll(blank, 10, axis=1), *block, 5.0, 2.0).points) == 0
    assert len(match_blocks(blank, np.roll(blank, 9, axis=1), *block, 5.0, 2.0).points) == 1


def test_a_page_is_flattened_without_seams() -> None:
    random = np.random.default_rng(5)
    knots = Displacement.flat(PAPER)
    bent = Displacement(PAPER, random.normal(0, 1.0, knots.knots.shape))
    homography = np.array([[5.2, 0.3, 40.0], [-0.2, 5.0, 90.0], [1e-4, 2e-4, 1.0]])
    aligned = Aligned(Code("form", "1", 1, 0), homography, bent, PAPER, 0.0)
    y, x = np.mgrid[0:1700, 0:1300]
    smooth = np.asarray(127 + 60 * np.sin(x / 90) + 60 * np.sin(y / 70), np.uint8)
    flat = aligned.flattened(smooth, 4.0)
    assert flat.shape == (1188, 840)
    assert flat.shape[0] > 2 * BAND
    places = np.array([(x, y) for y in range(0, 1188, 3) for x in (0, 137, 511, 839)])
    seen = aligned.in_picture((places + 0.5) / 4.0).astype(np.float32)
    wanted = cv2.remap(smooth, seen[:, :1], seen[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    found = flat[places[:, 1], places[:, 0]].astype(int)
    assert np.abs(found - wanted[:, 0]).max() <= 2


def _without_print(seen: Floats, blank: Floats) -> Floats:
    return without_print(seen, Print(blank, 5.0, DEFAULT.cells), DEFAULT.cells).written


def test_ink_is_the_same_wherever_on_the_page_it_is() -> None:
    random = np.random.default_rng(7)
    tile = np.zeros((STRIP // 2 + 5, 400), np.float32)
    tile[::19] = 0.3
    ink = np.zeros_like(tile)
    for left in range(10, 390, 12):
        cv2.line(ink, (left, 8), (left + int(random.integers(-8, 9)), 44), (0.8,), 2, cv2.LINE_AA)
    blank = np.tile(tile, (9, 1))
    seen = cv2.GaussianBlur(1 - (1 - blank) * (1 - np.tile(ink, (9, 1))), (0, 0), 1.3)
    written = _without_print(np.asarray(seen, np.float32), blank).reshape(9, *tile.shape)
    assert written.max() > 0.6
    assert np.abs(written[1:-1] - written[4]).max() < 1e-5  # strips end at different rows of each tile


def test_print_alone_leaves_no_ink() -> None:
    blank = np.zeros((300, 400), np.float32)
    blank[20:280:20, 30:370] = 0.4
    seen = np.asarray(0.9 * cv2.GaussianBlur(blank, (0, 0), 1.0) + np.float32(0.02), np.float32)
    assert _without_print(seen, blank).max() == 0
