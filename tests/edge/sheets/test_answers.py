"""A comb as the row network reads it: two digits in one cell beside an empty one are parted."""

from dataclasses import replace

import numpy as np
import pytest

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Gray
from digitlens.models.classifier import Classifier
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import RowRecognizer
from digitlens.sheets.answers import NOT_ASKED, PARTED, READ, Comb, Networks, answered
from digitlens.sheets.cells import Cell, measured
from digitlens.sheets.combed import parted, row_digits, strip_of
from digitlens.sheets.probabilities import networks_with

PER_MM = 5.0
PARAMETERS = CellParameters()
ALWAYS = replace(PARAMETERS, row_doubt=1.1)
"""The row network is asked of every comb."""
CELL = (6.0, 8.0)
"""Width and height of a cell, millimeters."""


@pytest.fixture(scope="module")
def networks() -> Networks:
    return networks_with(Classifier.load())


def place(number: int) -> tuple[float, float, float, float]:
    return (CELL[0] * number, 0.0, *CELL)


def cell(number: int, ink: Gray | None, left: float = 0.5) -> Cell:
    """A cell with ink, or an empty one; the ink begins `left` mm from its line."""
    box = place(number)
    found = None if ink is None else measured(ink, (box[0] + left, 0.5), box, PER_MM)
    return found or Cell(np.zeros((0, 0), np.uint8), box, box)


def joined(first: Gray, second: Gray) -> Gray:
    """Two digits so close that their ink touches."""
    parts = []
    for one in (first, second):
        columns = np.flatnonzero(one.any(axis=0))
        parts.append(one[:, columns[0] : columns[-1] + 1])
    wide = parts[0].shape[1] + parts[1].shape[1] - 2
    both = np.zeros((first.shape[0], wide), np.uint8)
    both[:, : parts[0].shape[1]] = parts[0]
    np.maximum(both[:, -parts[1].shape[1] :], parts[1], out=both[:, -parts[1].shape[1] :])
    return both


def ink_of(digits: tuple[Gray, Gray], value: int, turn: int = 0) -> Gray:
    pictures, labels = digits
    return np.asarray(pictures[np.flatnonzero(labels == value)[turn]], np.uint8)


def text(comb: Comb) -> str:
    """The best digit of each cell, a blank for an empty one."""
    best = [None if answer is None else int(answer.views.mean(axis=0).argmax()) for _, answer in comb]
    return "".join(" " if digit is None else str(digit) for digit in best)


def test_a_strip_holds_all_inks_in_their_order(digits: tuple[Gray, Gray]) -> None:
    cells = [cell(0, ink_of(digits, 3)), cell(1, ink_of(digits, 8)), cell(4, ink_of(digits, 1))]
    strip = strip_of(cells, PER_MM, PARAMETERS)
    assert strip.picture.shape[0] == CROP_HEIGHT
    assert all(start < end for start, end in strip.spans)
    assert strip.spans[0][1] <= strip.spans[1][0]
    assert strip.spans[1][1] <= strip.spans[2][0]
    # Two empty cells between two digits are no wider than the widest gap.
    widest = PARAMETERS.strip_gap * max(one.box[3] for one in cells) * PER_MM * strip.scale
    assert strip.spans[2][0] - strip.spans[1][1] <= widest + 1


def test_the_row_network_reads_a_strip(digits: tuple[Gray, Gray]) -> None:
    cells = [cell(k, ink_of(digits, value)) for k, value in enumerate((4, 0, 7, 1))]
    found = row_digits(strip_of(cells, PER_MM, PARAMETERS), RowRecognizer.load())
    assert found.probabilities.argmax(axis=1).tolist() == [4, 0, 7, 1]
    assert np.allclose(found.probabilities.sum(axis=1), 1)
    assert list(found.columns) == sorted(found.columns)


def test_two_digits_beside_an_empty_cell_are_parted(networks: Networks, digits: tuple[Gray, Gray]) -> None:
    """In the second of four cells stand a 5 and a 3 that touch; the third is empty."""
    both = joined(ink_of(digits, 5), ink_of(digits, 3))
    comb = [cell(0, ink_of(digits, 2)), cell(1, both), cell(2, None), cell(3, ink_of(digits, 7))]
    (found,) = answered(networks, [comb], PER_MM, PARAMETERS)
    assert text(found) == "2537"
    assert [one.asked for _, one in found if one is not None] == [READ, PARTED, PARTED, READ]
    assert [one.place for one, _ in found] == [place(k) for k in range(4)]
    inked = sum(int((one.ink > 0).sum()) for one in comb)
    assert sum(int((one.ink > 0).sum()) for one, _ in found) == inked


def test_nothing_is_parted_where_no_cell_is_empty(networks: Networks, digits: tuple[Gray, Gray]) -> None:
    both = joined(ink_of(digits, 5), ink_of(digits, 3))
    comb = [cell(0, both), cell(1, ink_of(digits, 7))]
    (found,) = answered(networks, [comb], PER_MM, ALWAYS)
    assert [one for one, _ in found] == comb


def test_clear_digits_are_not_asked_twice(networks: Networks, digits: tuple[Gray, Gray]) -> None:
    comb = [cell(0, ink_of(digits, 0)), cell(1, None), cell(2, ink_of(digits, 1))]
    (found,) = answered(networks, [comb], PER_MM, replace(PARAMETERS, row_doubt=0.0))
    assert [None if one is None else one.asked for _, one in found] == [NOT_ASKED, None, NOT_ASKED]
    assert answered(networks, [], PER_MM, PARAMETERS) == []


@pytest.mark.parametrize("into", [0, 2])
def test_parts_go_to_either_side(digits: tuple[Gray, Gray], into: int) -> None:
    """The empty cell on the left gets the left part; a column beyond the ink parts nothing."""
    both = joined(ink_of(digits, 1), ink_of(digits, 0))
    whole = cell(1, both)
    column = float(np.flatnonzero(ink_of(digits, 1).any(axis=0)).size)
    parts = parted(whole, column, place(into), PER_MM)
    assert parts is not None
    assert [part.place for part in parts] == ([place(0), place(1)] if into == 0 else [place(1), place(2)])
    assert parts[0].box[0] < parts[1].box[0]
    assert parted(whole, -5.0, place(into), PER_MM) is None
