"""Gray picture -> ink: what is darker than the paper around it, in whatever light.

The illumination is divided out (digitlens.paper.illumination), and a pixel is ink if its contrast is a good
part of the strongest nearby. All passes over pixels are on 8 bits, and most of them only where ink can be;
what varies slowly is computed on a coarse grid.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.paper.rules.illumination import CELL, Spot, Window, estimate_illumination, grid

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

PALE = 0.2
"""Of the strongest contrast nearby, that ink has at the least, if it is strong for its own stroke."""
REACH = 2
"""Pixels within which a stroke's own strongest contrast is looked for."""
EDGE = 0.4
"""Of the strongest contrast nearby: where a stroke ends. Half would be a blurred stroke's true edge; a
little less keeps a stroke whole where the pen was lifted."""
FAINTEST = 20.0
"""Gray levels (of paper at 255) that ink differs from paper at the least, however clean the picture."""
FAINTEST_LINE = 10.0
"""The same for the paper's own lines, which are often paler than ink."""
NOISE = 5.0
"""Standard deviations of the paper's own grain that ink differs at the least."""
STEP = 0.6
"""Of the brightness on one side of a slender piece: where the other side is darker, it is a sheet's edge."""
SLENDER = 0.5
"""Of its length, the width of such a piece at the most."""
SECOND = np.array([[-1, 0, 2, 0, -1]], np.float32)
"""The second difference of pixels two apart; what is more than 255 of it is an edge, as 255 is."""
AROUND = 3
"""Cells around what may be ink that are looked at, too."""


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
    part: Window

    @property
    def sure(self) -> npt.NDArray[np.bool_]:
        """(H, W), where the ink is dark enough whatever is beside it."""
        sure: npt.NDArray[np.bool_] = self.contrast > self.deep
        return sure


def find_ink(gray: Gray) -> Ink:
    """(H, W) uint8, dark ink on light paper or the reverse -> what is ink."""
    light = estimate_illumination(gray)
    soft, paper = light.soft, light.paper
    grain = cv2.resize(_grain(light.rows(), soft.shape), grid(soft), interpolation=cv2.INTER_LINEAR)
    grain = np.float32(NOISE) * grain
    floor = np.maximum(np.float32(FAINTEST), grain)
    line_floor = np.maximum(np.float32(FAINTEST_LINE), grain)
    lowest = _lowest(soft)
    strongest = light.contrast_of(lowest)
    strongest = cv2.blur(cv2.dilate(strongest, np.ones((3, 3), np.uint8)), (3, 3)).astype(np.float32)
    mask, faint, contrast = (np.zeros_like(soft) for _ in range(3))
    edge, deep = np.empty_like(soft), np.empty_like(soft)
    where = _inked(soft.shape, lowest, paper, line_floor)
    ink = Ink(mask, faint, contrast, edge, deep, paper, where)
    if where[0].start == where[0].stop:
        return ink
    spot = Spot(soft, where)
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


def _inked(shape: tuple[int, ...], lowest: Gray, paper: Floats, floor: Floats) -> Window:
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
    return _gray(cv2.resize(cells, grid(gray), interpolation=cv2.INTER_NEAREST))


def _gray(picture: npt.NDArray[np.generic]) -> Gray:
    return picture.astype(np.uint8, copy=False)
