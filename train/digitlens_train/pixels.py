"""How well pixels are classified: counts of each class taken for each, and intersection over union."""

from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles
from digitlens_train.paper.classes import IGNORED, Kind

Counts = npt.NDArray[np.int64]
"""(classes, classes): pixels of a true class, by row, that were taken for a class, by column."""


def confusion(truth: npt.NDArray[np.uint8], given: npt.NDArray[np.integer[Any]]) -> Counts:
    """Count two class maps of one shape; where the truth is IGNORED nothing counts."""
    known = truth != IGNORED
    pairs = truth[known].astype(np.int64) * len(Kind) + given[known]
    return np.bincount(pairs, minlength=len(Kind) ** 2).reshape(len(Kind), len(Kind)).astype(np.int64)


def unions(counts: Counts) -> Doubles:
    """Intersection over union of each Kind, (classes,); 0 for one that neither is there nor is found."""
    both, either = overlap(counts)
    return np.asarray(both / np.maximum(either, 1), np.float64)


def overlap(counts: Counts) -> tuple[Counts, Counts]:
    """Pixels of each Kind that are right, and those that are of it or were taken for it; (classes,) each."""
    both = np.diag(counts)
    return both, counts.sum(axis=0) + counts.sum(axis=1) - both


def named(values: Doubles) -> dict[str, float]:
    """By the Kinds' names."""
    return {kind.name.lower(): float(values[kind]) for kind in Kind}
