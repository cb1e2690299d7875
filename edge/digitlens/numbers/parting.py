"""Numbers of the front of rules, split where the network `pairs` says that two digits are of two numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.readings import Box, Digit, Number, number
from digitlens.numbers import pairs
from digitlens.paper.network import STEP
from digitlens.paper.page import Page
from digitlens.rows.lines import to_rows

Logits = Callable[[Sequence[Digit], Page], Floats]

SAME_INK = 0.5
"""Part of the smaller of two boxes from which a glyph is a digit's ink."""
EVEN = 4
"""Fewest digits whose equal steps say that they are of one number; set by hand."""
HALO = STEP
"""Distance from a digit's ink up to which the network, at this resolution, takes it for a line's; pixels."""


def parted(numbers: Sequence[Number], page: Page, logits: Logits) -> tuple[Number, ...]:
    """Numbers that stand on a page, split where their digits are of two; what is apart stays apart.

    What a decimal point joins, at any height, stays one, and so do EVEN digits or more at equal steps without
    a line between: `pairs` has but their distance to go by, and that the rules have weighed.

    Args:
        numbers: their boxes in pixels of the page.
        page: as `by_digits` has it.
        logits: of a row's digits and the page: the log-odds (N - 1,) that neighbors are of one number. Rows
            are asked for as they stand, with all numbers in them, as `pairs` has learnt them.
    """
    rows: dict[int, int] = {}
    apart: set[tuple[int, int]] = set()
    for k, row in enumerate(to_rows(digit for found in numbers for digit in found.digits)):
        rows.update((id(digit), k) for digit in row)
        if len(row) > 1:
            of_one = (logits(row, page) > 0).tolist()
            apart.update((id(a), id(b)) for (a, b), one in zip(pairwise(row), of_one, strict=True) if not one)
    parts: list[Number] = []
    for found in numbers:
        pieces = [[found.digits[0]]]
        for one, other in pairwise(found.digits):
            if (id(one), id(other)) in apart or rows[id(one)] != rows[id(other)]:
                pieces.append([])
            pieces[-1].append(other)
        if len(pieces) > 1 and _is_even(found, page):
            pieces = [list(found.digits)]
        first = len(parts)
        for part in (number(tuple(piece)) for piece in pieces):
            if len(parts) > first and _is_point_between(parts[-1].box, part.box, page.dots):
                parts[-1] = number((*parts[-1].digits, *part.digits))
            else:
                parts.append(part)
    return tuple(parts)


def _is_even(found: Number, page: Page) -> bool:
    """Whether a number of many digits has equal steps, and no line between them."""
    if len(found.digits) < EVEN:
        return False
    described = pairs.features([digit.box for digit in found.digits], page)
    steps = described[:, pairs.FEATURES.index("step")]
    lined = described[:, pairs.FEATURES.index("line between")] > 0
    middle = np.median(steps)
    return not lined.any() and bool(np.all(np.abs(steps - middle) <= pairs.SAME * middle))


def by_digits(page: Page, numbers: Iterable[Number], ink: Gray) -> Page:
    """The page around numbers that stand on it, as `pairs` has learnt pages.

    Glyphs that are none of their digits are other writing, and there is no line on the digits' ink: of small
    writing, the network takes strokes for pieces of lines.

    Args:
        page: by the network.
        numbers: of the front of rules, boxes in pixels of the page.
        ink: (H, W) uint8, where that front found ink that may be a digit's.
    """
    boxes = [digit.box for found in numbers for digit in found.digits]
    if not boxes:
        return page
    own = _shared([glyph.box for glyph in page.glyphs], boxes).max(axis=1, initial=0) >= SAME_INK
    glyphs = [glyph for glyph, keep in zip(page.glyphs, own.tolist(), strict=True) if keep]
    others = [glyph.box for glyph, keep in zip(page.glyphs, own.tolist(), strict=True) if not keep]
    inside = np.zeros_like(page.lines)
    for x, y, width, height in boxes:
        inside[
            max(0, y // STEP - 1) : (y + height) // STEP + 2, max(0, x // STEP - 1) : (x + width) // STEP + 2
        ] = 1
    side = 2 * HALO + 1
    near = cv2.dilate(ink, np.ones((side, side), np.uint8))[::STEP, ::STEP]
    lines = np.where((near > 0) & (inside > 0), np.uint8(0), page.lines)
    return replace(page, glyphs=glyphs, others=[*page.others, *others], lines=lines)


def _shared(some: Sequence[Box], others: Sequence[Box]) -> Doubles:
    """(N, M): the part of the smaller of two boxes that both cover."""
    one = np.array(some, np.float64).reshape(-1, 1, 4)
    other = np.array(others, np.float64).reshape(1, -1, 4)
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
    areas = np.minimum(one[..., 2:].prod(axis=2), other[..., 2:].prod(axis=2))
    return np.asarray(np.maximum(high - low, 0).prod(axis=2) / np.maximum(areas, 1), np.float64)


def _is_point_between(left: Box, right: Box, dots: Iterable[Box]) -> bool:
    """Whether a dot stands between two boxes side by side, and as high as they do."""
    top, bottom = min(left[1], right[1]), max(left[1] + left[3], right[1] + right[3])
    start, end = left[0] + left[2], right[0]
    return any(
        start <= x + width / 2 <= end and top <= y + height / 2 <= bottom for x, y, width, height in dots
    )
