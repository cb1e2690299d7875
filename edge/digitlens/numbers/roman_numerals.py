"""Roman numerals at the head of columns, I II III: bars that would otherwise be read as ones."""

from collections.abc import Iterable
from itertools import pairwise

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.core.readings import Number
from digitlens.rows.lines import to_rows

DEFAULT = NumberParameters()
MOST_BARS = 3
"""IIII is written IV."""


def without(numbers: Iterable[Number], parameters: NumberParameters = DEFAULT) -> tuple[Number, ...]:
    """The numbers without rows of nothing but plain bars that count up from one, once or repeatedly."""
    return tuple(found for row in to_rows(numbers) if not _counts_up(row, parameters) for found in row)


def _counts_up(row: list[Number], parameters: NumberParameters) -> bool:
    counts = [len(found.digits) for found in row]
    if max(counts) != MOST_BARS or len(row) < parameters.least_numerals or counts[0] != 1:
        return False
    digits = [digit for found in row for digit in found.digits]
    if any(digit.value != 1 or digit.box[2] > parameters.slim_bar * digit.box[3] for digit in digits):
        return False
    return all(count in (1, before + 1) for before, count in pairwise(counts))
