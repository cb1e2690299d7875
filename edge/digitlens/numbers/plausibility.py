"""Whether a number that was read is one: a small network learnt from generated pages.

Its inputs are how sure the digit network is of its digits, what the network `ink` takes their ink for, how
they stand to each other, and what stands around them. Words, signs, print and scraps of lines are dropped.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Self

import msgspec
import numpy as np

from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box, Number
from digitlens.models.perceptron import Perceptron
from digitlens.paper.network import STEP
from digitlens.paper.page import Page

FEATURES = (
    "digits",
    "mean log confidence",
    "least log confidence",
    "mean digit ink",
    "least digit ink",
    "mean writing ink",
    "mean print ink",
    "mean line ink",
    "ink of no digit in its boxes",
    "fraction of ones",
    "fraction of slim ones",
    "height to the page's",
    "spread of heights",
    "pixels high",
    "other writing left",
    "other writing right",
    "other writing beside",
    "numbers of the page",
    "others to numbers",
)
"""The inputs for a number; lengths in heights of its digits."""
FAR = 4.0
"""Distance from which other writing counts as none, heights."""
FLOOR = 1e-3
"""Smallest probability whose logarithm is an input."""

DEFAULT_MODEL = "plausibility"


class Plausibility:
    """Drops what is no number; make one with `Plausibility.load`."""

    def __init__(self, network: Perceptron, least: float) -> None:
        self._network, self._least = network, least

    @classmethod
    def load(cls, least: float, model: str | Path = DEFAULT_MODEL) -> Self:
        """A shipped model by name, or an .npz file by path; numbers less probable than `least` are dropped.

        Raises:
            ModelError: no such model, or it does not fit its card.
        """
        return cls(Perceptron.load(model, len(FEATURES)), least)

    def __call__(self, numbers: Sequence[Number], page: Page) -> tuple[Number, ...]:
        """The probable numbers of a page, with the probability that each is right as their confidence."""
        if not numbers:
            return ()
        logits = self._network.logits(features(numbers, page)).astype(np.float64)
        probable = 1 / (1 + np.exp(-logits))
        return tuple(
            msgspec.structs.replace(found, confidence=chance)
            for found, chance in zip(numbers, probable.tolist(), strict=True)
            if chance >= self._least
        )


def features(numbers: Sequence[Number], page: Page) -> Floats:
    """(N, len(FEATURES)) float32, number by number."""
    found = np.zeros((len(numbers), len(FEATURES)), np.float32)
    if not numbers:
        return found
    heights = [float(median(digit.box[3] for digit in number.digits)) for number in numbers]
    page_height = float(median(heights))
    others = np.array(page.others, np.float64).reshape(-1, 4)
    for k, (number, height) in enumerate(zip(numbers, heights, strict=True)):
        logs = np.log(np.maximum([digit.confidence for digit in number.digits], FLOOR))
        inks = np.array([_ink(digit.box, page) for digit in number.digits])
        ones = [digit for digit in number.digits if digit.value == 1]
        slim = [digit for digit in ones if digit.box[2] < 0.35 * digit.box[3]]
        beside = _beside(number.box, others, height)
        count = len(number.digits)
        found[k] = (
            np.log(count),
            logs.mean(),
            logs.min(),
            inks[:, 0].mean(),
            inks[:, 0].min(),
            inks[:, 1].mean(),
            inks[:, 2].mean(),
            inks[:, 3].mean(),
            inks[:, 4].mean(),
            len(ones) / count,
            len(slim) / count,
            np.log(height / page_height),
            np.std([np.log(digit.box[3]) for digit in number.digits]),
            np.log(height),
            *beside,
            np.log1p(len(numbers)),
            np.log1p(len(others)) - np.log1p(len(numbers)),
        )
    return np.clip(found, -8, 8)


def _ink(box: Box, page: Page) -> tuple[float, ...]:
    """What a digit's ink is taken for: mean probabilities of digit, writing, print, line; and its other ink.

    The last is the part of the ink in its box that belongs to no glyph.
    """
    x, y, width, height = box
    rows = slice(y // STEP, max(y // STEP + 1, (y + height) // STEP))
    columns = slice(x // STEP, max(x // STEP + 1, (x + width) // STEP))
    part = page.probabilities[rows, columns].reshape(-1, 4)
    own = page.mask[y : y + height, x : x + width]
    everything = page.ink[y : y + height, x : x + width]
    total = max(1, int(np.count_nonzero(everything)))
    outside = 1 - int(np.count_nonzero(own)) / total
    known = part.sum(axis=1) > 0
    if not known.any():
        return 0.0, 0.0, 0.0, 0.0, outside
    return (*part[known].mean(axis=0).tolist(), outside)


def _beside(box: Box, others: Doubles, height: float) -> tuple[float, float, float]:
    """How near other writing stands to the left and to the right, and how much of it there is, in heights."""
    if not len(others):
        return FAR, FAR, 0.0
    x, y, width, tall = box
    level = (others[:, 1] < y + tall) & (others[:, 1] + others[:, 3] > y) & (others[:, 3] > 0.3 * height)
    left, right = x - others[:, 0] - others[:, 2], others[:, 0] - x - width
    near = level & (np.maximum(left, right) < FAR * height)
    before = left[level & (left >= -0.2 * height)]
    after = right[level & (right >= -0.2 * height)]
    return (
        min(FAR, float(before.min(initial=FAR * height)) / height),
        min(FAR, float(after.min(initial=FAR * height)) / height),
        float(np.sqrt((others[near, 2] * others[near, 3]).sum())) / height,
    )
