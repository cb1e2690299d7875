"""How the picture moved between two frames, and which box of one frame is which box of the other."""

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles
from digitlens.core.boxes import iou
from digitlens.live.evidence import Indices


def moved_boxes(
    boxes: Doubles, values: Indices, seen: Doubles, seen_values: Indices, parameters: TrackingParameters
) -> Doubles:
    """The boxes (N, 4) after the common movement of the picture, estimated from the boxes (M, 4) seen.

    First a shift, by a vote of all pairs (a Hough transform), then rotation and zoom by least squares over
    the pairs that agree with the shift. Boxes are x, y, width, height; values are the digits 0 to 9.
    """
    if not len(boxes) or not len(seen):
        return boxes
    height = float(np.sort(seen[:, 3])[len(seen) // 2])
    before, after = _centers(boxes), _centers(seen)
    steps = (after[np.newaxis] - before[:, np.newaxis]).reshape(-1, 2)
    weights = np.where(values[:, np.newaxis] == seen_values, 1.0, parameters.other_value_vote).ravel()
    near = np.flatnonzero(np.abs(steps).max(axis=1) <= parameters.max_shift * height)
    if not near.size:
        return boxes
    steps, weights = steps[near], weights[near]
    side = round(2 * parameters.max_shift / parameters.shift_bin) + 3
    cells = np.floor(steps / (parameters.shift_bin * height)).astype(np.intp) + side // 2
    votes = np.bincount(cells[:, 0] * side + cells[:, 1], weights, side * side).reshape(side, side)
    # Four cells together, so that no border between cells splits the votes for one shift.
    four = votes[:-1, :-1] + votes[1:, :-1] + votes[:-1, 1:] + votes[1:, 1:]
    offsets = np.abs(np.arange(side - 1) - side // 2 + 1)
    four = four - parameters.shift_penalty * (offsets[:, np.newaxis] + offsets)
    x, y = divmod(int(np.argmax(four)), side - 1)
    chosen = _within(cells, x, y, 0)
    if np.count_nonzero(chosen) < parameters.min_agreement * len(boxes):
        return boxes  # a few stray glyphs, while a hand hides the others, move nothing
    tolerance = parameters.shift_tolerance * height
    around = _within(cells, x, y, 1)
    shift = _densest(steps[chosen], steps[around], weights[around], tolerance)
    agreeing = near[np.abs(steps - shift).max(axis=1) <= tolerance]
    first, second = np.divmod(agreeing, len(seen))
    if len(first) < parameters.min_similarity_pairs:
        return _shifted(boxes, shift)
    # The similarity z -> a z + b of the complex plane that fits the pairs best.
    z, w = before[first] @ (1, 1j), after[second] @ (1, 1j)
    middle, target = z.mean(), w.mean()
    spread = float((np.abs(z - middle) ** 2).sum())
    if spread < parameters.min_similarity_pairs * height**2:
        return _shifted(boxes, shift)
    a = complex((np.conj(z - middle) * (w - target)).sum() / spread)
    centers = a * (before @ (1, 1j) - middle) + target
    size = boxes[:, 2:] * abs(a)
    corners: Doubles = np.stack([centers.real, centers.imag], axis=1) - size / 2
    return np.hstack([corners, size])


def _within(cells: Indices, x: int, y: int, margin: int) -> npt.NDArray[np.bool_]:
    """Which cells (K, 2) are among the four from x and y on, or up to `margin` cells beside them."""
    inside = (cells >= (x - margin, y - margin)) & (cells <= (x + 1 + margin, y + 1 + margin))
    return np.asarray(inside.all(axis=1), np.bool_)


def _densest(candidates: Doubles, steps: Doubles, weights: Doubles, tolerance: float) -> Doubles:
    """Of candidates (C, 2) the shift that most votes agree with; of equals the smallest.

    The cells may hold the steps from each digit to the next one, too, where digits stand close: their median
    could be neither.
    """
    agree = (np.abs(candidates[:, np.newaxis] - steps) <= tolerance).all(axis=2) @ weights
    best = candidates[agree >= agree.max() - 1e-9]
    middle = best[np.argsort(np.abs(best).max(axis=1), kind="stable")[0]]
    agreeing = steps[(np.abs(steps - middle) <= tolerance).all(axis=1)]
    shift: Doubles = np.sort(agreeing, axis=0)[len(agreeing) // 2]
    return shift


def match_boxes(
    boxes: Doubles,
    seen: Doubles,
    parameters: TrackingParameters,
    excluded: npt.NDArray[np.bool_] | None = None,
) -> tuple[Indices, Indices, Doubles]:
    """Indices (K,), (K,) of the boxes (N, 4) and (M, 4) that are the same digit, and their IoU (K,).

    Greedy: the pairs with the highest IoU come first. `excluded` (N, M) are pairs that must not be made.
    """
    overlaps = iou(_widened(boxes, parameters.min_aspect), _widened(seen, parameters.min_aspect))
    if excluded is not None:
        overlaps[excluded] = 0
    rows, columns = np.nonzero(overlaps >= parameters.match_iou)
    order = np.argsort(-overlaps[rows, columns], kind="stable")
    first, second = [], []
    free, open_ = [True] * len(boxes), [True] * len(seen)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if free[row] and open_[column]:
            free[row] = open_[column] = False
            first.append(row)
            second.append(column)
    ones, others = np.array(first, np.intp), np.array(second, np.intp)
    return ones, others, overlaps[ones, others]


def _centers(boxes: Doubles) -> Doubles:
    return boxes[:, :2] + boxes[:, 2:] / 2


def _shifted(boxes: Doubles, shift: Doubles) -> Doubles:
    return np.hstack([boxes[:, :2] + shift, boxes[:, 2:]])


def _widened(boxes: Doubles, min_aspect: float) -> Doubles:
    wide = np.maximum(boxes[:, 2], min_aspect * boxes[:, 3])
    left = boxes[:, 0] + (boxes[:, 2] - wide) / 2
    return np.column_stack([left, boxes[:, 1], wide, boxes[:, 3]])
