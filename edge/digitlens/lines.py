"""Digits -> numbers: rows found under skew, digits joined by the gaps of their own row."""

from collections.abc import Iterable
from itertools import pairwise
from statistics import median

from digitlens.readings import Digit, Number, number

OVERLAP = 0.4
"""Of the lower one's height, that two neighbors of one row overlap at the least."""
WIDE = 1.6
"""A gap this many times the row's usual one, seen from center to center, parts two numbers."""
APART = 0.8
"""And it is at least this many digit heights wide."""
LONE = 2.5
"""Digit heights between two digits that are alone in their row, above which each is a number."""


def to_numbers(digits: Iterable[Digit]) -> tuple[Number, ...]:
    """Digits in any order -> numbers in reading order: rows top to bottom, each left to right."""
    rows: list[list[Digit]] = []
    for digit in sorted(digits, key=lambda digit: digit.box[0]):
        # The row whose last digit it overlaps most; a skewed row climbs from digit to digit.
        best = max(rows, key=lambda row: _overlap(row, digit), default=None)
        if best is not None and _overlap(best, digit) >= OVERLAP:
            best.append(digit)
        else:
            rows.append([digit])
    rows.sort(key=lambda row: median(digit.box[1] + digit.box[3] / 2 for digit in row))
    return tuple(number(tuple(part)) for row in rows for part in _parts(row))


def _overlap(row: list[Digit], digit: Digit) -> float:
    """How much of the lower one's height the digit shares with the row's last, in parts of it."""
    _, top, _, height = digit.box
    _, last_top, _, last_height = row[-1].box
    shared = min(top + height, last_top + last_height) - max(top, last_top)
    return shared / min(height, last_height)


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
