"""Cheapest ways through a picture, by dynamic programming: seams between digits, lines under them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int8]


def fall(cost: Floats, sideways: float) -> tuple[Floats, Steps]:
    """The cheapest way from the first row of (H, W) costs to each place, at most one column aside a row.

    Returns what it costs, (H, W), each step aside costing `sideways` besides, and where the last step
    came from, -1 to 1.
    """
    costs = cost.copy()
    steps = np.zeros(cost.shape, np.int8)
    ways = np.full((3, cost.shape[1]), np.inf, np.float32)
    each = np.arange(cost.shape[1])
    for row in range(1, len(cost)):
        before = costs[row - 1]
        ways[0, 1:] = before[:-1] + np.float32(sideways)
        ways[1] = before
        ways[2, :-1] = before[1:] + np.float32(sideways)
        best = ways.argmin(axis=0)
        steps[row] = best - 1
        costs[row] += ways[best, each]
    return costs, steps


def trace(steps: Steps, column: int) -> list[int]:
    """The columns of the way that ends at `column` of the last row, from the first row on."""
    way = [column]
    for row in range(len(steps) - 1, 0, -1):
        way.append(way[-1] + int(steps[row, way[-1]]))
    return way[::-1]
