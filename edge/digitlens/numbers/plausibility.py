"""Whether a number that was read is one: a small network learnt from generated pages.

Its inputs are how sure the digit network is of its digits, what the network `ink` takes their ink for, how
they stand to each other, what the network `pairs` thinks of where the number was joined and parted, what
stands around it, and what the other front reads there, where both have read the page. Words, signs, print and
scraps of lines are dropped.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Self

import msgspec
import numpy as np

from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box, Number
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.grouping import Grouper
from digitlens.numbers.merging import shared
from digitlens.paper.network import STEP
from digitlens.paper.page import Page
from digitlens.rows.lines import to_rows

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
    "least joint",
    "mean joint",
    "joint at its ends",
    "by rules",
    "other front agrees",
    "other front differs",
    "other front has nothing",
)
"""The inputs for a number; lengths in heights of its digits."""
FAR = 4.0
"""Distance from which other writing counts as none, heights."""
SAME_PLACE = 0.3
"""Part of the smaller of two boxes from which two numbers stand at the same place."""
CERTAIN = 6.0
"""Largest log-odds of a joint, either sign; those of no joint at all."""
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

    def __call__(self, numbers: Sequence[Number], inputs: Floats) -> tuple[Number, ...]:
        """The probable of some numbers with these inputs, the probability of each as its confidence."""
        if not numbers:
            return ()
        chances = self._network.probabilities(inputs).tolist()
        return tuple(
            msgspec.structs.replace(found, confidence=chance)
            for found, chance in zip(numbers, chances, strict=True)
            if chance >= self._least
        )


def features(numbers: Sequence[Number], page: Page, grouper: Grouper, by_rules: bool = False) -> Floats:
    """(N, len(FEATURES)) float32, number by number; nothing is known of another front.

    Args:
        numbers: of one front, boxes in pixels of the page.
        page: where they stand.
        grouper: has the network `pairs`.
        by_rules: the numbers are those of the front of rules.
    """
    found = np.zeros((len(numbers), len(FEATURES)), np.float32)
    if not numbers:
        return found
    heights = [float(median(digit.box[3] for digit in number.digits)) for number in numbers]
    page_height = float(median(heights))
    writing = np.array(page.others, np.float64).reshape(-1, 4)
    joints = _joints(numbers, page, grouper)
    for k, (number, height) in enumerate(zip(numbers, heights, strict=True)):
        logs = np.log(np.maximum([digit.confidence for digit in number.digits], FLOOR))
        inks = np.array([_ink(digit.box, page) for digit in number.digits])
        ones = [digit for digit in number.digits if digit.value == 1]
        slim = [digit for digit in ones if digit.box[2] < 0.35 * digit.box[3]]
        beside = _beside(number.box, writing, height)
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
            np.log1p(len(writing)) - np.log1p(len(numbers)),
            *joints[k],
            float(by_rules),
            *(0.0, 0.0, 0.0),
        )
    return np.clip(found, -8, 8)


def compared(inputs: Floats, numbers: Sequence[Number], others: Sequence[Number]) -> Floats:
    """The inputs of numbers, with what the other front has at their places."""
    found = inputs.copy()
    if len(found):
        found[:, -3:] = [_agreement(number, others) for number in numbers]
    return found


def _agreement(number: Number, others: Sequence[Number]) -> tuple[float, float, float]:
    """1 at one of three places: the others have the same number there, another, or none."""
    there = [other for other in others if shared(number.box, other.box) >= SAME_PLACE]
    if not there:
        return 0.0, 0.0, 1.0
    agrees = any(other.text == number.text for other in there)
    return float(agrees), float(not agrees), 0.0


def _joints(numbers: Sequence[Number], page: Page, grouper: Grouper) -> list[tuple[float, float, float]]:
    """Of each number the least and mean log-odds of its joints, and the largest of those at its ends."""
    owners = {id(digit): k for k, number in enumerate(numbers) for digit in number.digits}
    inner: list[list[float]] = [[] for _ in numbers]
    ends: list[list[float]] = [[] for _ in numbers]
    for row in to_rows(digit for number in numbers for digit in number.digits):
        logits = np.clip(grouper.logits(row, page), -CERTAIN, CERTAIN).tolist()
        for (one, other), logit in zip(pairwise(row), logits, strict=True):
            first, second = owners[id(one)], owners[id(other)]
            if first == second:
                inner[first].append(logit)
            else:
                ends[first].append(logit)
                ends[second].append(logit)
    return [
        (min(joints, default=CERTAIN), fmean(joints) if joints else CERTAIN, max(outer, default=-CERTAIN))
        for joints, outer in zip(inner, ends, strict=True)
    ]


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
