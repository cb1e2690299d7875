"""Whether two neighbors of a row are digits of one number: a small network learnt from generated pages.

Its inputs are how far the two stand apart, how far the row's others do, what stands between and around
them (lines, other writing, dots), and what stands above and below: a table has columns, a comb has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.readings import Box
from digitlens.paper.network import STEP
from digitlens.paper.page import Page

FAR = 3.0
"""Distance from which a line counts as none, heights of the two."""
REACH = 6.0
"""Largest gap and step, heights of the two."""
COVERED = 0.6
"""Part of a band's height, or of a pair's width, that a line in it covers."""
SAME = 0.35
"""Difference of two steps up to which they are equal, steps."""
FEATURES = (
    "gap",
    "step",
    "usual step",
    "step to usual",
    "spread of the row's steps",
    "line between",
    "lines between",
    "line left",
    "line right",
    "before to line",
    "line to after",
    "line above",
    "line below",
    "next line above",
    "next line below",
    "row's lined pairs",
    "other between",
    "dot between",
    "drop",
    "heights",
    "digits",
    "step before",
    "step after",
    "gap to the row's least",
    "gap to the row's largest",
    "line in the pair before",
    "line in the pair after",
    "above the first",
    "above the second",
    "below the first",
    "below the second",
    "page's glyphs",
)
"""The inputs for a pair; lengths in heights of the taller of the two."""


@dataclass(frozen=True)
class _Lines:
    """Where lines run across a band: the pixels of their middles."""

    upright: Doubles
    level: Doubles


def features(row: Sequence[Box], page: Page) -> Floats:
    """The boxes of a row's digits from left to right, N -> (N - 1, len(FEATURES)) float32, pair by pair."""
    pairs = list(pairwise(row))
    found = np.zeros((len(pairs), len(FEATURES)), np.float32)
    if not pairs:
        return found
    centers = [x + width / 2 for x, _, width, _ in row]
    steps = np.diff(centers)
    heights = np.array([max(one[3], other[3]) for one, other in pairs], np.float64)
    usual = float(np.sort(steps / heights)[len(steps) // 4])
    lined = np.zeros(len(pairs))
    glyphs = np.array([glyph.box for glyph in page.glyphs], np.float64).reshape(-1, 4)
    columns = [_column(box, glyphs) for box in row]
    for k, (one, other) in enumerate(pairs):
        h = float(heights[k])
        lines = _lines(one, other, h, page)
        right, left = one[0] + one[2], other[0]
        middle = (centers[k] + centers[k + 1]) / 2
        inner = lines.upright[(lines.upright > centers[k]) & (lines.upright < centers[k + 1])]
        outer_left = one[0] + one[2] * 0.25 - lines.upright[lines.upright <= centers[k]]
        outer_right = lines.upright[lines.upright >= centers[k + 1]] - other[0] - other[2] * 0.75
        top, bottom = min(one[1], other[1]), max(one[1] + one[3], other[1] + other[3])
        halfway = (top + bottom) / 2
        above = np.sort(halfway - lines.level[lines.level <= halfway]) - (bottom - top) / 2
        below = np.sort(lines.level[lines.level > halfway] - halfway) - (bottom - top) / 2
        line = float(inner[np.argmin(np.abs(inner - middle))]) if inner.size else 0.0
        lined[k] = inner.size > 0
        found[k, :15] = (
            (left - right) / h,
            steps[k] / h,
            usual,
            steps[k] / h / max(usual, 0.1),
            0.0,
            float(inner.size > 0),
            min(inner.size, 3),
            _near(outer_left, h),
            _near(outer_right, h),
            (line - right) / h if inner.size else FAR,
            (left - line) / h if inner.size else FAR,
            _near(above[:1], h),
            _near(below[:1], h),
            _near(above[1:2], h),
            _near(below[1:2], h),
        )
        found[k, 16] = _other_between(one, other, page.others) / h
        found[k, 17] = float(_dot_between(one, other, page.dots, h))
        found[k, 18] = (other[1] + other[3] - one[1] - one[3]) / h
        found[k, 19] = np.log(other[3] / one[3])
        found[k, 20] = np.log(len(row))
        over, under = zip(columns[k], columns[k + 1], strict=True)
        found[k, 27:31] = np.array([*over, *under]) / h
    gaps = found[:, 0]
    found[:, 4] = np.std(steps / heights)
    found[:, 15] = lined.mean()
    ratios = np.diff(np.log(np.maximum(steps, 1)))
    found[1:, 21], found[:-1, 22] = -ratios, ratios
    found[:, 23], found[:, 24] = gaps - gaps.min(), gaps.max() - gaps
    found[:, 25:27] = -1
    found[1:, 25], found[:-1, 26] = lined[:-1], lined[1:]
    found[:, 31] = np.log1p(len(glyphs))
    return np.clip(found, -REACH, REACH)


def agreed(described: Floats, logits: Floats) -> Floats:
    """The logits (N,) of a row's pairs, those of equal steps side by side replaced by their mean.

    `described` are the pairs' features. A comb is one number and a table's cells are as many: neighboring
    pairs with equal steps share their fate, with a line between all of them or none.
    """
    steps, lined = described[:, FEATURES.index("step")], described[:, FEATURES.index("line between")] > 0
    found = logits.copy()
    start = 0
    for k in range(1, len(logits) + 1):
        if k < len(logits) and lined[k] == lined[start] and abs(steps[k] - steps[k - 1]) < SAME * steps[k]:
            continue
        found[start:k] = logits[start:k].mean()
        start = k
    return found


def stands_alone(row: Sequence[Box], page: Page) -> bool:
    """Whether fewer than half of a row's digits have a glyph close above or below: a comb, and no table."""
    glyphs = np.array([glyph.box for glyph in page.glyphs], np.float64).reshape(-1, 4)
    close = [min(_column(box, glyphs)) < FAR * box[3] for box in row]
    return 2 * sum(close) < len(close)


def _column(box: Box, glyphs: Doubles) -> tuple[float, float]:
    """How far the nearest glyphs above and below stand, pixels; a lot where there are none."""
    x, y, width, height = box
    far = REACH * height * 2
    if not len(glyphs):
        return far, far
    middles, tops = glyphs[:, 0] + glyphs[:, 2] / 2, glyphs[:, 1]
    reach = max(width, 0.6 * height) / 2 + glyphs[:, 2] / 4
    column = np.abs(middles - x - width / 2) < reach
    over, under = y - tops - glyphs[:, 3], tops - y - height
    least = -0.3 * height
    return (
        float(over[column & (over > least)].min(initial=far)),
        float(under[column & (under > least)].min(initial=far)),
    )


def _near(distances: Doubles, height: float) -> float:
    """The smallest of some distances, in heights, or FAR."""
    return min(FAR, float(distances.min()) / height) if distances.size else FAR


def _lines(one: Box, other: Box, height: float, page: Page) -> _Lines:
    """The upright lines beside and between two boxes, and the level ones above and below."""
    top, bottom = min(one[1], other[1]), max(one[1] + one[3], other[1] + other[3])
    left, right = one[0] - FAR * height, other[0] + other[2] + FAR * height
    band = _part(page.lines, top, bottom, left, right)
    upright = _middles(band[0], 0) * STEP + band[2]
    across = _part(page.lines, top - 2 * FAR * height, bottom + 2 * FAR * height, one[0], other[0] + other[2])
    level = _middles(across[0], 1) * STEP + across[1]
    return _Lines(upright, level)


def _part(lines: Gray, top: float, bottom: float, left: float, right: float) -> tuple[Gray, float, float]:
    """The lines in a rectangle of the picture, and its upper and left sides, pixels."""
    y, x = max(0, int(top // STEP)), max(0, int(left // STEP))
    part = lines[y : max(y + 1, int(bottom // STEP) + 1), x : max(x + 1, int(right // STEP) + 1)]
    return part, y * STEP, x * STEP


def _middles(part: Gray, axis: int) -> Doubles:
    """The middles of the lines that cover most of a rectangle along an axis, in its pixels."""
    if not part.size:
        return np.zeros(0)
    near = cv2.dilate(part, np.ones((1, 3) if axis == 0 else (3, 1), np.uint8))
    covered = np.count_nonzero(near, axis=axis) >= COVERED * part.shape[axis]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], covered, [False]]).astype(np.int8)))
    return np.asarray((edges[::2] + edges[1::2] - 1) / 2, np.float64)


def _other_between(one: Box, other: Box, others: Sequence[Box]) -> float:
    """The longer side of the largest other writing between two boxes, 0 where there is none; pixels."""
    left, right = one[0] + one[2] / 2, other[0] + other[2] / 2
    top, bottom = min(one[1], other[1]), max(one[1] + one[3], other[1] + other[3])
    sides = [max(w, h) for x, y, w, h in others if left < x + w / 2 < right and y < bottom and y + h > top]
    return float(max(sides, default=0))


def _dot_between(one: Box, other: Box, dots: Sequence[Box], height: float) -> bool:
    """Whether a dot stands between two boxes, at their feet or halfway up."""
    left, right = one[0] + one[2] * 0.6, other[0] + other[2] * 0.4
    top = max(one[1], other[1]) + 0.2 * height
    bottom = max(one[1] + one[3], other[1] + other[3]) + 0.3 * height
    return any(left < x + w / 2 < right and top < y + h / 2 < bottom for x, y, w, h in dots)
