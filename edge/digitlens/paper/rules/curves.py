"""A ruled line as the smooth curve that it is, whatever signs hang on it."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]
Curve = tuple[Points, int]
"""Points (N, 2), x and y, and the pen's width, in pixels."""

BARE_COLUMNS = 10
"""Percentile of a line's thickness over its columns that is the line's own."""
ZONE = 4.0
"""Coarse pixels by which the zone that is cleared is wider than the line, less the room for its slope."""
SLOPE_ROOM = 5
"""Coarse pixels that a line is thickened by, so that at a slope it still has long runs along the axis."""


def fitted(
    line: npt.NDArray[np.bool_], ink: npt.NDArray[np.bool_], corner: tuple[int, int], scale: float
) -> tuple[float, Curve]:
    """One coarse line as the smooth curve that it is, whatever signs hang on it; full-size pixels.

    First comes the part of its length where the ink is thin and follows the curve: little of it is a row
    of digits whose tops or feet are aligned.
    """
    thickness = np.count_nonzero(line, axis=0)
    columns = np.flatnonzero(thickness)
    rows = (np.arange(len(line), dtype=np.float32) @ line.astype(np.float32))[columns] / thickness[columns]
    usual = percentile(thickness[columns], BARE_COLUMNS)
    bare = thickness[columns] <= usual + 1
    columns, rows = columns[bare], rows[bare]
    place = _places(line.shape[1])  # well-conditioned, for a cubic
    curve = polynomial(place[columns], rows, min(3, len(columns) // 8))
    close = np.abs(_value(curve, place[columns]) - rows) <= 2
    if np.count_nonzero(close) > 8:
        degree = 3 if np.count_nonzero(close) > 32 else 1
        if degree != len(curve) - 1 or not close.all():
            curve = polynomial(place[columns[close]], rows[close], degree)
    along = _value(curve, place)
    near = np.abs(np.arange(len(line))[:, np.newaxis] - along) <= usual / 2 + 1
    bare = float(np.mean((ink & near).any(axis=0) & (thickness <= usual + 2)))
    ends = np.linspace(0, line.shape[1] - 1, max(2, line.shape[1] // 8)).astype(np.intp)
    points = (np.stack([ends + corner[0], along[ends] + corner[1]], axis=1) + 0.5) * scale
    return bare, (points.round().astype(np.int32), max(1, round((usual - SLOPE_ROOM + ZONE) * scale)))


@lru_cache(maxsize=64)
def _places(count: int) -> Doubles:
    """-1 to 1 in so many steps; not to be written to."""
    return np.linspace(-1, 1, count)


def _value(curve: Doubles, x: Doubles) -> Doubles:
    """The polynomial at x: np.polyval to the bit, in half its time."""
    y = np.full(x.shape, curve[0])
    for factor in curve[1:]:
        y *= x
        y += factor
    return y


def polynomial(x: Doubles, y: Doubles, degree: int) -> Doubles:
    """The polynomial through points (N,) by least squares: np.polyfit to the bit, in half its time."""
    powers = np.vander(x, degree + 1)
    scale = np.sqrt((powers * powers).sum(axis=0))
    powers /= scale
    found: Doubles = np.linalg.lstsq(powers, y, rcond=len(x) * float(np.finfo(x.dtype).eps))[0]
    found /= scale
    return found


def percentile(counts: npt.NDArray[np.intp], percent: float) -> float:
    """What np.percentile gives, in a tenth of its time for a few hundred."""
    ranked = np.sort(counts)
    low, part = divmod((len(ranked) - 1) * percent / 100, 1)
    first, last = ranked[int(low)], ranked[min(int(low) + 1, len(ranked) - 1)]
    return float(first + (last - first) * part)
