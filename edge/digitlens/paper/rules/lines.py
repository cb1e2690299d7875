"""Ruled, squared and table lines are the paper's, not the pen's: take them out, spare what crosses them."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.paper.components import components
from digitlens.paper.rules.curves import BARE_COLUMNS, SLOPE_ROOM, Curve, fitted, percentile
from digitlens.paper.rules.follow import Line, through_signs
from digitlens.paper.rules.illumination import Window

Gray = npt.NDArray[np.uint8]
Points = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]

COARSE = 640
"""Lines are looked for in the mask reduced to at most so many pixels on its longer side."""
SHORTEST = 0.3
"""A line's least length, in parts of the picture's side along it, where there are several."""
ALONE = 0.6
"""The same for a line that is nearly alone: a tall 1 is straight, too."""
ANYWAY = 0.4
"""And in parts of its longer side in any case: in a strip of writing every upright stroke is long."""
FOOT = 0.8
"""Of its length: the height of the sign that a lone line is a stroke of."""
OPEN = 0.05
"""Of the picture's side: how far from its border a line from side to side may end."""
BARE = 0.5
"""Of a line's length: where nothing but the line is."""
BARE_AMONG = 0.25
"""The same for one of several lines: digits may stand on half of it and more."""
BEHIND = 0.15
"""Of the picture's width: digits that hide so much of a line do not end it."""
SLENDER = 30.0
"""Times its thickness, a line's least length: the 1 of a narrow strip of writing is straight, too."""
SEVERAL = 4
"""So many lines of one direction are a ruled sheet or a table."""
EXTENDED = 0.4
"""Of its length: how far a table's line that was lost is drawn on."""
THICKEST = 0.02
"""A line's greatest thickness, in parts of the picture's longer side."""
THICK_ANYWAY = 4.0
"""And in pixels, up to which it may be a line however small the picture."""


def remove_lines(mask: Gray, faint: Gray, part: Window) -> tuple[Gray, list[Points]]:
    """Take long straight lines near the two axes out of an ink mask.

    Args:
        mask: (H, W), 0 or 255.
        faint: the same of a lower threshold, in which a pale line is still whole.
        part: rows and columns, outside of which neither has anything; the whole, or of whole cells.

    Returns:
        the mask without them, and the upright ones, each as (N, 2) x and y of points along it.
    """
    coarse = _coarse(faint, part)
    level = _find(coarse, faint.shape[1])
    upright = _find(_gray(cv2.transpose(coarse)), faint.shape[0], through=True)
    across = _ink_along(mask, level)
    down = _ink_along(_gray(cv2.transpose(mask)), upright) if upright else []
    if across or down:
        mask = mask.copy()
    for start, ink in across:
        band = mask[start : start + len(ink)]
        cv2.subtract(band, ink, dst=band)
    for start, ink in down:
        mask[:, start : start + len(ink)] = cv2.subtract(
            mask[:, start : start + len(ink)], cv2.transpose(ink)
        )
    return mask, [points[:, ::-1] for points, _ in upright]


