"""The class prior of a page, by expectation maximization: among digits a doubtful glyph is likelier a digit.

Saerens, Latinne and Decaestecker (2002) adjust a classifier's posteriors to a new prior.
"""

import numpy as np

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.core.arrays import Doubles

DEFAULT = NumberParameters()
FEW = 8
"""Glyphs below which numbers one by one are faster than arrays; NumPy adds as few in the same order."""
TINY = 1e-12


def em_class_prior(
    digit_probabilities: Doubles,
    trained: float,
    prior: float,
    weight: float,
    parameters: NumberParameters = DEFAULT,
) -> tuple[Doubles, float]:
    """The glyphs' posteriors (N,) of being digits under the page's own prior, and its fraction of non-digits.

    Each posterior uses the fraction that the other glyphs give, so that a glyph's own doubt counts once.

    Args:
        digit_probabilities: (N,) posteriors that glyphs are digits, under the fraction `trained`.
        trained: the fraction of non-digits that the classifier was trained for, 0 to 1.
        prior: the expected fraction of non-digits, 0 to 1.
        weight: of that expectation, in glyphs.
        parameters: the rounds, their tolerance and the smallest fraction.
    """
    least = parameters.least_fraction
    count = weight + len(digit_probabilities)
    trained, fraction = (min(max(part, least), 1 - least) for part in (trained, prior))
    # The odds against a digit where both classes are equally frequent.
    odds = np.maximum(1 - digit_probabilities, 0) / np.maximum(digit_probabilities, TINY)
    odds = odds * ((1 - trained) / trained)
    few = odds.tolist() if len(odds) < FEW else []
    for _ in range(parameters.em_rounds):
        last = fraction
        if few:
            total = 0.0
            for one in few:
                against = one * fraction
                total += against / (against + 1 - fraction)
        else:
            total = float(_non_digit(odds, fraction).sum())
        fraction = (weight * prior + total) / count
        fraction = min(max(fraction, least), 1 - least)
        if abs(fraction - last) < parameters.em_tolerance:
            break
    non_digit = _non_digit(odds, last)
    without = np.clip((fraction * count - non_digit) / (count - 1), least, 1 - least)
    return 1 - _non_digit(odds, without), fraction


def _non_digit(odds: Doubles, fraction: float | Doubles) -> Doubles:
    """The posteriors (N,) that glyphs are non-digits where this fraction is (Bayes)."""
    against = odds * fraction
    return np.asarray(against / (against + 1 - fraction), np.float64)
