"""Ticks: a mark is distinguished from the edge of a shadow, a neighbor's stroke, and a blackened cell."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Floats
from digitlens.models.perceptron import Perceptron
from digitlens.sheets.decisions import BLANK, MARKED, UNCLEAR
from digitlens.sheets.marks import DEFAULT_MODEL, FEATURES, mark_features, mark_probabilities
from digitlens.sheets.plate import Plate

PER_MM = 6.0
CELL = (10.0, 10.0, 6.0, 6.0)
SURE = 0.97


@pytest.fixture(scope="module")
def network() -> Perceptron:
    return Perceptron.load(DEFAULT_MODEL, len(FEATURES))


def plate(draw: Callable[[Floats], None], level: float = 0.6, noise: float = 0.01) -> Plate:
    """A page of 30 x 30 mm with something on it, a little blurred."""
    dark = np.zeros((180, 180), np.float32)
    draw(dark)
    dark = np.asarray(cv2.GaussianBlur(dark, (0, 0), 0.8), np.float32)
    dark += np.random.default_rng(1).normal(0, noise, dark.shape).astype(np.float32)
    return Plate(dark.clip(0, 1), dark.clip(0, 1), PER_MM, noise, level, 0.1)


def line(dark: Floats, start: tuple[float, float], end: tuple[float, float], value: float = 0.65) -> None:
    """A stroke of half a millimeter; places in millimeters."""
    points = [tuple(round(side * PER_MM) for side in one) for one in (start, end)]
    cv2.line(dark, points[0], points[1], (value,), 3)


def nothing(dark: Floats) -> None:
    pass


def cross(dark: Floats) -> None:
    line(dark, (11, 11), (15, 15))
    line(dark, (15, 11), (11, 15))


def check(dark: Floats) -> None:
    line(dark, (11, 13), (12.5, 15))
    line(dark, (12.5, 15), (15.3, 10.8))


def shadow(dark: Floats) -> None:
    """What the edge of a hard shadow leaves: a pale band across the cell and far beyond."""
    line(dark, (2, 26), (26, 2), 0.14)
    line(dark, (2.5, 26), (26.5, 2), 0.14)


def neighbor(dark: Floats) -> None:
    """The end of a stroke from the cell to the left."""
    line(dark, (3, 12), (10.9, 13))


def black(dark: Floats) -> None:
    cv2.rectangle(dark, (62, 62), (94, 94), (0.65,), -1)


@pytest.mark.parametrize(
    ("draw", "column", "least"),
    [
        (nothing, BLANK, SURE), (cross, MARKED, SURE), (check, MARKED, SURE), (shadow, BLANK, 0.5),
        (neighbor, BLANK, 0.5),
    ],
)  # fmt: skip
def test_marks_are_distinguished_from_what_is_none(
    network: Perceptron, draw: Callable[[Floats], None], column: int, least: float
) -> None:
    found = mark_probabilities(plate(draw), [CELL], network, CellParameters())
    assert found.shape == (1, 3)
    assert found.sum() == pytest.approx(1)
    assert found[0, column] > least


def test_a_blackened_cell_is_unclear_unless_the_form_asks_for_it(network: Perceptron) -> None:
    page = plate(black)
    assert mark_probabilities(page, [CELL], network, CellParameters())[0, UNCLEAR] > 0.5
    assert mark_probabilities(page, [CELL], network, CellParameters(), blackened=True)[0, MARKED] > SURE


def test_a_cell_at_the_edge_of_the_page_is_looked_at(network: Perceptron) -> None:
    cells = [(0.0, 0.0, 6.0, 6.0), (25.0, 25.0, 5.0, 5.0)]
    found = mark_features(plate(nothing), cells, CellParameters())
    assert found.shape == (2, len(FEATURES))
    assert np.isfinite(found).all()
    assert mark_probabilities(plate(nothing), [], network, CellParameters()).shape == (0, 3)
