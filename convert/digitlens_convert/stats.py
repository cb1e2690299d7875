"""Confidence intervals, significance tests and calibration measures."""

from collections.abc import Callable, Sequence
from math import comb, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens.models.cards import Accuracy

Z95 = 1.959963984540054


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a proportion (Wilson 1927), as fractions; (0, 1) without trials."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = right / total, Z95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 * sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy(name: str, right: int, total: int) -> Accuracy:
    """An accuracy with its Wilson interval, as a card holds it."""
    return Accuracy(name, right, total, right / max(1, total), wilson(right, total))


def discordant(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """The discordant pairs of (N,) and (N,): how many only the first has right, and only the second."""
    return int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value of McNemar's test for two equally accurate readers (McNemar 1947).

    `only_first` and `only_second` count the discordant pairs.
    """
    discordant = only_first + only_second
    tail = sum(comb(discordant, k) for k in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * tail / 2**discordant))


def calibration_error(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_], bins: int = 15
) -> float:
    """The expected calibration error (Guo et al. 2017), over `bins` bins of equal width."""
    places = np.minimum((np.clip(confidence, 0, 1) * bins).astype(int), bins - 1)
    gaps = np.bincount(places, right - confidence, bins)
    return float(np.abs(gaps).sum() / max(1, len(places)))


def by_chance(
    error: Callable[[npt.NDArray[np.float64], npt.NDArray[np.bool_]], float],
    confidence: npt.NDArray[np.float64],
    draws: int = 200,
) -> float:
    """The mean error of these confidences if each were exactly the probability of being right."""
    random = np.random.default_rng(0)
    return float(
        np.mean([error(confidence, random.random(len(confidence)) < confidence) for _ in range(draws)])
    )


def risk_coverage(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Coverage and risk, (N,) each: the k most confident answers' share of all, and their error rate."""
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    return answered / len(order), np.cumsum(~right[order]) / answered


def ratio_interval(errors: Sequence[int], digits: Sequence[int], seed: int = 2026) -> tuple[float, float]:
    """The 95 % bootstrap interval of sum(errors) / sum(digits), resampling pages."""
    draws = np.random.default_rng(seed).integers(0, len(errors), (2000, len(errors)))
    ratios = np.asarray(errors)[draws].sum(axis=1) / np.maximum(1, np.asarray(digits)[draws].sum(axis=1))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)
