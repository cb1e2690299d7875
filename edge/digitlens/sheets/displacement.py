"""How bent paper lies beside flat paper: a smooth displacement field, fitted to a page's print."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Floats

Indices = npt.NDArray[np.intp]
Truths = npt.NDArray[np.bool_]

SPACING = 30.0
"""Distance of the spline's knots, millimeters."""
ROUNDS = 6
"""Rounds of reweighting, in which places that do not fit the others lose their say."""
WIDE = 4.0
"""How much larger a deviation fits in the first round than in the last."""
LEAST_CONTRAST = 0.012
"""Standard deviation of the print's darkness in a block from which it tells a place."""
LEAST_SIDE = 6
"""Shorter side of a block that is looked for, pixels."""
LEAST_SCORE = 0.2
"""Smallest correlation of a block that is found."""
RIDGE = 1e-3
"""Stiffness of the field against moving at all, so that unknown regions stay in place."""


class Match(NamedTuple):
    """Where the blocks around some points were found.

    Attributes:
        points: (N, 2) mm on the flat page.
        shifts: (N, 2) mm by which they were found elsewhere.
        weights: (N, 2, 2), how surely; a long line tells nothing along itself.
    """

    points: Doubles
    shifts: Doubles
    weights: Doubles


@dataclass(frozen=True)
class Displacement:
    """A bicubic spline over the page: `knots` (R, C, 2) mm; 0 everywhere where it is flat."""

    size: tuple[float, float]
    knots: Doubles

    @classmethod
    def flat(cls, size: tuple[float, float]) -> "Displacement":
        """No displacement on a page of `size` (width, height) mm."""
        rows, columns = (int(np.ceil(side / SPACING)) + 3 for side in (size[1], size[0]))
        return cls(size, np.zeros((rows, columns, 2)))

    @property
    def largest(self) -> float:
        """The largest shift of a knot, mm."""
        return float(np.abs(self.knots).max())

    def at(self, points: Doubles) -> Doubles:
        """Points (N, 2) mm -> their shifts (N, 2) mm."""
        basis = _basis(points, self.knots.shape[:2])
        return np.asarray(basis @ self.knots.reshape(-1, 2), np.float64)

    def on_grid(self, across: Doubles, down: Doubles) -> Doubles:
        """Places (W,) and (H,) mm across and down -> the shifts (H, W, 2) mm at all their crossings."""
        rows, columns = self.knots.shape[:2]
        over, under = _cubic(across / SPACING, columns), _cubic(down / SPACING, rows)
        return np.stack([under @ self.knots[..., axis] @ over.T for axis in (0, 1)], axis=-1)

    def fitted(self, match: Match, stiffness: float, scale: float) -> "Displacement":
        """This field and what a match adds to it, whose shifts are beside this field's own.

        Where nothing was matched, this field stays. `stiffness` is what bending the addition costs; `scale`
        mm is a deviation that is usual among blocks that fit; those far beyond are outvoted.
        """
        basis = _basis(match.points, self.knots.shape[:2])
        target = match.shifts
        count = basis.shape[1]
        penalty = (_bending(self.knots.shape[:2]) + RIDGE * np.eye(count)) * stiffness
        # Half of the blocks weigh at least 1 in the direction that they know best.
        sharp = np.linalg.eigvalsh(match.weights)[:, -1]
        each = match.weights / max(float(np.median(sharp)), 1e-12)
        norm = np.sqrt(np.maximum(np.linalg.eigvalsh(each)[:, -1], 1e-12))
        away = match.shifts
        solved = np.zeros((count, 2))
        for scaled in scale * np.geomspace(WIDE, 1, ROUNDS):
            # Along a line nothing is known: only what the weights see counts.
            far = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", away, each, away), 0)) / norm
            robust = 1 / (1 + (far / scaled) ** 2) ** 2
            weights = each * robust[:, np.newaxis, np.newaxis]
            one, both, other = (
                (basis * weights[:, i, j, np.newaxis]).T @ basis for i, j in ((0, 0), (0, 1), (1, 1))
            )
            system = np.block([[one + penalty, both], [both, other + penalty]])  # weights are symmetric
            right = basis.T @ np.einsum("nij,nj->ni", weights, target)
            solved = np.linalg.solve(system, right.T.ravel()).reshape(2, count).T
            away = target - basis @ solved
        return Displacement(self.size, self.knots + solved.reshape(self.knots.shape))


def match_blocks(
    blank: Floats,
    seen: Floats,
    points: Doubles,
    blocks: Sequence[tuple[float, float]],
    reach: float,
    per_mm: float,
) -> Match:
    """Find the blocks around points of a blank page on the page that is seen; both (H, W) float32 darkness.

    Args:
        blank: as printed.
        seen: the page, rectified as well as is known.
        points: (N, 2) mm, the blocks' middles.
        blocks: their widths and heights, mm.
        reach: how far they are looked for, mm.
        per_mm: pixels a millimeter of both.
    """
    height, width = blank.shape
    far = max(2, round(reach * per_mm))
    kept, scores = [], []
    padded = cv2.copyMakeBorder(seen, far, far, far, far, cv2.BORDER_CONSTANT, value=(0,))
    for index, ((x, y), block) in enumerate(zip((points * per_mm).tolist(), blocks, strict=True)):
        half = [max(3, round(side * per_mm / 2)) for side in block]
        x0, x1 = max(0, round(x) - half[0]), min(width, round(x) + half[0] + 1)
        y0, y1 = max(0, round(y) - half[1]), min(height, round(y) + half[1] + 1)
        if x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
            continue
        part = blank[y0:y1, x0:x1]
        if cv2.meanStdDev(part)[1].item() < LEAST_CONTRAST:
            continue
        around = padded[y0 : y1 + 2 * far, x0 : x1 + 2 * far]
        scores.append(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED))
        kept.append(index)
    if not scores:
        return Match(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2, 2)))
    clear, shifts, weights = _peaks(np.array(scores, np.float32), far)
    return Match(points[np.array(kept)[clear]], shifts / per_mm, weights * (per_mm * per_mm))


