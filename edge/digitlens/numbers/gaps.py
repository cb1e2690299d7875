"""Digits -> numbers by rules: a row is split at gaps much wider than its others, and at a table's lines."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.core.readings import Digit, Number, number
from digitlens.rows.lines import to_rows

Points = npt.NDArray[np.int32]

DEFAULT = NumberParameters()


def to_numbers(
    digits: Iterable[Digit], borders: Sequence[Points] = (), parameters: NumberParameters = DEFAULT
) -> tuple[Number, ...]:
    """Digits in any order -> numbers in reading order: rows top to bottom, each left to right.

    `borders` are the paper's upright lines, each (N, 2) x and y of points along it, pixels; those of a table
    separate numbers.
    """
    return tuple(
        number(tuple(cell))
        for row in to_rows(digits)
        for part in _split_at_gaps(row, parameters)
        for cell in _split_at_borders(part, borders, parameters)
    )


def _split_at_borders(
    part: list[Digit], borders: Sequence[Points], parameters: NumberParameters
) -> list[list[Digit]]:
    """Split a part of a row at the upright lines of a table."""
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
        is_split = any(
            first < x < last
            and min(apart[max(0, k - 1) : k + 1], default=np.inf) > parameters.table_cell * height
            for k, x in enumerate(here)
        )
        if is_split:
            cells.append([digit])
        else:
            cells[-1].append(digit)
    return cells


def _split_at_gaps(row: list[Digit], parameters: NumberParameters) -> list[list[Digit]]:
    """Split a row where a gap is much wider than its others."""
    height = median(digit.box[3] for digit in row)
    centers = [digit.box[0] + digit.box[2] / 2 for digit in row]
    steps = [right - left for left, right in pairwise(centers)]
    if len(steps) > 1:
        # The lower quartile, so that in a row of short numbers the usual step is one within a number.
        usual = max(sorted(steps)[len(steps) // 4], parameters.least_step * height)
    else:
        usual = parameters.lone_step / parameters.wide_step * height
    parts = [row[:1]]
    for digit, before, step in zip(row[1:], row, steps, strict=False):
        gap = digit.box[0] - (before.box[0] + before.box[2])
        if step > parameters.wide_step * usual and gap > parameters.wide_gap * height:
            parts.append([digit])
        else:
            parts[-1].append(digit)
    return parts
