"""How many numbers a person must look at, the least sure first, to reach a wanted error rate."""

from collections.abc import Sequence

import numpy as np

from digitlens.batch.sample import stratum
from digitlens.batch.score import Score
from digitlens.batch.survey import BINS, Survey
from digitlens.core.arrays import Doubles

WANTED = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Error rates."""


def expected_errors(survey: Survey, score: Score | None) -> Doubles:
    """The wrong numbers in each bin of confidence: by the checked sample, or else as the confidences say."""
    if score is None:
        return np.maximum(survey.confidences - survey.sums, 0.0)
    rates = np.array([score.strata[stratum((index + 0.5) / BINS)].rate for index in range(BINS)])
    return np.asarray(survey.confidences * rates, np.float64)


def to_check(counts: Doubles, errors: Doubles, wanted: Sequence[float] = WANTED) -> list[tuple[float, int]]:
    """For each wanted rate, how many numbers must be looked at from the least sure on.

    A person is taken to put right all that they look at.

    Args:
        counts: numbers by confidence, from 0 to 1.
        errors: those of them that are wrong.
        wanted: parts of all numbers that may stay wrong.
    """
    total, left = float(counts.sum()), float(errors.sum())
    found = []
    for rate in sorted(wanted, reverse=True):
        rest, looked = left, 0.0
        for count, wrong in zip(counts, errors, strict=True):
            excess = rest - rate * total
            if excess <= 1e-9:
                break
            part = 1.0 if wrong <= excess else excess / wrong
            rest -= part * wrong
            looked += part * count
        found.append((rate, int(np.ceil(looked))))
    return found
