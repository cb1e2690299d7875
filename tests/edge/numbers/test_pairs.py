"""The features of two neighbors of a row."""

import numpy as np
import pytest

from digitlens.core.arrays import Gray
from digitlens.core.readings import Box
from digitlens.numbers.pairs import FAR, FEATURES, REACH, agreed, features
from digitlens.paper.network import STEP
from digitlens.paper.page import Page

ROW: list[Box] = [(100, 100, 30, 50), (150, 100, 30, 50), (220, 100, 30, 50)]
"""Digits 50 pixels high, steps of 50 and 70 pixels."""


def _page(
    lines: list[Box] | None = None, others: list[Box] | None = None, dots: list[Box] | None = None
) -> Page:
    blank: Gray = np.zeros((300, 500), np.uint8)
    drawn: Gray = np.zeros((150, 250), np.uint8)
    for x, y, width, height in lines or []:
        drawn[y // STEP : (y + height) // STEP, x // STEP : (x + width) // STEP] = 255
    return Page(blank, blank, blank, others=others or [], dots=dots or [], lines=drawn)


def _feature(page: Page, name: str, row: list[Box] = ROW) -> list[float]:
    """A feature of each pair."""
    found = features(row, page)
    assert found.shape == (len(row) - 1, len(FEATURES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= REACH
    return [round(float(value), 3) for value in found[:, FEATURES.index(name)]]


def test_gaps_and_steps_in_heights() -> None:
    page = _page()
    assert _feature(page, "gap") == [0.4, 0.8]
    assert _feature(page, "step") == [1.0, 1.4]
    assert _feature(page, "usual step") == [1.0, 1.0]
    assert _feature(page, "step to usual") == [1.0, 1.4]
    assert _feature(page, "spread of the row's steps") == [0.2, 0.2]


def test_nothing_around() -> None:
    page = _page()
    for name in ("line between", "lines between", "row's lined pairs", "other between", "dot between"):
        assert _feature(page, name) == [0, 0]
    for name in ("line left", "line right", "before to line", "line to after", "line above", "line below"):
        assert _feature(page, name) == [FAR, FAR]


def test_scale_does_not_matter() -> None:
    page = _page(lines=[(200, 60, 4, 140)], others=[(196, 130, 8, 20)])
    large = [tuple(2 * side for side in box) for box in ROW]
    twice = Page(*3 * (np.zeros((600, 1000), np.uint8),), others=[(392, 260, 16, 40)],
                 lines=np.kron(page.lines, np.ones((2, 2), np.uint8)))  # fmt: skip
    np.testing.assert_allclose(features(large, twice), features(ROW, page), atol=0.06)  # type: ignore[arg-type]


def test_a_line_between() -> None:
    page = _page(lines=[(200, 60, 4, 140)])
    assert _feature(page, "line between") == [0, 1]
    assert _feature(page, "lines between") == [0, 1]
    assert _feature(page, "row's lined pairs") == [0.5, 0.5]
    assert _feature(page, "before to line") == [FAR, pytest.approx(0.42, abs=0.05)]
    assert _feature(page, "line to after") == [FAR, pytest.approx(0.38, abs=0.05)]
    # The same line is the first pair's to the right.
    assert _feature(page, "line right")[0] == pytest.approx(0.56, abs=0.1)


def test_a_double_line_between() -> None:
    page = _page(lines=[(194, 60, 4, 140), (206, 60, 4, 140)])
    assert _feature(page, "line between") == [0, 1]
    assert _feature(page, "lines between") == [0, 2]


@pytest.mark.parametrize("line", [(200, 160, 4, 100), (200, 100, 4, 12), (60, 120, 300, 4)])
def test_what_is_no_line_between(line: Box) -> None:
    """A line below the row, a stub, a line through the row."""
    assert _feature(_page(lines=[line]), "line between") == [0, 0]


def test_lines_above_and_below() -> None:
    """Those of a comb or a ruled row, next to the row and one further."""
    page = _page(lines=[(60, y, 300, 4) for y in (60, 90, 158, 190)])
    assert _feature(page, "line above") == [pytest.approx(0.17, abs=0.05)] * 2
    assert _feature(page, "line below") == [pytest.approx(0.19, abs=0.05)] * 2
    assert _feature(page, "next line above") == [pytest.approx(0.77, abs=0.05)] * 2
    assert _feature(page, "next line below") == [pytest.approx(0.83, abs=0.05)] * 2


def test_other_writing_between() -> None:
    """A sign in a row, not one below it or before it."""
    page = _page(others=[(196, 118, 10, 14)])
    assert _feature(page, "other between") == [0, pytest.approx(14 / 50)]
    for box in ((196, 200, 10, 14), (40, 118, 10, 14), (400, 118, 10, 14)):
        assert _feature(_page(others=[box]), "other between") == [0, 0]


def test_a_dot_between() -> None:
    """At the feet; one at the head is none."""
    assert _feature(_page(dots=[(197, 142, 6, 6)]), "dot between") == [0, 1]
    assert _feature(_page(dots=[(197, 92, 6, 6)]), "dot between") == [0, 0]


def test_drops_and_heights() -> None:
    row: list[Box] = [(100, 100, 30, 50), (150, 125, 15, 25), (190, 110, 30, 50)]
    assert _feature(_page(), "drop", row) == [0, 0.2]
    assert _feature(_page(), "heights", row) == [pytest.approx(-0.693), pytest.approx(0.693)]


def test_overlapping_digits() -> None:
    row: list[Box] = [(100, 100, 30, 50), (120, 100, 30, 50), (140, 100, 30, 50)]
    assert _feature(_page(), "gap", row) == [-0.2, -0.2]


@pytest.mark.parametrize("row", [[(0, 0, 1, 1), (1, 0, 1, 1)], [(0, 0, 1, 300), (499, 0, 1, 300)],
                                 [(0, 0, 5, 9), (900, 700, 5, 9)]])  # fmt: skip
def test_boxes_at_and_beyond_the_edges(row: list[Box]) -> None:
    _feature(_page(lines=[(200, 0, 4, 300)]), "gap", row)


def _agreed(steps: list[float], lined: list[int], logits: list[float]) -> list[float]:
    described = np.zeros((len(steps), len(FEATURES)), np.float32)
    described[:, FEATURES.index("step")] = steps
    described[:, FEATURES.index("line between")] = lined
    return agreed(described, np.array(logits, np.float32)).tolist()


def test_cells_side_by_side_share_their_fate() -> None:
    assert _agreed([1, 1, 1], [1, 1, 1], [3, -1, 1]) == [1, 1, 1]
    assert _agreed([1, 1, 3, 3], [1, 1, 1, 1], [3, 1, -2, -4]) == [2, 2, -3, -3]  # two combs
    assert _agreed([1, 1, 1], [1, 0, 1], [3, -1, 1]) == [3, -1, 1]
    assert _agreed([1], [1], [0.5]) == [0.5]
    assert _agreed([], [], []) == []


def test_a_lone_digit_has_no_pairs() -> None:
    assert features(ROW[:1], _page()).shape == (0, len(FEATURES))
    assert features([], _page()).shape == (0, len(FEATURES))