def _ink_along(mask: Gray, lines: list[Curve]) -> list[tuple[int, Gray]]:
    """The ink of the lines along the rows, in the bands where they run: a band's first row, and its ink."""
    inside: list[tuple[int, Gray]] = []
    inked, ends = np.zeros((2, -(-mask.shape[1] // 4)), np.int32)
    for start, end in _bands(lines, len(mask)):
        zone = np.zeros((end - start, mask.shape[1]), np.uint8)
        for points, pen in lines:
            first, last = _reach(points, pen)
            if first < end and start < last:
                cv2.polylines(zone, [points - (0, start)], False, (255,), pen)
        ink = _gray(cv2.bitwise_and(mask[start:end], zone))
        inside.append((start, ink))
        # The median thickness of the ink along the lines: every fourth column tells.
        ink, zone = (np.ascontiguousarray(picture[:, ::4]) for picture in (ink, zone))
        inked += _column_sums(ink)
        ends += _column_sums(_gray(cv2.absdiff(zone[1:], zone[:-1]))) + zone[0] // 255 + zone[-1] // 255
    here = inked > 0
    thickness = float(np.median(inked[here] / np.maximum(1, ends[here] // 2))) if here.any() else 1.0
    # Along a line the ink is thin across it; where a stroke crosses, it is not: that ink stays.
    tall = max(2, round(2 * thickness))
    stroke = np.ones((tall, 1), np.uint8)
    for start, ink in inside:
        above = min(start, tall)
        crossing = cv2.morphologyEx(mask[start - above : start + len(ink) + tall], cv2.MORPH_OPEN, stroke)
        cv2.subtract(ink, crossing[above : above + len(ink)], dst=ink)
    return inside


def _bands(lines: list[Curve], height: int) -> list[tuple[int, int]]:
    """The rows, from and to before, that the lines run in, those of close lines together."""
    bands: list[tuple[int, int]] = []
    for first, last in sorted(_reach(points, pen) for points, pen in lines):
        start, end = max(0, first), min(height, last)
        if end - start < 2:
            continue
        if bands and start <= bands[-1][1]:
            bands[-1] = bands[-1][0], max(end, bands[-1][1])
        else:
            bands.append((start, end))
    return bands


def _reach(points: Points, pen: int) -> tuple[int, int]:
    """The rows that a line takes at the most, with a blank one on each side."""
    rows = points[:, 1]
    return int(rows.min()) - pen - 2, int(rows.max()) + pen + 3


def _column_sums(mask: Gray) -> npt.NDArray[np.int32]:
    """How many of each column's pixels are 255; (H, W) -> (W,)."""
    sums: npt.NDArray[np.int32] = cv2.reduce(mask, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0] // 255
    return sums


def _coarse(faint: Gray, part: Window) -> Gray:
    """An ink mask of at most COARSE pixels on its longer side; a pixel of ink is still one there."""
    height, width = faint.shape
    scale = -(-max(height, width) // COARSE)
    size = max(1, width // scale), max(1, height // scale)
    if scale == 2 and height % 2 == width % 2 == 0:
        coarse = np.zeros(size[::-1], np.uint8)
        small = coarse[tuple(slice(where.start // 2, where.stop // 2) for where in part)]
        cv2.resize(faint[part], small.shape[::-1], dst=small, interpolation=cv2.INTER_AREA)
    else:
        coarse = _gray(cv2.resize(faint, size, interpolation=cv2.INTER_AREA))
    return _gray(cv2.threshold(coarse, 60, 255, cv2.THRESH_BINARY, dst=coarse)[1])


def _find(coarse: Gray, width: int, through: bool = False) -> list[Curve]:
    """The lines along the rows of a coarse mask, of a picture of this width.

    Each is the points of its curve and its pen's width, in the picture's pixels. `through`: one that is
    nearly alone goes from side to side, what ends on the way is a stroke.
    """
    size = coarse.shape[1], coarse.shape[0]
    shortest = max(SHORTEST * size[0], ANYWAY * max(size))
    if _is_narrow(coarse, shortest):
        return []
    thick = cv2.dilate(coarse, np.ones((SLOPE_ROOM, 1), np.uint8))
    along = np.ones((1, max(9, size[0] // 20)), np.uint8)
    runs = cv2.erode(thick, along)
    thickest = max(THICKEST * max(size), THICK_ANYWAY)
    # Most sheets have nothing as long: seen from aside, which costs a fraction of what is done next.
    if _longest(_closed(cv2.reduce(runs, 0, cv2.REDUCE_MAX), along)) < shortest:
        return []
    runs = _closed(runs, along)
    lines: list[Line] = []
    followed: list[Curve] = []
    behind = np.zeros_like(coarse)
    for x, y, line in _long(runs, shortest):
        thickness = _thin(line)
        if thickness <= thickest and line.shape[1] >= SLENDER * thickness:
            lines.append((x, y, line))
            continue
        part = behind[y : y + line.shape[0], x : x + line.shape[1]]
        part[line] = 255
        under = None if through and _ends(x, line, size[0]) else through_signs(coarse, (x, y, line), thickest)
        if under is not None:
            followed.append(_scaled(under, width / size[0]))
    if len(lines) >= SEVERAL and cv2.countNonZero(behind):
        lines += [
            found for found in _behind(_gray(behind), thickest, shortest) if _thin(found[2]) <= thickest
        ]
    curves = []
    for x, y, line in lines:
        ink = coarse[y : y + line.shape[0], x : x + line.shape[1]] > 0
        curves.append((line.shape[1], *fitted(line, ink, (x, y), width / size[0])))
    sure = [bare >= BARE for _, bare, _ in curves]
    # Where there are several for sure, one more under a row of digits needs less to be believed.
    least, alone = (BARE_AMONG, 0.0) if sum(sure) >= SEVERAL else (BARE, ALONE * size[0])
    for found, (length, bare, curve) in zip(lines, curves, strict=True):
        if alone and _ends(found[0], found[2], size[0]) and (through or _is_foot(coarse, found)):
            continue
        if bare >= least and length >= alone:
            followed.append(curve)
        elif (under := through_signs(coarse, found, thickest)) is not None:
            followed.append(_scaled(under, width / size[0]))
    return _extended(followed) if len(followed) >= SEVERAL else followed


def _is_narrow(coarse: Gray, shortest: float) -> bool:
    """Whether all ink together is not so wide, and too far from the border to be continued there."""
    x, _, width, _ = cv2.boundingRect(coarse)
    margin = max(9, coarse.shape[1] // 20)
    return width + 2 < shortest and x >= margin and x + width <= coarse.shape[1] - margin


def _closed(runs: npt.NDArray[Any], along: Gray) -> Gray:
    """Runs as long as they were before they were eroded, and put together where little is between them."""
    return _gray(cv2.morphologyEx(cv2.dilate(runs, along), cv2.MORPH_CLOSE, along))


def _longest(columns: Gray) -> int:
    """The most columns, of (1, W), that follow each other without a 0."""
    edges = np.flatnonzero(np.diff(columns[0] > 0, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _ends(x: int, line: npt.NDArray[np.bool_], width: int) -> bool:
    """Whether a line along the rows ends on its way from side to side."""
    return max(x, width - x - line.shape[1]) > OPEN * width


def _is_foot(coarse: Gray, found: Line) -> bool:
    """Whether a line is a stroke of a large sign: the sign is hardly wider than it, and about as high."""
    x, y, line = found
    _, labels, stats = components(coarse)
    named = labels[y : y + line.shape[0], x : x + line.shape[1]][line]
    label = int(np.bincount(named[named > 0]).argmax()) if named.any() else 0
    _, _, width, height, _ = stats[label].tolist()
    length = line.shape[1]
    return label > 0 and height >= FOOT * length and width <= 1.25 * length


def _extended(curves: list[Curve]) -> list[Curve]:
    """The lines of a table, those that were lost sight of too early as long as most others are."""
    firsts, lasts = ([int(points[end, 0]) for points, _ in curves] for end in (0, -1))
    first, last = np.median(firsts), np.median(lasts)
    longer = []
    for points, pen in curves:
        reach = EXTENDED * (points[-1, 0] - points[0, 0])
        ends = []
        for end, inner, wanted in (
            (0, 2, max(first, points[0, 0] - reach)),
            (-1, -3, min(last, points[-1, 0] + reach)),
        ):
            here, before = points[end].astype(np.float64), points[max(inner, -len(points))]
            beyond = (wanted - here[0]) * (-1 if end == 0 else 1)
            step = here - before
            ends.append(here + step * (wanted - here[0]) / step[0] if beyond > 0 and step[0] else here)
        whole = np.concatenate([ends[:1], points, ends[1:]])
        longer.append((whole.round().astype(np.int32), pen))
    return longer


def _scaled(line: tuple[Doubles, float], scale: float) -> Curve:
    return (line[0] * scale).round().astype(np.int32), max(1, round(line[1] * scale))


def _long(runs: Gray, shortest: float) -> list[Line]:
    """The connected runs of at least this width: their corner, and they themselves in their box."""
    _, labels, stats = components(runs)
    found = np.flatnonzero(stats[:, cv2.CC_STAT_WIDTH] >= shortest)
    boxes = [(label, *(int(number) for number in stats[label, :4])) for label in found[found > 0]]
    return [(x, y, labels[y : y + h, x : x + w] == label) for label, x, y, w, h in boxes]


def _thin(line: npt.NDArray[np.bool_]) -> float:
    """A line's thickness in coarse pixels: the lowest tenth over its columns, for signs may hang on it."""
    return percentile(np.count_nonzero(line, axis=0), BARE_COLUMNS) - (SLOPE_ROOM - 1)


def _behind(runs: Gray, thickest: float, shortest: float) -> list[Line]:
    """The lines in runs that are too thick to be one: digits stand on them, or reach from one to the next.

    What is thicker than any line is taken out; the line goes on behind it.
    """
    tall = np.ones((SLOPE_ROOM + round(thickest) + 1, 1), np.uint8)
    thin = cv2.subtract(runs, cv2.morphologyEx(runs, cv2.MORPH_OPEN, tall))
    across = np.ones((1, max(9, round(BEHIND * runs.shape[1]))), np.uint8)
    return _long(_gray(cv2.morphologyEx(thin, cv2.MORPH_CLOSE, across)), shortest)


def _gray(picture: npt.NDArray[np.generic]) -> Gray:
    return picture.astype(np.uint8, copy=False)
