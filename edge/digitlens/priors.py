"""How much of a page is no digit: known, it tells a doubtful digit among digits from one among letters."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PAGE = 8.0
"""Glyphs that what was trained on counts for, against those of the page."""
NUMBER = 2.0
"""Glyphs that the page counts for, against those of one number."""
ROUNDS = 12
LEAST = 1e-3
"""Of both kinds there is always so much."""


def among(sure: Floats, trained: float, before: float, weight: float) -> tuple[Floats, float]:
    """The probabilities (N,) that glyphs are digits, each seen among the others; and the part of others.

    The part of what is no digit is found by expectation maximization (Saerens et al. 2002). For each glyph
    it is taken from the other glyphs alone: its own doubt counts once.

    Args:
        sure: (N,) the probabilities that a glyph is a digit, where the part `trained` is none.
        trained: what the probabilities were made for, 0..1.
        before: what is believed before the glyphs are seen, 0..1.
        weight: so many glyphs that belief counts for.
    """
    count = weight + len(sure)
    share = before
    for _ in range(ROUNDS):
        others = 1 - _adapted(sure, trained, np.full(len(sure), share))
        share = (weight * before + float(others.sum())) / count
    without = (share * count - others) / (count - 1)
    return _adapted(sure, trained, without), min(max(share, LEAST), 1 - LEAST)


def _adapted(sure: Floats, trained: float, share: Floats) -> Floats:
    """The same probabilities where the part `share` (N,) is no digit (Bayes)."""
    trained, share = min(max(trained, LEAST), 1 - LEAST), np.clip(share, LEAST, 1 - LEAST)
    digit = sure * (1 - share) / (1 - trained)
    other = np.maximum(1 - sure, 0) * share / trained
    likely: Floats = digit / np.maximum(digit + other, 1e-12)
    return likely
