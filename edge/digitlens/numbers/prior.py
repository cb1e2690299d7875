"""How much of a page is no digit: known, it tells a doubtful digit among digits from one among letters."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BEFORE = 0.06
"""Of a page's glyphs, that are thought no digits before they are seen: it is digits that are shown."""
PAGE = 0.7
"""Glyphs that this belief counts for, against those of the page."""
NUMBER = 2.0
"""Glyphs that the page counts for, against those of one number."""
ROUNDS = 12
SETTLED = 1e-9
"""What another round changes at the least."""
FEW = 8
"""Glyphs, below which numbers one by one are faster than arrays; NumPy adds as few in the same order."""
LEAST = 1e-3
"""Of both kinds there is always so much."""
TINY = 1e-12


def em_class_prior(sure: Floats, trained: float, before: float, weight: float) -> tuple[Floats, float]:
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
    trained, share = (min(max(part, LEAST), 1 - LEAST) for part in (trained, before))
    # The odds against a digit where both kinds are equally many.
    odds = np.maximum(1 - sure, 0) / np.maximum(sure, TINY) * ((1 - trained) / trained)
    few = odds.tolist() if len(odds) < FEW else []
    for _ in range(ROUNDS):
        last = share
        if few:
            total = 0.0
            for one in few:
                against = one * share
                total += against / (against + 1 - share)
        else:
            total = float(_others(odds, share).sum())
        share = (weight * before + total) / count
        share = min(max(share, LEAST), 1 - LEAST)
        if abs(share - last) < SETTLED:
            break
    others = _others(odds, last)
    without = np.clip((share * count - others) / (count - 1), LEAST, 1 - LEAST)
    return 1 - _others(odds, without), share


def _others(odds: Floats, share: float | Floats) -> Floats:
    """The probabilities (N,) that glyphs are no digits where the part `share` is none (Bayes)."""
    against = odds * share
    return np.asarray(against / (against + 1 - share), np.float64)
