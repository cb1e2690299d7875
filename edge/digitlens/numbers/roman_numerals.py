"""Roman numerals at the head of columns, I II III: bars that would else be read as ones."""

from collections.abc import Iterable
from itertools import pairwise

from digitlens.core.readings import Number
from digitlens.rows.lines import to_rows

LEAST = 3
"""So many are counted up at the least: 1 and 11 side by side may well be numbers."""
MOST = 3
"""IIII is written IV."""
SLIM = 0.45
"""Of a bar's height, its width at the most: a 1 with a long upstroke is wider."""


def without(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """The numbers but for rows of nothing but plain bars that count up from one, once or again and again."""
    return tuple(found for row in to_rows(numbers) if not _counts_up(row) for found in row)


def _counts_up(row: list[Number]) -> bool:
    counts = [len(found.digits) for found in row]
    if max(counts) != MOST or len(row) < LEAST or counts[0] != 1:
        return False
    digits = [digit for found in row for digit in found.digits]
    if any(digit.value != 1 or digit.box[2] > SLIM * digit.box[3] for digit in digits):
        return False
    return all(count in (1, before + 1) for before, count in pairwise(counts))
