"""Cheapest paths through a picture, by dynamic programming: seams between digits, lines under them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int8]


def min_cost(cost: Floats, sideways: float) -> tuple[Floats, Steps]:
    """The cheapest path from the first row of costs to each place, at most one column aside a row.

    (..., H, W); several pictures of one size are done together. Returns what it costs, each step aside
    costing `sideways` besides, and where the last step came from, -1 to 1, both in the shape of `cost`.
    """
    costs = np.ascontiguousarray(np.moveaxis(cost, -2, 0)).copy()  # rows first
    aside = np.full((*costs.shape[:-1], costs.shape[-1] + 2), np.inf, np.float32)
    left, middle, right = aside[..., :-2], aside[..., 1:-1], aside[..., 2:]
    best = np.empty_like(costs[0])
    step = np.float32(sideways)
    # The loop is short, for its steps are small; where each came from is seen for all rows at once after it.
    for before, own, to_left, beside, to_right in zip(costs, costs[1:], left, middle, right, strict=False):
        np.add(before, step, out=beside)
        np.minimum(to_left, to_right, out=best)
        np.minimum(best, before, out=best)
        np.add(own, best, out=own)
    steps = np.zeros(costs.shape, np.int8)
    before, left, right = costs[:-1], left[:-1], right[:-1]
    # The leftmost of equals, as argmin would take it.
    from_left = left <= np.minimum(before, right)
    steps[1:][right < np.minimum(left, before)] = 1
    steps[1:][from_left] = -1
    return np.moveaxis(costs, 0, -2), np.moveaxis(steps, 0, -2)


def backtrace(steps: Steps, column: int) -> list[int]:
    """The columns of the path that ends at `column` of the last row, from the first row on."""
    path = [column]
    for row in range(len(steps) - 1, 0, -1):
        path.append(path[-1] + int(steps[row, path[-1]]))
    return path[::-1]
