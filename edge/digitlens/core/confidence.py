"""How a confidence is written for people: the same in tables, logs and messages, on labels and pages."""

from math import floor

ROUNDING = 1e-9
"""Added before rounding down, for 0.29 * 100 is a little less than 29; percent."""


def percent(confidence: float) -> str:
    """A probability in whole percent, rounded down, for 99.9 % is not certain: "99 %"."""
    return f"{floor(confidence * 100 + ROUNDING)} %"
