"""A ruled line that is followed from side to side through the signs that stand on it or cross it."""

import numpy as np
import numpy.typing as npt

from digitlens.paper.min_cost_path import backtrace, min_cost

Gray = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]
Line = tuple[int, int, npt.NDArray[np.bool_]]
"""The corner of a run of ink in a coarse mask, x and y, and the run in its box."""

ASIDE = 0.3
"""What a line that is followed through signs pays for a step aside, a pixel without ink being 1."""
FULL = 0.85
"""Of the picture's side: the least width of a run of signs in which a line is sought."""
SLENDER_THROUGH = 20.0
"""Times its thickness, the least length of such a line."""
BARE_THROUGH = 0.2
"""Of its length: where it is thin and on a smooth curve."""
BARE_QUARTER = 0.08
"""The same of each of its quarters: between any digits that stand on it the line is bare."""
THICK_THROUGH = 1.7
"""Times the thickest that a line is taken to be without being followed from side to side."""
INKED = 0.97
"""Of its length: where it is inked."""
FURTHEST = 12
"""Coarse pixels up to which its thickness is looked at."""


def through_signs(coarse: Gray, found: Line, thickest: float) -> tuple[Doubles, float] | None:
    """A line from side to side, followed through the signs in its run; None if there is none."""
    x, y, line = found
    if line.shape[1] < FULL * coarse.shape[1]:
        return None
    under = _follow(coarse[y : y + line.shape[0], x : x + line.shape[1]] > 0, thickest)
    return None if under is None else (under[0] + (x + 0.5, y + 0.5), under[1])


def _follow(ink: npt.NDArray[np.bool_], thickest: float) -> tuple[Doubles, float] | None:
    """The line through a run of signs that stand on it, hang from it or cross it: its points and pen.

    It is the path from left to right that leaves the ink least. None if that path is not thin and smooth for
    a good part: it then goes through the signs themselves, which touch each other.
    """
    if np.count_nonzero(ink.any(axis=0)) < INKED * ink.shape[1]:
        return None
    costs, steps = min_cost(np.where(ink, np.float32(0), np.float32(1)).T, ASIDE)
    path = np.array(backtrace(steps, int(costs[-1].argmin())), np.intp)
    columns = np.arange(len(path))
    if np.count_nonzero(ink[path, columns]) < INKED * len(path):
        return None
    padded = np.pad(ink, ((FURTHEST, FURTHEST), (0, 0)))
    reach = np.zeros(len(path), np.intp)
    for sign in (-1, 1):
        going = np.ones(len(path), bool)
        for step in range(1, FURTHEST):
            going &= padded[path + FURTHEST + sign * step, columns]
            reach += going
    usual = float(np.percentile(reach + 1, 25))
    thin = reach + 1 <= usual + 1
    place = np.linspace(-1, 1, len(path))
    if (
        usual > THICK_THROUGH * thickest + 1
        or len(path) < SLENDER_THROUGH * usual
        or np.count_nonzero(thin) < 16
    ):
        return None
    curve = np.polyval(np.polyfit(place[thin], path[thin], 3), place)
    bare = thin & (np.abs(path - curve) <= 1.5)
    quarters = [quarter.mean() for quarter in np.array_split(bare, 4)]
    if bare.mean() < BARE_THROUGH or min(quarters) < BARE_QUARTER:
        return None
    ends = np.linspace(0, len(path) - 1, max(2, len(path) // 8)).astype(np.intp)
    return np.stack([ends, curve[ends]], axis=1), usual + 2
