"""Ruled, squared and table lines are the paper's, not the pen's: take them out, spare what crosses them."""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

COARSE = 640
"""Lines are looked for in the mask reduced to this many pixels on its longer side."""
SHORTEST = 0.3
"""A line's least length, in parts of the picture's side along it, where there are several."""
ALONE = 0.6
"""The same for a line that is nearly alone: a tall 1 is straight, too."""
SEVERAL = 4
"""So many lines of one direction are a ruled sheet or a table."""
SLOPE_ROOM = 5
"""Coarse pixels that a line is thickened to, so that at a slope it still has long runs along the axis."""
THICKEST = 0.02
"""A line's greatest thickness, in parts of the picture's longer side."""


def remove_lines(mask: Gray, faint: Gray) -> Gray:
    """(H, W) ink mask, 0 or 255 -> the same without long straight lines near the two axes."""
    lines = [
        _horizontal(mask, faint),
        np.ascontiguousarray(_horizontal(*(np.ascontiguousarray(m.T) for m in (mask, faint))).T),
    ]
    return cv2.subtract(mask, cv2.bitwise_or(*lines)).astype(np.uint8, copy=False)


def _horizontal(mask: Gray, faint: Gray) -> Gray:
    """The ink of lines along the rows."""
    zone, thickness = _lines(faint, mask)
    if zone is None:
        return np.zeros_like(mask)
    # Along a line the ink is thin across it; where a stroke crosses, it is not: that ink stays.
    tall = max(2, round(2.0 * thickness))
    crossing = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((tall, 1), np.uint8))
    return cv2.bitwise_and(zone, cv2.subtract(mask, crossing)).astype(np.uint8, copy=False)


def _lines(faint: Gray, mask: Gray) -> tuple[Gray | None, float]:
    """Where lines run, as a mask a little wider than they are, and how thick they are in pixels."""
    height, width = faint.shape
    shrink = max(1.0, max(height, width) / COARSE)
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    _, coarse = cv2.threshold(
        cv2.resize(faint, size, interpolation=cv2.INTER_AREA), 60, 255, cv2.THRESH_BINARY
    )
    thick = cv2.dilate(coarse, np.ones((SLOPE_ROOM, 1), np.uint8))
    along = np.ones((1, max(9, size[0] // 20)), np.uint8)
    runs = cv2.morphologyEx(cv2.morphologyEx(thick, cv2.MORPH_OPEN, along), cv2.MORPH_CLOSE, along)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(runs.astype(np.uint8), connectivity=8)
    lengths, areas = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    thin = areas / lengths - (SLOPE_ROOM - 1) <= THICKEST * max(size)
    thin[0] = False
    several = np.count_nonzero(thin & (lengths >= SHORTEST * size[0])) >= SEVERAL
    wanted = np.flatnonzero(thin & (lengths >= (SHORTEST if several else ALONE) * size[0]))
    if not wanted.size:
        return None, 0.0
    zone = np.zeros_like(mask)
    for label in wanted:
        x, y, w, h = stats[label, :4]
        _draw(zone, labels[y : y + h, x : x + w] == label, (x, y), width / size[0])
    inside = np.count_nonzero(cv2.bitwise_and(mask, zone), axis=0)
    edges = np.diff(np.pad(zone, ((1, 1), (0, 0))).astype(bool), axis=0)
    per_line = inside / np.maximum(1, np.count_nonzero(edges, axis=0) // 2)
    return zone, float(np.median(per_line[inside > 0])) if inside.any() else 1.0


def _draw(zone: Gray, line: npt.NDArray[np.bool_], corner: tuple[int, int], scale: float) -> None:
    """Draw one coarse line into `zone` as the smooth curve that it is, whatever signs hang on it."""
    thickness = np.count_nonzero(line, axis=0)
    columns = np.flatnonzero(thickness)
    rows = np.arange(len(line), dtype=np.float64) @ line[:, columns] / thickness[columns]
    usual = np.median(thickness[columns])
    bare = thickness[columns] <= 1.25 * usual
    columns, rows = columns[bare], rows[bare]
    curve = np.polynomial.Polynomial.fit(columns, rows, min(3, len(columns) // 8))
    close = np.abs(curve(columns) - rows) <= 2
    if close.sum() > 8:
        curve = np.polynomial.Polynomial.fit(columns[close], rows[close], 3 if close.sum() > 32 else 1)
    ends = np.linspace(0, line.shape[1] - 1, max(2, line.shape[1] // 8))
    points = (np.stack([ends + corner[0], curve(ends) + corner[1]], axis=1) + 0.5) * scale
    pen = max(1, round((usual - SLOPE_ROOM + 3) * scale))
    cv2.polylines(zone, [points.round().astype(np.int32)], False, 255, pen)
