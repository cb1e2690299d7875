"""How the whole picture moved between two frames, and which box of one is which of the other."""

import numpy as np
import numpy.typing as npt

from digitlens.core.boxes import iou

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]

REACH = 6.0
"""Digit heights that a picture moves at the most between two frames."""
BIN = 0.5
"""Digit heights: shifts that close are one."""
OTHER = 0.3
"""What a pair of different values counts for, against one of the same."""
NARROW = 0.5
"""Of its height, that a box counts as wide at the least: a one's own width is a matter of chance."""
AGREED = 0.3
"""Of the boxes, that must make the same shift to be believed."""
SAME = 0.35
"""Overlap, as intersection over union, from which two boxes may be the same digit."""
CLOSE = 0.3
"""Digit heights from the common shift, that a pair may be for the turn and the zoom."""
ENOUGH = 4
"""Pairs, from which a turn and a zoom can be told from the noise of boxes."""


def moved(boxes: Floats, values: Whole, seen: Floats, seen_values: Whole) -> Floats:
    """The boxes (N, 4) where the common movement of the picture takes them, as told by the boxes (M, 4) seen.

    First a shift, by the vote of all pairs (a Hough transform), then a turn and zoom by least squares over
    the pairs that make this shift. x, y, width, height; the values are the digits 0 to 9.
    """
    if not len(boxes) or not len(seen):
        return boxes
    height = float(np.sort(seen[:, 3])[len(seen) // 2])
    before, after = _centers(boxes), _centers(seen)
    steps = (after[np.newaxis] - before[:, np.newaxis]).reshape(-1, 2)
    alike = np.where(values[:, np.newaxis] == seen_values, 1.0, OTHER).ravel()
    near = np.flatnonzero(np.abs(steps).max(axis=1) <= REACH * height)
    if not near.size:
        return boxes
    steps, alike = steps[near], alike[near]
    side = round(2 * REACH / BIN) + 3
    cells = np.floor(steps / (BIN * height)).astype(np.intp) + side // 2
    votes = np.bincount(cells[:, 0] * side + cells[:, 1], alike, side * side).reshape(side, side)
    # Four cells together, so that no border between cells parts the votes for one shift.
    four = votes[:-1, :-1] + votes[1:, :-1] + votes[:-1, 1:] + votes[1:, 1:]
    offsets = np.arange(side - 1) - side // 2 + 1
    four = four - 0.02 * (np.abs(offsets)[:, np.newaxis] + np.abs(offsets))  # of equal ones the shortest
    x, y = divmod(int(np.argmax(four)), side - 1)
    chosen = (cells[:, 0] >= x) & (cells[:, 0] <= x + 1) & (cells[:, 1] >= y) & (cells[:, 1] <= y + 1)
    count = int(np.count_nonzero(chosen))
    if count < AGREED * len(boxes):
        return boxes  # a few stray signs, while a hand hides the others, move nothing
    shift = np.sort(steps[chosen], axis=0)[count // 2]
    first, second = np.divmod(near[np.abs(steps - shift).max(axis=1) <= CLOSE * height], len(seen))
    if len(first) < ENOUGH:
        return _shifted(boxes, shift)
    # The similarity z -> a z + b of the complex plane that fits the pairs best.
    z, w = before[first] @ (1, 1j), after[second] @ (1, 1j)
    middle, target = z.mean(), w.mean()
    spread = float((np.abs(z - middle) ** 2).sum())
    if spread < ENOUGH * height**2:
        return _shifted(boxes, shift)
    a = complex((np.conj(z - middle) * (w - target)).sum() / spread)
    places = a * (before @ (1, 1j) - middle) + target
    size = boxes[:, 2:] * abs(a)
    corners: Floats = np.stack([places.real, places.imag], axis=1) - size / 2
    return np.hstack([corners, size])


def pairs(
    boxes: Floats, seen: Floats, barred: npt.NDArray[np.bool_] | None = None
) -> tuple[Whole, Whole, Floats]:
    """Indices (K,), (K,) of the boxes (N, 4) and (M, 4) that are the same digit, and their overlap (K,).

    The most alike come first. `barred` (N, M) are pairs that must not be made.
    """
    shared = iou(_widened(boxes), _widened(seen))
    if barred is not None:
        shared[barred] = 0
    rows, columns = np.nonzero(shared >= SAME)
    order = np.argsort(-shared[rows, columns], kind="stable")
    first, second = [], []
    free, open_ = [True] * len(boxes), [True] * len(seen)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if free[row] and open_[column]:
            free[row] = open_[column] = False
            first.append(row)
            second.append(column)
    ones, others = np.array(first, np.intp), np.array(second, np.intp)
    return ones, others, shared[ones, others]


def _centers(boxes: Floats) -> Floats:
    return boxes[:, :2] + boxes[:, 2:] / 2


def _shifted(boxes: Floats, shift: Floats) -> Floats:
    return np.hstack([boxes[:, :2] + shift, boxes[:, 2:]])


def _widened(boxes: Floats) -> Floats:
    wide = np.maximum(boxes[:, 2], NARROW * boxes[:, 3])
    left = boxes[:, 0] + (boxes[:, 2] - wide) / 2
    return np.column_stack([left, boxes[:, 1], wide, boxes[:, 3]])
