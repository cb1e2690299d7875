"""What goes into the decision on a form's fields, and what comes out of it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from digitlens.core.arrays import Doubles

EMPTY, OTHER = 10, 11
"""Columns of a written cell's probabilities behind the ten digits: nothing in it; ink that is no digit."""
BLANK, MARKED, UNCLEAR = 0, 1, 2
"""Columns of a marked cell's probabilities: of ticks and choices."""

Readings = Sequence[tuple[str, float]]
"""What may stand in a field, with the probability of each: digits, with "." before a decimal's places or
without; "" for nothing; of a tick "x" or ""; of a choice its text. The rest to 1 is unreadable ink."""
Hypotheses = Doubles | Readings
"""Of a field either each cell's probabilities, (cells, 12), of ticks and choices (cells, 3), or readings."""
State = Literal["sure", "doubt", "empty", "unreadable", "rule"]


class FieldDecision(msgspec.Struct, frozen=True):
    """What stands in a field."""

    value: int | float | str | bool | None
    """integer -> int, decimal -> float, digits -> str, date -> "2026-01-31", time -> "08:30", tick -> bool,
    choice -> its text; None where nothing is written, or nothing can be read."""
    raw: str
    """The likeliest reading without any rule: "_" is an empty cell between others, "?" one whose ink is no
    digit; separators as printed."""
    confidence: float
    """The probability that the value is right, 0 to 1."""
    state: State
    """empty: nothing is written (a tick is then sure, and False). unreadable: ink that is no digit. rule: a
    rule is broken, and no reading that keeps it is likely; the value is the likeliest without that rule."""
    reason: str
    """Why it is not sure, and what the rules changed; empty where there is nothing to say."""
    posterior: float = 1.0
    """The value's share among all that keeps to the rules, 0 to 1."""
