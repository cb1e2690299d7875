"""Gray picture -> ink: what is darker than the paper around it, in whatever light.

The light is divided out (the background is a coarse closing of the picture), and a pixel is ink if its
contrast is a good part of the strongest nearby. All full-size passes are on 8 bits; what varies slowly
is computed on a coarse grid.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens import tiles

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CELL = tiles.TILE
"""Pixels of the coarse grid's step."""
PALE = 0.2
"""Of the strongest contrast nearby, that ink has at the least, if it is strong for its own stroke."""
REACH = 2
"""Pixels within which a stroke's own strongest contrast is looked for."""
EDGE = 0.4
"""Of the strongest contrast nearby: where a stroke ends. Half would be a blurred stroke's true edge; a
little less keeps a stroke whole where the pen was lifted."""
BOARD = 80
"""Pixels of the longer side at which light on dark is told from dark on light."""
FAINTEST = 20.0
"""Gray levels (of paper at 255) that ink differs from paper at the least, however clean the picture."""
FAINTEST_LINE = 10.0
"""The same for the paper's own lines, which are often paler than ink."""
NOISE = 5.0
"""Standard deviations of the paper's own grain that ink differs at the least."""
DARKEST_PAPER = 0.4
"""Of the bright paper's level: what is darker is no paper in a shadow but the table behind the sheet."""

SHARP = 0.85
"""Of the brightness two cells outside: what is darker two cells inside has an edge there."""
STEP = 0.6
"""Of the brightness on one side of a slender piece: where the other side is darker, it is a sheet's edge."""
SLENDER = 0.5
"""Of its length, the width of such a piece at the most."""
SECOND = np.array([[-1, 0, 2, 0, -1]], np.float32)
"""The second difference of pixels two apart; what is more than 255 of it is an edge, as 255 is."""
AROUND = 3
"""Cells around what may be ink that are looked at, too."""
BLACK = 8.0
"""Gray levels below which nothing can be told from the darkness of a covered lens."""


Part = tuple[slice, slice]
"""Rows and columns of a picture."""


@dataclass(frozen=True)
class Ink:
    """All (H, W) uint8, but for the last two.

    `mask` is 255 where ink is; `faint` also where the contrast is only above the paper's grain; `contrast` is
    how much darker than its paper a pixel is, the paper being 255; `edge` is the contrast at which ink begins
    there, `deep` that above which it is dark enough whatever is beside it. `paper`, (H, W) float32 on a grid
    of CELL pixels, is its brightness. Outside of `part` there is nothing, and `edge` and `deep` are anything.
    """

    mask: Gray
    faint: Gray
    contrast: Gray
    edge: Gray
    deep: Gray
    paper: Floats
    part: Part

    @property
    def sure(self) -> npt.NDArray[np.bool_]:
        """(H, W), where the ink is dark enough whatever is beside it."""
        sure: npt.NDArray[np.bool_] = self.contrast > self.deep
        return sure


def find_ink(gray: Gray) -> Ink:
    """(H, W) uint8, dark ink on light paper or the reverse -> what is ink."""
    light = _light(gray)
    soft, paper = light.soft, light.paper
    grain = cv2.resize(_grain(light.rows(), soft.shape), _grid(soft), interpolation=cv2.INTER_LINEAR)
    grain = np.float32(NOISE) * grain
    floor = np.maximum(np.float32(FAINTEST), grain)
    line_floor = np.maximum(np.float32(FAINTEST_LINE), grain)
    lowest = _lowest(soft)
    strongest = light.contrast_of(lowest)
    strongest = cv2.blur(cv2.dilate(strongest, np.ones((3, 3), np.uint8)), (3, 3)).astype(np.float32)
    mask, faint, contrast = np.zeros((3, *soft.shape), np.uint8)
    edge, deep = np.empty((2, *soft.shape), np.uint8)
    where = _inked(soft.shape, lowest, paper, line_floor)
    ink = Ink(mask, faint, contrast, edge, deep, paper, where)
    if where[0].start == where[0].stop:
        return ink
    spot = _Spot(soft, where)
    mask, faint, contrast, edge, deep = (picture[where] for picture in (mask, faint, contrast, edge, deep))
    light.contrast(where, spot.enlarged(paper), into=contrast)
    deep[:] = spot.enlarged(np.maximum(np.float32(EDGE) * strongest, floor))
    least = spot.enlarged(np.maximum(np.float32(PALE) * strongest, floor))
    # A quick stroke is paler than what is around: it is measured by the strongest of its own width.
    cv2.dilate(contrast, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8), dst=edge)
    cv2.convertScaleAbs(edge, dst=edge, alpha=EDGE)
    cv2.min(cv2.max(edge, least, dst=edge), deep, dst=edge)
    cv2.compare(contrast, edge, cv2.CMP_GT, dst=mask)
    low, high, _, _ = cv2.minMaxLoc(line_floor)
    if int(low) == int(high):  # on clean paper it is the same everywhere
        cv2.threshold(contrast, int(low), 255, cv2.THRESH_BINARY, dst=faint)
    else:
        cv2.compare(contrast, spot.enlarged(line_floor), cv2.CMP_GT, dst=faint)
    return ink


