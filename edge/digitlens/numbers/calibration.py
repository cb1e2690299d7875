"""The probability that a number is right: a small network learnt from readings of generated paper.

What the networks say of their digits is surer than it is true, and says nothing of a digit that was left out
or of a word taken for a number. The inputs are therefore what is known of the number when it has been read:
its digits' confidences, what the network `ink` takes the ink in and beside it for, how it stands to the
others, and whether both networks read its row alike. (Calibration: Niculescu-Mizil and Caruana 2005.)
"""

from itertools import pairwise
from math import log
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Self

import numpy as np

from digitlens.core.arrays import Floats
from digitlens.core.readings import Box, Number
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.attempt import Attempt
from digitlens.paper.network import STEP
from digitlens.paper.witness import Witness

FEATURES = (
    "log-odds of the confidence",
    "digits",
    "mean log confidence",
    "least log confidence",
    "fraction of ones",
    "pixels high",
    "height to the page's",
    "spread of heights",
    "widest gap",
    "digit ink",
    "least digit ink",
    "writing ink",
    "print ink",
    "line ink",
    "digit ink beside",
    "other ink beside",
    "numbers of the page",
    "fit of the reading",
    "by the network",
    "upright and level",
    "row read alike",
    "row read differently",
    "row network overruled",
)
"""The inputs for a number; lengths in heights of its digits."""
CERTAIN = 1e-4
"""Least probability that either side of a confidence has."""
BESIDE = 1.0
"""How far to both sides ink counts as beside a number, heights."""

DEFAULT_MODEL = "calibration"


class Calibration:
    """Gives numbers the probability that they are right; make one with `Calibration.load`."""

    def __init__(self, network: Perceptron, least: float) -> None:
        self._network, self._least = network, least

    @classmethod
    def load(cls, least: float, model: str | Path = DEFAULT_MODEL) -> Self:
        """A shipped model by name, or an .npz file by path; numbers less probable than `least` are dropped.

        Raises:
            ModelError: no such model, or it does not fit its card.
        """
        return cls(Perceptron.load(model, len(FEATURES)), least)

    def __call__(self, attempt: Attempt, witness: Witness, scale: float) -> Attempt:
        """The attempt with calibrated confidences; the arguments are those of `features`."""
        if not attempt.numbers:
            return attempt
        chances = self._network.probabilities(features(attempt, witness, scale)).tolist()
        kept = [k for k, chance in enumerate(chances) if chance >= self._least]
        return attempt.chosen(kept, [chances[k] for k in kept])


def features(attempt: Attempt, witness: Witness, scale: float) -> Floats:
    """(N, len(FEATURES)) float32, number by number.

    Args:
        attempt: with boxes in pixels of the picture.
        witness: what the network `ink` sees of it.
        scale: by which the picture was resized for the witness.
    """
    found = np.zeros((len(attempt.numbers), len(FEATURES)), np.float32)
    if not attempt.numbers:
        return found
    # Boxes as the picture was read have upright digits; those of the picture lie where the witness saw them.
    heights = [float(median(digit.box[3] for digit in number.digits)) for number in attempt.seen]
    typical = float(median(heights))
    everything = attempt.fit(witness, scale)
    rows = _rows(attempt)
    for k, (number, seen, height) in enumerate(zip(attempt.numbers, attempt.seen, heights, strict=True)):
        logs = [log(max(one.confidence, CERTAIN)) for one in number.digits]
        inks = np.array([witness.inks(_scaled(one.box, scale)) for one in number.digits])
        sides = [witness.inks(_scaled(box, scale)) for box in _beside(number.box)]
        digit, writing, print_, line, total = inks.sum(axis=0).tolist()
        square = max(1.0, (number.box[3] * scale / STEP) ** 2)
        found[k] = (
            _log_odds(number.confidence),
            log(len(logs)),
            fmean(logs),
            min(logs),
            fmean(one.value == 1 for one in number.digits),
            log(max(1.0, height)),
            log(max(1.0, height) / max(1.0, typical)),
            pstdev(log(max(1, one.box[3])) for one in seen.digits),
            _widest_gap(seen, height),
            digit / max(1.0, total),
            float((inks[:, 0] / np.maximum(1.0, inks[:, 4])).min()),
            writing / max(1.0, total),
            print_ / max(1.0, total),
            line / max(1.0, total),
            max(float(side[0]) for side in sides) / square,
            max(float(side[1:3].sum()) for side in sides) / square,
            log(1 + len(attempt.numbers)),
            everything,
            float(attempt.whole is not None),
            float(attempt.straight),
            *rows[k],
        )
    return np.clip(found, -8, 8)


def _rows(attempt: Attempt) -> list[tuple[float, float, float]]:
    """Of each number, 1 or 0: both networks read its row alike, differently, another text was chosen.

    All are 0 where the row network has not read the row.
    """
    found = []
    for number in attempt.seen:
        x, y = number.box[0] + number.box[2] / 2, number.box[1] + number.box[3] / 2
        row = next(
            (
                trace
                for trace in attempt.rows
                if trace.box[0] <= x <= trace.box[0] + trace.box[2]
                and trace.box[1] <= y <= trace.box[1] + trace.box[3]
            ),
            None,
        )
        if row is None:
            found.append((0.0, 0.0, 0.0))
        else:
            alike = row.lattice == row.row_network
            found.append((float(alike), float(not alike), float(row.chosen != row.row_network)))
    return found


def _log_odds(confidence: float) -> float:
    sure = min(max(confidence, CERTAIN), 1 - CERTAIN)
    return log(sure / (1 - sure))


def _scaled(box: Box, scale: float) -> Box:
    x, y, width, height = (round(side * scale) for side in box)
    return x, y, width, height


def _beside(box: Box) -> tuple[Box, Box]:
    """The places before a number and behind it."""
    x, y, width, tall = box
    reach = round(BESIDE * tall)
    return (x - reach, y, reach, tall), (x + width, y, reach, tall)


def _widest_gap(number: Number, height: float) -> float:
    gaps = [after.box[0] - before.box[0] - before.box[2] for before, after in pairwise(number.digits)]
    return max(gaps, default=0) / max(1.0, height)
