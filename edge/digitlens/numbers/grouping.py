"""Digits -> numbers: rows found under skew, digits joined by the gaps of their own row."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box, Digit, Number, number
from digitlens.rows.lines import to_rows

Points = npt.NDArray[np.int32]

WIDE = 1.6
"""A gap this many times the row's usual one, seen from center to center, parts two numbers."""
APART = 0.8
"""And it is at least this many digit heights wide."""
LONE = 2.5
"""Digit heights between two digits that are alone in their row, above which each is a number."""
CELL = 1.5
"""Digit heights between two upright lines, above which they are a table's; squared paper's are closer."""
FOOT = 0.3
"""Of the digits' height: how far from their feet a decimal separator's middle may be."""


def to_numbers(digits: Iterable[Digit], borders: Sequence[Points] = ()) -> tuple[Number, ...]:
    """Digits in any order -> numbers in reading order: rows top to bottom, each left to right.

    `borders` are the paper's upright lines, each (N, 2) x and y of points along it: a table's part numbers.
    """
    return tuple(
        number(tuple(cell))
        for row in to_rows(digits)
        for part in _parts(row)
        for cell in _cells(part, borders)
    )


def separated(found: Number, dots: Iterable[Box], sign: str) -> Number:
    """The number with `sign` in its text where a dot or a comma stands at the feet of two of its digits."""
    texts = [str(found.digits[0].value)]
    dots = list(dots)
    for left, right in pairwise(found.digits):
        height = max(left.box[3], right.box[3])
        feet = (left.box[1] + left.box[3] + right.box[1] + right.box[3]) / 2
        first, last = left.box[0] + 0.6 * left.box[2], right.box[0] + 0.4 * right.box[2]
        between = any(
            first < x + width / 2 < last and abs(y + tall / 2 - feet) <= FOOT * height
            for x, y, width, tall in dots
        )
        texts.append(f"{sign if between else ''}{right.value}")
    return msgspec.structs.replace(found, text="".join(texts))


def _cells(part: list[Digit], borders: Sequence[Points]) -> list[list[Digit]]:
    """Cut a part of a row at the upright lines of a table."""
    if not borders:
        return [part]
    height = median(digit.box[3] for digit in part)
    middle = median(digit.box[1] + digit.box[3] / 2 for digit in part)
    here = [
        float(np.interp(middle, points[:, 1], points[:, 0]))
        for points in borders
        if points[0, 1] - height <= middle <= points[-1, 1] + height
    ]
    here.sort()
    apart = [right - left for left, right in pairwise(here)]
    cells = [part[:1]]
    for before, digit in pairwise(part):
        first, last = before.box[0] + before.box[2] / 2, digit.box[0] + digit.box[2] / 2
        parted = any(
            first < x < last and min(apart[max(0, k - 1) : k + 1], default=np.inf) > CELL * height
            for k, x in enumerate(here)
        )
        if parted:
            cells.append([digit])
        else:
            cells[-1].append(digit)
    return cells


def _parts(row: list[Digit]) -> list[list[Digit]]:
    """Cut a row where a gap is much wider than its others."""
    height = median(digit.box[3] for digit in row)
    centers = [digit.box[0] + digit.box[2] / 2 for digit in row]
    steps = [right - left for left, right in pairwise(centers)]
    # The lower quartile, so that a row of short numbers still knows its narrow steps.
    usual = max(sorted(steps)[len(steps) // 4], 0.6 * height) if len(steps) > 1 else LONE / WIDE * height
    parts = [row[:1]]
    for digit, before, step in zip(row[1:], row, steps, strict=False):
        gap = digit.box[0] - (before.box[0] + before.box[2])
        if step > WIDE * usual and gap > APART * height:
            parts.append([digit])
        else:
            parts[-1].append(digit)
    return parts
