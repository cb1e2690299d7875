"""What is written in cells -> the probability of each digit, of nothing, and of ink that is no digit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles, Floats
from digitlens.models.classifier import Classifier
from digitlens.models.perceptron import Perceptron
from digitlens.rows.recognizer import RowRecognizer
from digitlens.sheets.answers import MISCOUNTED, PARTED, READ, Answer, Networks, answered
from digitlens.sheets.cells import Cell
from digitlens.sheets.decisions import EMPTY, OTHER
from digitlens.sheets.plate import Plate

DEFAULT_MODEL = "cells"
CELL_DIGITS = "cell_digits"
"""The digit network that has learnt forms' cells; it is asked beside the one for all paper."""
RIGHT, WRONG, NO_DIGIT, NOTHING = range(4)
"""Outputs of the network `cells`: the best digit is right, another one is; it is no digit; it is no ink."""
FEATURES = (
    "log best digit",
    "log second to best digit",
    "log no digit",
    "log best digit by the network for all paper",
    "log best digit by the one for cells",
    "log no digit by the one for cells",
    "log best digit's least of all views",
    "views that agree",
    "log best digit by the row network",
    "log second to best digit by the row network",
    "is read by the row network",
    "is miscounted by the row network",
    "is parted by the row network",
    *(f"is {value}" for value in range(10)),
    "height to the cell's",
    "width to the cell's",
    "log height to the page's",
    "amount",
    "log pieces",
    "spilled",
    "cut",
    "level",
    "level to the page's",
    "log pen",
    "log pixels high",
    "noise",
    "log blur",
    "middle across",
    "middle down",
)
"""The inputs for a cell with ink."""
FLOOR = 1e-4
"""Smallest probability whose logarithm is an input, and smallest that a digit is left with."""
LARGEST = 10.0
"""Largest input: beyond what is usual, more says no more."""
CLEAR = 0.8
"""Probability from which a digit tells how high and dark the page's digits are."""
UNSEEN = 2e-4
"""Probability that a cell in which no ink is seen has some, too pale to be seen."""


def networks_with(classifier: Classifier) -> Networks:
    """The shipped networks that are asked, with this digit network for all paper.

    Raises:
        ModelError: a network is missing, or does not fit its card.
        DependencyError: no TFLite interpreter works here.
    """
    return Networks(classifier, Classifier.load(CELL_DIGITS), RowRecognizer.load())


@dataclass(frozen=True)
class Look:
    """A page's cells with ink, and what the networks make of them.

    Attributes:
        combs: the fields' cells, left to right, after ink was parted between cells.
        digits: (N, 10) of the N cells with ink, in their order.
        features: (N, len(FEATURES)) float32.
    """

    combs: list[list[Cell]]
    digits: Doubles
    features: Floats


class CellReader:
    """The networks that read cells, and the network `cells`, which says how far they are right."""

    def __init__(self, networks: Networks, network: Perceptron, parameters: CellParameters) -> None:
        self._networks, self._network, self._parameters = networks, network, parameters

    @classmethod
    def load(
        cls, classifier: Classifier, parameters: CellParameters, model: str | Path = DEFAULT_MODEL
    ) -> Self:
        """A shipped network by name, or an .npz file by path; `classifier` is the one for all paper.

        Raises:
            ModelError: no such network, or it does not fit its card.
            DependencyError: no TFLite interpreter works here.
        """
        networks = networks_with(classifier)
        return cls(networks, Perceptron.load(model, len(FEATURES)), parameters)

    def probabilities(self, combs: Sequence[Sequence[Cell]], per_mm: float, plate: Plate) -> list[Doubles]:
        """The fields' cells of a page -> (cells, 12) of each: ten digits, EMPTY, OTHER."""
        seen = look(self._networks, combs, per_mm, plate, self._parameters)
        inked = iter(calibrated(seen, self._network, self._parameters))
        found = []
        for comb in seen.combs:
            own = np.zeros((len(comb), 12))
            own[:, EMPTY], own[:, OTHER] = 1 - UNSEEN, UNSEEN
            for place, cell in enumerate(comb):
                if not cell.is_empty:
                    own[place] = next(inked)
            found.append(own)
        return found