def _inked(shape: tuple[int, ...], lowest: Gray, paper: Floats, floor: Floats) -> Part:
    """Where ink can be at all: a sheet has margins.

    `lowest` is the darkest of each cell, `floor` the contrast that ink must exceed. As grids are enlarged, a
    pixel's paper is no lighter than the lightest of its cell and those around, and so on.
    """
    if shape != (CELL * lowest.shape[0], CELL * lowest.shape[1]):
        return slice(0, shape[0]), slice(0, shape[1])
    around = np.ones((3, 3), np.uint8)
    most = 256 - np.float32(255) * lowest / cv2.dilate(paper, around)
    x, y, width, height = cv2.boundingRect((most > cv2.erode(floor, around)).astype(np.uint8))
    if not width:
        return slice(0, 0), slice(0, 0)
    # A few cells more: what is looked at around a stroke is there, too.
    rows = max(0, y - AROUND) * CELL, min(lowest.shape[0], y + height + AROUND) * CELL
    columns = max(0, x - AROUND) * CELL, min(lowest.shape[1], x + width + AROUND) * CELL
    return slice(*rows), slice(*columns)


class _Spot:
    """A part of the picture, for coarse grids to be enlarged to it, as a part of the whole enlarged."""

    def __init__(self, picture: Gray, where: Part) -> None:
        self._size, self._grid = (picture.shape[1], picture.shape[0]), _grid(picture)
        self._where = where

    def enlarged(self, coarse: Floats) -> Gray:
        """Of a grid of the whole picture, 8 bits for each pixel of the part."""
        rows, columns = self._where
        if (columns.stop - columns.start, rows.stop - rows.start) == self._size:
            return _enlarged(coarse, self._size)
        # The part is of whole cells; to its edges the cells beyond count, too.
        top, left = max(0, rows.start // CELL - 1), max(0, columns.start // CELL - 1)
        bottom, right = rows.stop // CELL + 1, columns.stop // CELL + 1
        cells = coarse[top:bottom, left:right]
        large = _enlarged(cells, (cells.shape[1] * CELL, cells.shape[0] * CELL))
        y, x = rows.start - top * CELL, columns.start - left * CELL
        return large[y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def on_edges(paper: Floats, size: tuple[int, int], boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which slender boxes, of (N, 4), lie along an edge of the sheet: a stroke has paper on both sides.

    `paper` is that of Ink, `size` the picture's width and height.
    """
    x, y, w, h = boxes.T
    found = np.zeros(len(boxes), bool)
    for start, length, thick, down in ((x, w, h, True), (y, h, w, False)):
        along = start[:, np.newaxis] + length[:, np.newaxis] * np.array([0.2, 0.5, 0.8])
        first = (y if down else x)[:, np.newaxis]
        sides = []
        for across in (first - CELL, first + thick[:, np.newaxis] + CELL):
            columns, rows = (along, across) if down else (across, along)
            column = np.clip(columns * (paper.shape[1] / size[0]), 0, paper.shape[1] - 1).astype(np.intp)
            row = np.clip(rows * (paper.shape[0] / size[1]), 0, paper.shape[0] - 1).astype(np.intp)
            sides.append(paper[row, column].mean(axis=1))
        found |= (thick < SLENDER * length) & (np.minimum(*sides) < STEP * np.maximum(*sides))
    return found


@dataclass(frozen=True)
class _Light:
    """A picture, dark ink on light paper, a little blurred, (H, W) uint8, and its light on the coarse grid.

    `paper` is its paper's brightness, 1 at the least; `behind` is 255 where there is none, if that is
    anywhere.
    """

    soft: Gray
    paper: Floats
    behind: Gray | None

    def contrast(self, where: Part, paper: Gray, into: Gray) -> None:
        """Of a part of the picture, of whose pixels this is the paper: how much darker they are."""
        cv2.divide(self.soft[where], paper, dst=into, scale=255)
        cv2.bitwise_not(into, dst=into)
        if self.behind is not None:
            size = self.soft.shape[1], self.soft.shape[0]
            cv2.subtract(
                into, cv2.resize(self.behind, size, interpolation=cv2.INTER_NEAREST)[where], dst=into
            )

    def contrast_of(self, cells: Gray) -> Gray:
        """The same of a gray level for each cell."""
        found = cv2.convertScaleAbs(255 - np.float32(255) * cells / self.paper)
        return _gray(found if self.behind is None else cv2.subtract(found, self.behind))

    def rows(self) -> Gray:
        """The contrast of every eighth row of the picture."""
        rows = np.ascontiguousarray(self.soft[::8])
        size = rows.shape[1], rows.shape[0]
        cv2.divide(rows, _enlarged(self.paper, size), dst=rows, scale=255)
        cv2.bitwise_not(rows, dst=rows)
        if self.behind is not None:
            cv2.subtract(rows, cv2.resize(self.behind, size, interpolation=cv2.INTER_NEAREST), dst=rows)
        return rows


def _light(gray: Gray) -> _Light:
    coarse = _coarse(gray)
    if _is_blackboard(coarse if max(coarse.shape) >= BOARD else gray):
        gray, coarse = _gray(cv2.bitwise_not(gray)), _gray(cv2.bitwise_not(coarse))
    paper = _paper(coarse.astype(np.float32))
    return _Light(_gray(cv2.GaussianBlur(gray, (3, 3), 0)), np.maximum(paper, 1), _behind(paper))


def _coarse(gray: Gray) -> Gray:
    """The picture on the coarse grid, each cell the mean of its pixels."""
    height, width = gray.shape
    if height % CELL or width % CELL:
        return _gray(cv2.resize(gray, _grid(gray), interpolation=cv2.INTER_AREA))
    # By halves and quarters it is the same but for a fraction of a level, in half the time.
    half = cv2.resize(gray, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return _gray(cv2.resize(half, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA))


def _is_blackboard(gray: Gray) -> bool:
    """Whether what stands out from its surroundings is lighter than they are."""
    shrink = max(1.0, max(gray.shape) / BOARD)
    size = max(1, round(gray.shape[1] / shrink)), max(1, round(gray.shape[0] / shrink))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    around = cv2.medianBlur(small, 9)
    inner = np.s_[size[1] // 16 : size[1] - size[1] // 16, size[0] // 16 : size[0] - size[0] // 16]
    lighter, darker = cv2.subtract(small, around)[inner], cv2.subtract(around, small)[inner]
    return float(np.sum(lighter, dtype=np.int64)) > 1.5 * float(np.sum(darker, dtype=np.int64))


def _behind(paper: Floats) -> Gray | None:
    """Where no paper is, 255 on the coarse grid: a covered lens, or the table behind the sheet.

    Both the table and a deep shade are much darker than the sheet; the table begins at an edge. None: there
    is paper everywhere.
    """
    darkest, brightest, _, _ = cv2.minMaxLoc(paper)
    if darkest > max(BLACK, DARKEST_PAPER * brightest):
        return None
    _, black = cv2.threshold(paper, BLACK, 255, cv2.THRESH_BINARY_INV)
    behind = _gray(black)
    _, dark = cv2.threshold(
        paper, DARKEST_PAPER * float(np.percentile(paper, 90)), 255, cv2.THRESH_BINARY_INV
    )
    count, labels = cv2.connectedComponents(_gray(dark), connectivity=8)
    around = np.ones((5, 5), np.uint8)
    for label in range(1, count):
        region = (labels == label).astype(np.uint8)
        inside = paper[(region - cv2.erode(region, around)).astype(bool)]
        outside = paper[(cv2.dilate(region, around) - region).astype(bool)]
        if inside.size and outside.size and np.median(inside) < SHARP * np.median(outside):
            behind[region.astype(bool)] = 255
    return behind if cv2.countNonZero(behind) else None


def _paper(coarse: Floats) -> Floats:
    """The paper's brightness under the ink: closing fills strokes of at most `reach` cells."""
    reach = max(3, 2 * round(max(coarse.shape) / 40) + 1)
    # The border is continued by its own slope, so that a vignette does not end in a dark frame.
    margin = reach if min(coarse.shape) > reach else 0
    framed = np.pad(coarse, margin, mode="reflect", reflect_type="odd") if margin else coarse
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    inner = closed[margin:-margin, margin:-margin] if margin else closed
    return cv2.blur(inner, (3, 3)).astype(np.float32, copy=False)


def _grain(rows: Gray, shape: tuple[int, ...]) -> Floats:
    """The standard deviation of the paper's grain on a grid of 4 cells, from second differences.

    `rows` is the contrast of every eighth row of a picture of this shape.
    """
    if rows.shape[1] < 5:
        return np.zeros((1, 1), np.float32)
    steps = cv2.convertScaleAbs(cv2.filter2D(rows, cv2.CV_16S, SECOND))[:, 2:-2]
    # Of whole numbers a median is quickly counted; every second row will do.
    counts = cv2.calcHist([np.ascontiguousarray(steps[::2])], [0], None, [256], [0, 256])
    seen = np.cumsum(counts, dtype=np.float64)
    usual = float(np.searchsorted(seen, seen[-1] / 2)) / 0.6745
    # A stroke is no grain: it counts as three standard deviations of the picture's own at the most.
    second = np.minimum(steps.astype(np.float32), np.float32(3 * usual))
    size = max(1, shape[1] // (4 * CELL)), max(1, shape[0] // (4 * CELL))
    if min(size) < 4:  # too small a picture to tell where it is grainy: strokes would count for grain
        return np.full((1, 1), usual / 6**0.5, np.float32)
    # The mean of a few rows first: a third of the time.
    few = len(second) // size[1]
    sums = second[: few * size[1]].reshape(size[1], few, -1).sum(axis=1)
    local = cv2.blur(cv2.resize(sums, size, interpolation=cv2.INTER_AREA), (5, 5)) / np.float32(few)
    # The mean of |x| is 0.798 standard deviations, those of a second difference are root 6 of a pixel's.
    grain: Floats = local.astype(np.float32) / np.float32(0.798 * 6**0.5)
    return grain


def _lowest(gray: Gray) -> Gray:
    """The least gray level of each cell."""
    cells = cv2.erode(gray, np.ones((CELL, 1), np.uint8))[CELL // 2 :: CELL]
    cells = cv2.erode(cells, np.ones((1, CELL), np.uint8))[:, CELL // 2 :: CELL]
    return _gray(cv2.resize(cells, _grid(gray), interpolation=cv2.INTER_NEAREST))


def _grid(picture: Gray) -> tuple[int, int]:
    return max(1, round(picture.shape[1] / CELL)), max(1, round(picture.shape[0] / CELL))


def _enlarged(coarse: Floats, size: tuple[int, int]) -> Gray:
    """A coarse grid's values -> 8 bits at full size (width, height)."""
    return _gray(cv2.resize(np.clip(coarse, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR))


def _gray(picture: npt.NDArray[np.generic]) -> Gray:
    return picture.astype(np.uint8, copy=False)
