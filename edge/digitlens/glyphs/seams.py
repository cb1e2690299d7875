"""Where a glyph may be cut: seams from top to bottom that cross as little ink as they can.

The seams are those of seam carving (Avidan and Shamir 2007) on the ink's depth: they lean and bend, run
through white paper for nothing, and cross a stroke where it is thin.
"""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.glyphs import GlyphParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.paper.min_cost_path import backtrace, min_cost

DEFAULT = GlyphParameters()


class Seam(NamedTuple):
    """A cut: for each row of the glyph the first column to its right, (H,), and its cost.

    The cost is the length of ink that it crosses, in glyph heights.
    """

    columns: npt.NDArray[np.intp]
    cost: float


def find_seams(ink: Gray, parameters: GlyphParameters = DEFAULT) -> list[Seam]:
    """The seams of an ink crop (H, W) uint8, white on black, from left to right."""
    height, width = ink.shape
    scale = min(1.0, parameters.seam_rows / height)
    size = max(3, round(width * scale)), max(3, round(height * scale))
    small = np.divide(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), 255, dtype=np.float32)
    rows, columns = small.shape
    costs, steps = min_cost(np.stack([small, small[::-1]]), parameters.sideways_cost)
    (above, below), (from_above, from_below) = (costs[0], costs[1, ::-1]), (steps[0], steps[1, ::-1])
    through = (above + below - small) / rows  # the cheapest seam through each place
    apart = max(1, round(parameters.seam_distance * rows))
    paths: list[tuple[float, npt.NDArray[np.intp]]] = []
    for row in sorted({round(rows * part) for part in parameters.seam_anchors}):
        for column in _minima(through[row], apart):
            cost = float(through[row, column])
            if cost <= parameters.seam_cost and 0 < column < columns - 1:
                up, down = backtrace(from_above[: row + 1], column), backtrace(from_below[row:][::-1], column)
                paths.append((cost, np.array(up + down[-2::-1], np.intp)))
    kept: list[tuple[float, npt.NDArray[np.intp]]] = []
    for cost, path in sorted(paths, key=lambda found: found[0]):
        if len(kept) < parameters.most_seams and all(
            np.abs(path - other).mean() >= apart for _, other in kept
        ):
            kept.append((cost, path))
    # Into the glyph's own pixels, row by row.
    at = (np.arange(height) + 0.5) * rows / height - 0.5
    found = [
        Seam(np.rint((np.interp(at, np.arange(rows), path) + 0.5) * width / columns).astype(np.intp), cost)
        for cost, path in kept
    ]
    return sorted(found, key=lambda seam: float(seam.columns.mean()))


def split(ink: Gray, seams: list[Seam]) -> list[Gray]:
    """The ink (H, W) between the seams, left to right: len(seams) + 1 pictures, each (H, W)."""
    height, width = ink.shape
    column = np.arange(width)[np.newaxis]
    borders = [np.zeros((height, 1), np.intp)]
    for seam in seams:  # one that crosses the one before it follows that one
        borders.append(np.maximum(borders[-1], seam.columns[:, np.newaxis]))
    borders.append(np.full((height, 1), width, np.intp))
    return [
        np.multiply(ink, (column >= left) & (column < right), dtype=np.uint8, casting="unsafe")
        for left, right in pairwise(borders)
    ]


def _minima(cost: Floats, apart: int) -> list[int]:
    """The columns that are the cheapest within `apart` columns; of equals the middle one."""
    kernel = np.ones((1, 2 * apart + 1), np.uint8)
    least = cv2.erode(cost[np.newaxis], kernel, borderType=cv2.BORDER_REPLICATE)[0]
    places = np.flatnonzero(cost <= least)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return [int(run[len(run) // 2]) for run in runs if len(run)]