def look(
    networks: Networks, combs: Sequence[Sequence[Cell]], per_mm: float, plate: Plate,
    parameters: CellParameters,
) -> Look:  # fmt: skip
    """What the networks say of a page's fields."""
    found = answered(networks, combs, per_mm, parameters)
    each = [(cell, answer) for comb in found for cell, answer in comb if answer is not None]
    cells, answers = [cell for cell, _ in each], [answer for _, answer in each]
    digits = np.array([_with_row_network(answer, parameters) for answer in answers]).reshape(-1, 10)
    features = np.zeros((0, len(FEATURES)), np.float32)
    if answers:
        features = _features(cells, digits, answers, per_mm, plate)
    return Look([[cell for cell, _ in comb] for comb in found], digits, features)


def _with_row_network(answer: Answer, parameters: CellParameters) -> Doubles:
    """The digits' probabilities (10,) by the digit networks and by the row network."""
    digits = answer.views.mean(axis=0)
    joint = digits * answer.row**parameters.row_weight
    return np.asarray(joint * (digits.sum() / max(joint.sum(), 1e-12)), np.float64)


def calibrated(seen: Look, network: Perceptron, parameters: CellParameters) -> Doubles:
    """(N, 12): the network's four answers, shared out among the digits."""
    if not len(seen.digits):
        return np.zeros((0, 12))
    logits = network.outputs(seen.features).astype(np.float64)
    answers = np.exp(logits - logits.max(axis=1, keepdims=True))
    answers[:, NO_DIGIT] *= parameters.struck_odds
    answers /= answers.sum(axis=1, keepdims=True)
    digits = np.maximum(seen.digits, FLOOR)
    best = digits.argmax(axis=1)
    rows = np.arange(len(digits))
    found = np.zeros((len(digits), 12))
    others = digits.copy()
    others[rows, best] = 0
    found[:, :10] = others / others.sum(axis=1, keepdims=True) * answers[:, WRONG, np.newaxis]
    found[rows, best] = answers[:, RIGHT]
    found[:, EMPTY], found[:, OTHER] = answers[:, NOTHING], answers[:, NO_DIGIT]
    return found


def _features(
    cells: Sequence[Cell], digits: Doubles, answers: Sequence[Answer], per_mm: float, plate: Plate
) -> Floats:
    ranked = np.sort(digits, axis=1)
    best = digits.argmax(axis=1)
    each = np.array([answer.each for answer in answers])
    places = np.arange(len(cells))
    of_best = each[places, :, best].T
    no_digit = 1 - digits.sum(axis=1)
    least = np.array([one.views[:, value].min() for one, value in zip(answers, best, strict=True)])
    agree = np.array([(one.views.argmax(axis=1) == k).mean() for one, k in zip(answers, best, strict=True)])
    asked = np.array([answer.asked for answer in answers])
    rows = np.array([answer.row for answer in answers])
    row_best = rows[places, best]
    rows[places, best] = np.where(asked >= READ, 0, 1)  # where it says nothing, the logarithms are 0
    heights = np.array([cell.box[3] for cell in cells])
    levels = np.array([cell.level for cell in cells])
    # Specks and what is left of print may be in more cells than digits.
    clear = least > CLEAR if (least > CLEAR).any() else np.ones(len(cells), np.bool_)
    typical, usual = max(float(np.median(heights[clear])), 0.5), max(float(np.median(levels[clear])), 0.02)
    places = np.array([cell.place for cell in cells])
    boxes = np.array([cell.box for cell in cells])
    middles = (boxes[:, :2] + boxes[:, 2:] / 2 - places[:, :2]) / places[:, 2:] - 0.5
    columns = [
        _log(ranked[:, 9]), _log(ranked[:, 8]), _log(no_digit),
        *_log(of_best), _log(1 - each[:, 1].sum(axis=1)), _log(least), agree,
        _log(row_best), _log(rows.max(axis=1)), asked >= READ, asked == MISCOUNTED, asked == PARTED,
        *np.eye(10)[best].T,
        heights / places[:, 3], boxes[:, 2] / places[:, 2],
        np.log(np.maximum(heights, 0.1) / typical),
        [cell.amount for cell in cells], np.log([cell.pieces for cell in cells]),
        [cell.spilled for cell in cells], [cell.cut for cell in cells], levels, levels / usual,
        np.log([max(cell.pen, 0.05) for cell in cells]), np.log(np.maximum(heights * per_mm, 1)),
        np.full(len(cells), plate.noise), np.full(len(cells), np.log(plate.blur)),
        middles[:, 0], middles[:, 1],
    ]  # fmt: skip
    return np.clip(np.column_stack(columns), -LARGEST, LARGEST).astype(np.float32)


def _log(values: Doubles) -> Doubles:
    return np.log(np.clip(values, FLOOR, 1))
