"""Ticks and choices: which cells are marked."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles, Floats
from digitlens.models.perceptron import Perceptron
from digitlens.sheets.cells import Millimeters
from digitlens.sheets.decisions import BLANK, MARKED, UNCLEAR
from digitlens.sheets.pages import pixels_around
from digitlens.sheets.plate import Plate

DEFAULT_MODEL = "marks"
FEATURES = (
    "log ink",
    "log black",
    "darkest",
    "darkest to the page's ink",
    "log ink around",
    "part of the ink's pieces beyond the cell",
    "log largest piece",
    "log ink as dark as half of the page's",
    "log pieces",
    "noise",
    "log blur",
)
"""The inputs for a cell: shares of its area but for its border, darkness, and what goes on around it."""
AROUND = 2.5
"""Width of the paper around a cell that is looked at, too, millimeters."""
HALF = 0.5
"""Darkness from which ink is a stroke and not its blurred edge, parts of the cell's darkest ink."""
LEAST = 1e-3
"""Smallest share whose logarithm is an input."""


def mark_features(plate: Plate, cells: Sequence[Millimeters], parameters: CellParameters) -> Floats:
    """(cells, len(FEATURES)) float32."""
    return np.array([_features(plate, cell, parameters) for cell in cells], np.float32).reshape(
        -1, len(FEATURES)
    )


def mark_probabilities(
    plate: Plate, cells: Sequence[Millimeters], network: Perceptron, parameters: CellParameters,
    blackened: bool = False,
) -> Doubles:  # fmt: skip
    """(cells, 3): BLANK, MARKED, UNCLEAR.

    A mark is a cross, a check mark, a slash or a scribble; the network tells it from the edge of a shadow, a
    neighbor's stroke or a speck. A cell that is blackened is unclear, for some blacken what they take back,
    unless `blackened` says that the form asks for it.
    """
    features = mark_features(plate, cells, parameters)
    found = np.zeros((len(cells), 3))
    if not len(cells):
        return found
    is_ink = network.probabilities(features)
    black = np.exp(features[:, FEATURES.index("log black")].astype(np.float64)) - LEAST
    is_black = np.zeros(len(cells)) if blackened else _between(black, *parameters.black_amounts)
    found[:, BLANK] = 1 - is_ink
    found[:, MARKED] = is_ink * (1 - is_black)
    found[:, UNCLEAR] = is_ink * is_black
    return found


def _features(plate: Plate, cell: Millimeters, parameters: CellParameters) -> list[float]:
    rows, columns = pixels_around(cell, AROUND, plate.per_mm)
    dark = plate.written[rows, columns]
    inside, within = np.zeros(dark.shape, np.bool_), np.zeros(dark.shape, np.bool_)
    for mask, margin in ((inside, -parameters.mark_margin), (within, 0.0)):
        own = pixels_around(cell, margin, plate.per_mm)
        mask[
            own[0].start - rows.start : own[0].stop - rows.start,
            own[1].start - columns.start : own[1].stop - columns.start,
        ] = True
    # Not by how dark other ink is: a slash by a fine pen is paler than digits.
    least = max(parameters.faintest, parameters.noises * plate.noise)
    ink, area = dark > least, max(1, int(inside.sum()))
    own_dark = dark[inside]
    darkest = float(np.percentile(own_dark, 98)) if own_dark.size else 0.0
    # Blur widens strokes: how much is black goes by the darkest ink.
    black = float((own_dark > max(least, HALF * darkest)).sum()) / area
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    here = np.unique(labels[inside & ink])
    areas = stats[here, cv2.CC_STAT_AREA]
    total = max(1, int(areas.sum()))
    inked = int((inside & ink).sum())
    return [
        _log(inked / area), _log(black), darkest, darkest / max(plate.level, 0.05),
        _log(float(ink[~within].mean()) if not within.all() else 0.0), 1 - inked / total,
        _log(float(areas.max(initial=0)) / area), _log(float((own_dark > HALF * plate.level).sum()) / area),
        float(np.log1p(len(here))), plate.noise, float(np.log(plate.blur)),
    ]  # fmt: skip


def _log(share: float) -> float:
    return float(np.log(share + LEAST))


def _between(amounts: Doubles, low: float, high: float) -> Doubles:
    """0.0005 below `low`, 0.9995 above `high`, and in between a line of log-odds."""
    odds = 15.2 * (np.clip((amounts - low) / (high - low), 0, 1) - 0.5)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)
