"""Where a glyph may be cut: seams from top to bottom that cross as little ink as they can.

The seams are those of seam carving (Avidan and Shamir 2007) on the ink's depth: they lean and bend, run
through white paper for nothing, and cross a stroke where it is thin.
"""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.paper.min_cost_path import min_cost, trace

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

HEIGHT = 40
"""Rows that a glyph is reduced to before seams are sought."""
SIDEWAYS = 0.08
"""What one step aside costs, ink being 1 a pixel: a seam goes straight down if nothing is in its way."""
CLOSEST = 0.06
"""Of the glyph's height, between two seams."""
DEAREST = 0.45
"""Of the glyph's height: ink that a seam crosses at the most."""
MOST = 18
"""Seams of one glyph."""
PINNED = 0.3, 0.5, 0.7
"""Of the height: where the seams are sought that are the cheapest in their neighborhood."""


class Seam(NamedTuple):
    """A cut: for each row of the glyph the first column of what is right of it; and what it costs.

    The cost is the ink crossed in parts of the glyph's height.
    """

    columns: npt.NDArray[np.intp]
    cost: float


def seams(ink: Gray) -> list[Seam]:
    """The seams of an ink crop (H, W) uint8, white on black, from left to right."""
    height, width = ink.shape
    scale = min(1.0, HEIGHT / height)
    size = max(3, round(width * scale)), max(3, round(height * scale))
    small = np.divide(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), 255, dtype=np.float32)
    rows, columns = small.shape
    costs, steps = min_cost(np.stack([small, small[::-1]]), SIDEWAYS)
    (above, below), (from_above, from_below) = (costs[0], costs[1, ::-1]), (steps[0], steps[1, ::-1])
    through = (above + below - small) / rows  # the cheapest seam through each place
    apart = max(1, round(CLOSEST * rows))
    ways: list[tuple[float, npt.NDArray[np.intp]]] = []
    for row in sorted({round(rows * part) for part in PINNED}):
        for column in _minima(through[row], apart):
            cost = float(through[row, column])
            if cost <= DEAREST and 0 < column < columns - 1:
                up, down = trace(from_above[: row + 1], column), trace(from_below[row:][::-1], column)
                ways.append((cost, np.array(up + down[-2::-1], np.intp)))
    kept: list[tuple[float, npt.NDArray[np.intp]]] = []
    for cost, way in sorted(ways, key=lambda found: found[0]):
        if all(np.abs(way - other).mean() >= apart for _, other in kept) and len(kept) < MOST:
            kept.append((cost, way))
    # Into the glyph's own pixels, row by row.
    at = (np.arange(height) + 0.5) * rows / height - 0.5
    found = [
        Seam(np.rint((np.interp(at, np.arange(rows), way) + 0.5) * width / columns).astype(np.intp), cost)
        for cost, way in kept
    ]
    return sorted(found, key=lambda seam: float(seam.columns.mean()))


def split(ink: Gray, cuts: list[Seam]) -> list[Gray]:
    """The ink between the seams, each (H, W) as the whole, from left to right; len(cuts) + 1 of them."""
    height, width = ink.shape
    column = np.arange(width)[np.newaxis]
    borders = [np.zeros((height, 1), np.intp)]
    for seam in cuts:  # where one crosses the one before it, it goes along with it
        borders.append(np.maximum(borders[-1], seam.columns[:, np.newaxis]))
    borders.append(np.full((height, 1), width, np.intp))
    return [
        np.multiply(ink, (column >= left) & (column < right), dtype=np.uint8, casting="unsafe")
        for left, right in pairwise(borders)
    ]


def _minima(cost: Floats, apart: int) -> list[int]:
    """Places that are the cheapest within `apart` columns; of equals the middle one."""
    kernel = np.ones((1, 2 * apart + 1), np.uint8)
    least = cv2.erode(cost[np.newaxis], kernel, borderType=cv2.BORDER_REPLICATE)[0]
    places = np.flatnonzero(cost <= least)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return [int(run[len(run) // 2]) for run in runs if len(run)]