def _peaks(scores: Floats, far: int) -> tuple[Truths, Doubles, Doubles]:
    """The best of each block's scores (N, S, S); where S is 2 * far + 1.

    Returns which blocks (N,) have a peak that is not at the border, and of those the places (K, 2) relative
    to no shift, in pixels, and their sharpness (K, 2, 2). A peak is worth less where another one is nearly as
    good.
    """
    count, side, _ = scores.shape
    places = scores.reshape(count, -1).argmax(axis=1)
    y, x = places // side, places % side
    best = scores[np.arange(count), y, x]
    clear = (x > 0) & (x < side - 1) & (y > 0) & (y < side - 1) & (best >= LEAST_SCORE)
    scores, x, y = scores[clear], x[clear], y[clear]
    best = best[clear].astype(np.float64)
    ring = np.arange(-1, 2)
    each = np.arange(len(scores))[:, np.newaxis, np.newaxis]
    spots = each, (y[:, np.newaxis] + ring)[:, :, np.newaxis], (x[:, np.newaxis] + ring)[:, np.newaxis]
    near = scores[spots].astype(np.float64)
    middle = near[:, 1, 1]
    slope = np.stack([near[:, 1, 2] - near[:, 1, 0], near[:, 2, 1] - near[:, 0, 1]], axis=1) / 2
    dxx, dyy = near[:, 1, 2] - 2 * middle + near[:, 1, 0], near[:, 2, 1] - 2 * middle + near[:, 0, 1]
    dxy = (near[:, 2, 2] - near[:, 2, 0] - near[:, 0, 2] + near[:, 0, 0]) / 4
    hessian = np.stack([dxx, dxy, dxy, dyy], axis=1).reshape(-1, 2, 2)
    values, vectors = np.linalg.eigh(-hessian)
    values = np.maximum(values, 1e-6)[:, np.newaxis]
    turned = vectors.transpose(0, 2, 1)
    sharp = (vectors * values) @ turned
    step = np.clip(((vectors / values) @ turned @ slope[:, :, np.newaxis])[:, :, 0], -0.7, 0.7)
    worth = best**2 * _alone(scores, spots, best)
    return clear, np.stack([x - far, y - far], axis=1) + step, sharp * worth[:, np.newaxis, np.newaxis]


def _alone(scores: Floats, spots: tuple[Indices, Indices, Indices], best: Doubles) -> Doubles:
    """How far the second peak of each (N,) is behind, 0 to 1; `spots` are the best one and those around."""
    padded = np.pad(scores, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    highest = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(highest[..., :-2], highest[..., 1:-1]), highest[..., 2:])
    others = np.where(scores == highest, scores, np.float32(0))
    others[spots] = 0
    second = others.max(axis=(1, 2), initial=0).astype(np.float64)
    return np.asarray(np.clip((best - second) / (0.15 * best), 0.02, 1), np.float64)


def _basis(points: Doubles, shape: tuple[int, ...]) -> Doubles:
    """(N, R * C), the bicubic B-spline's weights of each knot at points (N, 2) mm."""
    across, down = (_cubic(points[:, axis] / SPACING, shape[1 - axis]) for axis in (0, 1))
    return np.asarray(
        (down[:, :, np.newaxis] * across[:, np.newaxis, :]).reshape(len(points), -1), np.float64
    )


def _cubic(places: Doubles, count: int) -> Doubles:
    """(N, count), the uniform cubic B-spline's weights; a place beyond is taken to the border."""
    places = np.clip(places, 0, count - 3 - 1e-9)
    first = np.floor(places).astype(np.intp)
    t = places - first
    each = (
        np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    )
    weights = np.zeros((len(places), count))
    np.put_along_axis(weights, first[:, np.newaxis] + np.arange(4), each, axis=1)
    return weights


def _bending(shape: tuple[int, ...]) -> Doubles:
    """(R * C, R * C), the penalty of second differences along rows, along columns and across both."""
    rows, columns = shape[0], shape[1]

    def second(count: int) -> Doubles:
        return np.diff(np.eye(count), 2, axis=0)

    def first(count: int) -> Doubles:
        return np.diff(np.eye(count), 1, axis=0)

    parts = [
        np.kron(np.eye(rows), second(columns)),
        np.kron(second(rows), np.eye(columns)),
        np.sqrt(2) * np.kron(first(rows), first(columns)),
    ]
    return np.asarray(sum(part.T @ part for part in parts), np.float64)
