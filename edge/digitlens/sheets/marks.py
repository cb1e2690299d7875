"""Ticks and choices: which cells are marked."""

import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles
from digitlens.sheets.cells import Millimeters
from digitlens.sheets.decisions import BLANK, MARKED, UNCLEAR
from digitlens.sheets.plate import Plate

HALF = 0.5
"""Darkness from which ink is a stroke and not its blurred edge, parts of the cell's darkest ink."""


def mark_probabilities(
    plate: Plate, cells: tuple[Millimeters, ...], parameters: CellParameters, blackened: bool = False
) -> Doubles:
    """(cells, 3): BLANK, MARKED, UNCLEAR.

    A mark is a cross, a check mark, a slash or a scribble. A cell that is blackened is unclear, for some
    blacken what they take back, unless `blackened` says that the form asks for it.
    """
    found = np.zeros((len(cells), 3))
    for index, cell in enumerate(cells):
        found[index] = _one(plate, cell, parameters, blackened)
    return found


def _one(plate: Plate, cell: Millimeters, parameters: CellParameters, blackened: bool) -> Doubles:
    margin = parameters.mark_margin
    x, y, wide, tall = cell
    per_mm = plate.per_mm
    rows = slice(max(0, round((y + margin) * per_mm)), round((y + tall - margin) * per_mm))
    columns = slice(max(0, round((x + margin) * per_mm)), round((x + wide - margin) * per_mm))
    dark = plate.written[rows, columns]
    # Not by how dark other ink is: a slash by a fine pen is paler than digits.
    least = max(parameters.faintest, parameters.noises * plate.noise)
    amount = float((dark > least).mean()) if dark.size else 0.0
    # Blur widens strokes: how much is black goes by the darkest ink.
    own = float(np.percentile(dark, 98)) if dark.size else 0.0
    black = float((dark > max(least, HALF * own)).mean()) if dark.size else 0.0
    found = np.zeros(3)
    # Between a speck and a slash, and between a scribble and a blackened cell, both answers are open.
    is_ink = _between(amount, *parameters.mark_amounts)
    is_black = 0.0 if blackened else _between(black, *parameters.black_amounts)
    found[BLANK] = 1 - is_ink
    found[MARKED] = is_ink * (1 - is_black)
    found[UNCLEAR] = is_ink * is_black
    return found


def _between(amount: float, low: float, high: float) -> float:
    """0.0005 below `low`, 0.9995 above `high`, and in between a line of log-odds."""
    odds = 15.2 * (np.clip((amount - low) / (high - low), 0, 1) - 0.5)
    return float(1 / (1 + np.exp(-odds)))
