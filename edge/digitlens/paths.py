"""Cheapest ways through a picture, by dynamic programming: seams between digits, lines under them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int8]


def fall(cost: Floats, sideways: float) -> tuple[Floats, Steps]:
    """The cheapest way from the first row of costs to each place, at most one column aside a row.

    (..., H, W); several pictures of one size are done together. Returns what it costs, each step aside
    costing `sideways` besides, and where the last step came from, -1 to 1, both in the shape of `cost`.
    """
    costs = np.ascontiguousarray(np.moveaxis(cost, -2, 0)).copy()  # rows first
    steps = np.zeros(costs.shape, np.int8)
    aside = np.full((*costs.shape[1:-1], costs.shape[-1] + 2), np.inf, np.float32)
    left, middle, right = aside[..., :-2], aside[..., 1:-1], aside[..., 2:]
    for row in range(1, len(costs)):
        before = costs[row - 1]
        np.add(before, np.float32(sideways), out=middle)
        # The leftmost of equals, as argmin would take it.
        best = np.minimum(left, before)
        from_right = right < best
        steps[row] = from_right
        steps[row][(left <= before) & ~from_right] = -1
        costs[row] += np.minimum(best, right, out=best)
    return np.moveaxis(costs, 0, -2), np.moveaxis(steps, 0, -2)


def trace(steps: Steps, column: int) -> list[int]:
    """The columns of the way that ends at `column` of the last row, from the first row on."""
    way = [column]
    for row in range(len(steps) - 1, 0, -1):
        way.append(way[-1] + int(steps[row, way[-1]]))
    return way[::-1]
