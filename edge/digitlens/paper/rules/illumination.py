"""Gray picture -> its light: how bright its paper is everywhere, and where there is none.

The paper is a coarse closing of the picture; what varies slowly is kept on a grid of cells.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Window = tuple[slice, slice]
"""Rows and columns of a picture."""

CELL = 8
"""Pixels of the coarse grid's step."""
POLARITY_SIDE = 80
"""Pixels of the longer side at which light on dark is told from dark on light."""
DARKEST_PAPER = 0.4
"""Of the bright paper's level: what is darker is no paper in a shadow but the table behind the sheet."""
SHARP = 0.85
"""Of the brightness two cells outside: what is darker two cells inside has an edge there."""
BLACK = 8.0
"""Gray levels below which nothing can be told from the darkness of a covered lens."""


@dataclass(frozen=True)
class Illumination:
    """A picture, dark ink on light paper, a little blurred, (H, W) uint8, and its light on the coarse grid.

    `paper` is its paper's brightness, 1 at the least; `background` is 255 where there is none, if that is
    anywhere.
    """

    soft: Gray
    paper: Floats
    background: Gray | None

    def contrast(self, where: Window, paper: Gray, into: Gray) -> None:
        """Of a part of the picture, of whose pixels this is the paper: how much darker they are."""
        size = self.soft.shape[1], self.soft.shape[0]
        self._darker(self.soft[where], paper, size, where, into)

    def contrast_of(self, cells: Gray) -> Gray:
        """The same of a gray level for each cell."""
        found = cv2.convertScaleAbs(np.maximum(255 - np.float32(255) * cells / self.paper, 0))
        return _gray(found if self.background is None else cv2.subtract(found, self.background))

    def rows(self) -> Gray:
        """The contrast of every eighth row of the picture."""
        rows = np.ascontiguousarray(self.soft[::8])
        size = rows.shape[1], rows.shape[0]
        self._darker(rows, enlarged(self.paper, size), size, (slice(None), slice(None)), rows)
        return rows

    def _darker(self, gray: Gray, paper: Gray, size: tuple[int, int], where: Window, into: Gray) -> None:
        """How much darker than its paper the part `where` of a picture of this size is, which is `gray`."""
        cv2.divide(gray, paper, dst=into, scale=255)
        cv2.bitwise_not(into, dst=into)
        if self.background is not None:
            background = cv2.resize(self.background, size, interpolation=cv2.INTER_NEAREST)
            cv2.subtract(into, background[where], dst=into)


def estimate_illumination(gray: Gray) -> Illumination:
    """(H, W) uint8, dark ink on light paper or the reverse -> its light."""
    coarse = _coarse(gray)
    if _is_blackboard(coarse if max(coarse.shape) >= POLARITY_SIDE else gray):
        gray, coarse = _gray(cv2.bitwise_not(gray)), _gray(cv2.bitwise_not(coarse))
    paper = _paper(coarse.astype(np.float32))
    return Illumination(
        _gray(cv2.GaussianBlur(gray, (3, 3), 0)), np.maximum(paper, 1), _background_mask(paper)
    )


def _coarse(gray: Gray) -> Gray:
    """The picture on the coarse grid, each cell the mean of its pixels."""
    height, width = gray.shape
    if height % CELL or width % CELL:
        return _gray(cv2.resize(gray, grid(gray), interpolation=cv2.INTER_AREA))
    # By halves and quarters it is the same but for a fraction of a level, in half the time.
    half = cv2.resize(gray, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return _gray(cv2.resize(half, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA))


def _is_blackboard(gray: Gray) -> bool:
    """Whether what stands out from its surroundings is lighter than they are."""
    shrink = max(1.0, max(gray.shape) / POLARITY_SIDE)
    size = max(1, round(gray.shape[1] / shrink)), max(1, round(gray.shape[0] / shrink))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    around = cv2.medianBlur(small, 9)
    inner = np.s_[size[1] // 16 : size[1] - size[1] // 16, size[0] // 16 : size[0] - size[0] // 16]
    lighter, darker = cv2.subtract(small, around)[inner], cv2.subtract(around, small)[inner]
    return float(np.sum(lighter, dtype=np.int64)) > 1.5 * float(np.sum(darker, dtype=np.int64))


def _background_mask(paper: Floats) -> Gray | None:
    """Where no paper is, 255 on the coarse grid: a covered lens, or the table behind the sheet.

    Both the table and a deep shade are much darker than the sheet; the table begins at an edge. None: there
    is paper everywhere.
    """
    darkest, brightest, _, _ = cv2.minMaxLoc(paper)
    if darkest > max(BLACK, DARKEST_PAPER * brightest):
        return None
    _, black = cv2.threshold(paper, BLACK, 255, cv2.THRESH_BINARY_INV)
    background = _gray(black)
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
            background[region.astype(bool)] = 255
    return background if cv2.countNonZero(background) else None


def _paper(coarse: Floats) -> Floats:
    """The paper's brightness under the ink: closing fills strokes of at most `reach` cells."""
    reach = max(3, 2 * round(max(coarse.shape) / 40) + 1)
    # The border is continued by its own slope, so that a vignette does not end in a dark frame.
    margin = reach if min(coarse.shape) > reach else 0
    framed = np.pad(coarse, margin, mode="reflect", reflect_type="odd") if margin else coarse
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    inner = closed[margin:-margin, margin:-margin] if margin else closed
    return cv2.blur(inner, (3, 3)).astype(np.float32, copy=False)


class Spot:
    """A part of the picture, for coarse grids to be enlarged to it, as a part of the whole enlarged."""

    def __init__(self, picture: Gray, where: Window) -> None:
        self._size, self._where = (picture.shape[1], picture.shape[0]), where

    def enlarged(self, coarse: Floats) -> Gray:
        """Of a grid of the whole picture, 8 bits for each pixel of the part."""
        rows, columns = self._where
        if (columns.stop - columns.start, rows.stop - rows.start) == self._size:
            return enlarged(coarse, self._size)
        # The part is of whole cells; to its edges the cells beyond count, too.
        top, left = max(0, rows.start // CELL - 1), max(0, columns.start // CELL - 1)
        bottom, right = rows.stop // CELL + 1, columns.stop // CELL + 1
        cells = coarse[top:bottom, left:right]
        large = enlarged(cells, (cells.shape[1] * CELL, cells.shape[0] * CELL))
        y, x = rows.start - top * CELL, columns.start - left * CELL
        return large[y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def grid(picture: Gray) -> tuple[int, int]:
    """The width and height of a picture's coarse grid."""
    return max(1, round(picture.shape[1] / CELL)), max(1, round(picture.shape[0] / CELL))


def enlarged(coarse: Floats, size: tuple[int, int]) -> Gray:
    """A coarse grid's values -> 8 bits at full size (width, height)."""
    return _gray(cv2.resize(np.clip(coarse, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR))


def _gray(picture: npt.NDArray[np.generic]) -> Gray:
    return picture.astype(np.uint8, copy=False)
