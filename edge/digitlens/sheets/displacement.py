"""How bent paper lies beside flat paper: a smooth displacement field, fitted to a page's print."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Floats

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
            system = np.zeros((2 * count, 2 * count))
            right = np.zeros(2 * count)
            for i in range(2):
                for j in range(2):
                    part = (basis * weights[:, i, j, np.newaxis]).T @ basis
                    system[i * count : (i + 1) * count, j * count : (j + 1) * count] = part
                    right[i * count : (i + 1) * count] += basis.T @ (weights[:, i, j] * target[:, j])
            system[:count, :count] += penalty
            system[count:, count:] += penalty
            solved = np.linalg.solve(system, right).reshape(2, count).T
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
    kept, shifts, weights = [], [], []
    padded = cv2.copyMakeBorder(seen, far, far, far, far, cv2.BORDER_CONSTANT, value=(0,))
    for index, ((x, y), block) in enumerate(zip((points * per_mm).tolist(), blocks, strict=True)):
        half = [max(3, round(side * per_mm / 2)) for side in block]
        x0, x1 = max(0, round(x) - half[0]), min(width, round(x) + half[0] + 1)
        y0, y1 = max(0, round(y) - half[1]), min(height, round(y) + half[1] + 1)
        if x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
            continue
        part = blank[y0:y1, x0:x1]
        if float(part.std()) < LEAST_CONTRAST:
            continue
        around = padded[y0 : y1 + 2 * far, x0 : x1 + 2 * far]
        scores = np.asarray(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED), np.float32)
        found = _peak(scores, far)
        if found is None:
            continue
        shift, weight = found
        kept.append(index)
        shifts.append(shift / per_mm)
        weights.append(weight * per_mm * per_mm)
    return Match(
        points[kept],
        np.array(shifts, np.float64).reshape(-1, 2),
        np.array(weights, np.float64).reshape(-1, 2, 2),
    )


def _peak(scores: Floats, far: int) -> tuple[Doubles, Doubles] | None:
    """The best score's place relative to no shift, in pixels, and its sharpness (2, 2); None at the border.

    A peak is worth less where another one is nearly as good.
    """
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    height, width = scores.shape
    if not 0 < x < width - 1 or not 0 < y < height - 1 or best < 0.2:
        return None
    near = scores[y - 1 : y + 2, x - 1 : x + 2].astype(np.float64)
    dx, dy = (near[1, 2] - near[1, 0]) / 2, (near[2, 1] - near[0, 1]) / 2
    dxx, dyy = near[1, 2] - 2 * near[1, 1] + near[1, 0], near[2, 1] - 2 * near[1, 1] + near[0, 1]
    dxy = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    hessian = np.array([[dxx, dxy], [dxy, dyy]])
    values, vectors = np.linalg.eigh(-hessian)
    values = np.maximum(values, 1e-6)
    sharp = (vectors * values) @ vectors.T
    step = np.clip((vectors / values) @ vectors.T @ np.array([dx, dy]), -0.7, 0.7)
    return np.array([x - far, y - far]) + step, sharp * best**2 * _alone(scores, x, y, best)


def _alone(scores: Floats, x: int, y: int, best: float) -> float:
    """How far the second peak is behind, 0 to 1."""
    peaks = (scores == cv2.dilate(scores, np.ones((3, 3), np.uint8))) & (scores > 0)
    peaks[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = False
    second = float(scores[peaks].max()) if peaks.any() else 0.0
    return float(np.clip((best - second) / (0.15 * best), 0.02, 1))


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
