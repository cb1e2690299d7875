"""What is written in cells -> the probability of each digit, of nothing, and of ink that is no digit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.glyphs.normalize import normalized
from digitlens.models.classifier import Classifier
from digitlens.models.perceptron import Perceptron
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
UNSEEN = 2e-4
"""Probability that a cell in which no ink is seen has some, too pale to be seen."""


Classifiers = tuple[Classifier, Classifier]
"""The digit network for all paper, and the one for cells."""


@dataclass(frozen=True)
class Look:
    """A page's cells with ink, and what the digit networks make of them.

    Attributes:
        digits: (N, 10), the mean over networks and views of each cell.
        features: (N, len(FEATURES)) float32.
    """

    digits: Doubles
    features: Floats


class CellReader:
    """Two digit networks and the network `cells`, which says how far they are right in a cell."""

    def __init__(self, classifiers: Classifiers, network: Perceptron, parameters: CellParameters) -> None:
        self._classifiers, self._network, self._parameters = classifiers, network, parameters

    @classmethod
    def load(
        cls, classifier: Classifier, parameters: CellParameters, model: str | Path = DEFAULT_MODEL
    ) -> Self:
        """A shipped network by name, or an .npz file by path; `classifier` is the one for all paper.

        Raises:
            ModelError: no such network, or it does not fit its card.
            DependencyError: no TFLite interpreter works here.
        """
        classifiers = classifier, Classifier.load(CELL_DIGITS)
        return cls(classifiers, Perceptron.load(model, len(FEATURES)), parameters)

    def probabilities(self, cells: Sequence[Cell], per_mm: float, plate: Plate) -> Doubles:
        """Cells of a page -> (N, 12): ten digits, EMPTY, OTHER."""
        found = np.zeros((len(cells), 12))
        found[:, EMPTY], found[:, OTHER] = 1 - UNSEEN, UNSEEN
        inked = [k for k, cell in enumerate(cells) if not cell.is_empty]
        if inked:
            seen = look(self._classifiers, [cells[k] for k in inked], per_mm, plate, self._parameters)
            found[inked] = calibrated(seen, self._network)
        return found


def look(
    classifiers: Classifiers, cells: Sequence[Cell], per_mm: float, plate: Plate, parameters: CellParameters
) -> Look:
    """What the digit networks say of cells with ink; doubtful ones are looked at in several views."""
    each = _asked(classifiers, [cell.ink for cell in cells])
    first = _together(each, parameters)
    digits, least = first.copy(), first.max(axis=1)
    agree = np.ones(len(cells))
    unsure = np.flatnonzero(least < parameters.sure_view).tolist()
    if unsure:
        views = [view for k in unsure for view in _views(cells[k].ink, parameters)]
        others = _together(_asked(classifiers, views), parameters).reshape(len(unsure), -1, 10)
        best = first[unsure].argmax(axis=1)
        agree[unsure] = (others.argmax(axis=2) == best[:, np.newaxis]).mean(axis=1)
        together = np.concatenate([first[unsure][:, np.newaxis], others], axis=1)
        digits[unsure] = together.mean(axis=1)
        best = digits[unsure].argmax(axis=1)
        least[unsure] = np.take_along_axis(together, best[:, np.newaxis, np.newaxis], axis=2).min(axis=(1, 2))
    return Look(digits, _features(cells, digits, each, least, agree, per_mm, plate))


def _asked(classifiers: Classifiers, inks: Sequence[Gray]) -> Doubles:
    """Each network's answer to each ink, (2, N, 10)."""
    pictures = normalized(inks)
    return np.array([one.probabilities(pictures) for one in classifiers], np.float64)


def _together(each: Doubles, parameters: CellParameters) -> Doubles:
    """The networks' weighted mean, (N, 10)."""
    weight = parameters.cell_digits_weight
    return np.asarray((1 - weight) * each[0] + weight * each[1], np.float64)


def calibrated(seen: Look, network: Perceptron) -> Doubles:
    """(N, 12): the network's four answers, shared out among the digits."""
    logits = network.outputs(seen.features).astype(np.float64)
    answers = np.exp(logits - logits.max(axis=1, keepdims=True))
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


def _views(ink: Gray, parameters: CellParameters) -> list[Gray]:
    """The ink slanted to either side, and by a thicker pen."""
    height, width = ink.shape
    room = int(np.ceil(parameters.view_shear * height / 2)) + 1
    framed = cv2.copyMakeBorder(ink, 0, 0, room, room, cv2.BORDER_CONSTANT, value=(0,))
    found = []
    for shear in (-parameters.view_shear, parameters.view_shear):
        matrix = np.array([[1.0, shear, -shear * (height - 1) / 2], [0.0, 1.0, 0.0]])
        found.append(np.asarray(cv2.warpAffine(framed, matrix, (width + 2 * room, height)), np.uint8))
    thick = cv2.dilate(
        cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), np.ones((2, 2), np.uint8)
    )
    found.append(np.asarray(thick, np.uint8))
    return found


def _features(
    cells: Sequence[Cell], digits: Doubles, each: Doubles, least: Doubles, agree: Doubles, per_mm: float,
    plate: Plate,
) -> Floats:  # fmt: skip
    ranked = np.sort(digits, axis=1)
    best = digits.argmax(axis=1)
    of_best = each[:, np.arange(len(cells)), best]
    no_digit = 1 - digits.sum(axis=1)
    heights = np.array([cell.box[3] for cell in cells])
    typical = float(np.median(heights[least > 0.8])) if (least > 0.8).any() else float(np.median(heights))
    levels = np.array([cell.level for cell in cells])
    usual = max(float(np.median(levels)), 0.02)
    places = np.array([cell.place for cell in cells])
    boxes = np.array([cell.box for cell in cells])
    middles = (boxes[:, :2] + boxes[:, 2:] / 2 - places[:, :2]) / places[:, 2:] - 0.5
    columns = [
        _log(ranked[:, 9]), _log(ranked[:, 8]), _log(no_digit),
        *_log(of_best), _log(1 - each[1].sum(axis=1)), _log(least), agree,
        *np.eye(10)[best].T,
        heights / places[:, 3], boxes[:, 2] / places[:, 2],
        np.log(np.maximum(heights, 0.1) / max(typical, 0.5)),
        [cell.amount for cell in cells], np.log([cell.pieces for cell in cells]),
        [cell.spilled for cell in cells], [cell.cut for cell in cells], levels, levels / usual,
        np.log([max(cell.pen, 0.05) for cell in cells]), np.log(np.maximum(heights * per_mm, 1)),
        np.full(len(cells), plate.noise), np.full(len(cells), np.log(plate.blur)),
        middles[:, 0], middles[:, 1],
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.float32)


def _log(values: Doubles) -> Doubles:
    return np.log(np.clip(values, FLOOR, 1))
