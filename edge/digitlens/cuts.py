"""Where a glyph may be cut: seams from top to bottom that cross as little ink as they can.

The seams are those of seam carving (Avidan and Shamir 2007) on the ink's depth: they lean and bend, run
through white paper for nothing, and cross a stroke where it is thin.
"""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

HEIGHT = 32
"""Rows that a glyph is reduced to before seams are sought."""
SIDEWAYS = 0.08
"""What one step aside costs, ink being 1 a pixel: a seam goes straight down if nothing is in its way."""
CLOSEST = 0.12
"""Of the glyph's height, between two seams."""
DEAREST = 0.45
"""Of the glyph's height: ink that a seam crosses at the most."""
MOST = 12
"""Seams of one glyph."""


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
    middle = rows // 2
    down, from_above = _falls(small[: middle + 1])
    up, from_below = _falls(small[: middle - 1 if middle else None : -1] if middle else small[::-1])
    cost = (down + up - small[middle]) / rows
    found: list[Seam] = []
    apart = max(2, round(CLOSEST * rows))
    for column in _minima(cost, apart):
        if cost[column] > DEAREST or not 0 < column < columns - 1:
            continue
        path = np.empty(rows, np.float64)
        path[: middle + 1] = _trace(from_above, column)
        path[middle:] = _trace(from_below, column)[::-1]
        # Into the glyph's own pixels, row by row.
        at = (np.arange(height) + 0.5) * rows / height - 0.5
        across = (np.interp(at, np.arange(rows), path) + 0.5) * width / columns
        found.append(Seam(np.clip(across.round().astype(np.intp), 0, width), float(cost[column])))
    found = sorted(found, key=lambda seam: seam.cost)[:MOST]
    return sorted(found, key=lambda seam: float(seam.columns.mean()))


def split(ink: Gray, cuts: list[Seam]) -> list[Gray]:
    """The ink between the seams, each (H, W) as the whole, from left to right; len(cuts) + 1 of them."""
    height, width = ink.shape
    column = np.arange(width)[np.newaxis]
    borders = [np.zeros((height, 1), np.intp)]
    for seam in cuts:  # seams may meet, they never cross
        borders.append(np.maximum(borders[-1], seam.columns[:, np.newaxis]))
    borders.append(np.full((height, 1), width, np.intp))
    return [
        np.multiply(ink, (column >= left) & (column < right), dtype=np.uint8, casting="unsafe")
        for left, right in pairwise(borders)
    ]


def _falls(ink: Floats) -> tuple[Floats, npt.NDArray[np.int8]]:
    """The cheapest way from the first row to each place of the last, and where each step came from."""
    cost = ink[0].copy()
    steps = np.zeros(ink.shape, np.int8)
    far = np.float32(np.inf)
    for row in range(1, len(ink)):
        ways = np.full((3, len(cost)), far, np.float32)
        ways[0, 1:] = cost[:-1] + np.float32(SIDEWAYS)
        ways[1] = cost
        ways[2, :-1] = cost[1:] + np.float32(SIDEWAYS)
        best = ways.argmin(axis=0)
        steps[row] = best - 1
        cost = ways[best, np.arange(len(cost))] + ink[row]
    return cost, steps


def _trace(steps: npt.NDArray[np.int8], column: int) -> list[int]:
    """The columns of the way that ends at `column` of the last row, from the first row on."""
    way = [column]
    for row in range(len(steps) - 1, 0, -1):
        way.append(way[-1] + int(steps[row, way[-1]]))
    return way[::-1]


def _minima(cost: Floats, apart: int) -> list[int]:
    """Places that are the cheapest within `apart` columns; of equals the middle one."""
    kernel = np.ones((1, 2 * apart + 1), np.uint8)
    least = cv2.erode(cost[np.newaxis], kernel, borderType=cv2.BORDER_REPLICATE)[0]
    places = np.flatnonzero(cost <= least)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return [int(run[len(run) // 2]) for run in runs if len(run)]
