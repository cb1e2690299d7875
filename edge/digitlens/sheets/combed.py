"""A comb's ink side by side, as the row network reads it: a witness that sees digits that touch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.rows.crop import CROP_HEIGHT, PAD
from digitlens.rows.recognizer import SEPARATOR, STEP, RowRecognizer
from digitlens.sheets.cells import Cell, Millimeters, measured

CLOSEST = 1e-4
"""Smallest probability that a digit is left with."""


@dataclass(frozen=True)
class RowDigits:
    """What the row network reads in a strip: (N, 10) probabilities, and the column of each digit."""

    probabilities: Doubles
    columns: tuple[float, ...]


@dataclass(frozen=True)
class Strip:
    """The cells' ink in a row, without the paper between them.

    Attributes:
        picture: (CROP_HEIGHT, W) uint8, white ink on black.
        spans: first and last column of each ink, pixels of the picture.
        scale: of the inks.
    """

    picture: Gray
    spans: tuple[tuple[int, int], ...]
    scale: float

    def column_between(self, number: int, digits: RowDigits) -> float:
        """The column of an ink, in its own pixels, between two of the strip's digits, both of them its own.

        `number` is that of the ink and of the first of the two. The row network's columns may be some pixels
        off: it is one of the middle half.
        """
        start, end = self.spans[number]
        middle = (digits.columns[number] + digits.columns[number + 1]) / 2 - start
        quarter = (end - start) / 4
        return min(max(middle, quarter), 3 * quarter) / self.scale


def strip_of(cells: Sequence[Cell], per_mm: float, parameters: CellParameters) -> Strip:
    """The strip of cells that all hold ink."""
    boxes = np.array([cell.box for cell in cells])
    top, bottom = float(boxes[:, 1].min()), float((boxes[:, 1] + boxes[:, 3]).max())
    pad = PAD / (1 + 2 * PAD) * CROP_HEIGHT
    scale = (CROP_HEIGHT - 2 * pad) / max(1.0, (bottom - top) * per_mm)
    widest = parameters.strip_gap * float(np.median(boxes[:, 3]))
    place, before, parts = pad, float(boxes[0, 0]), []
    for cell, (x, y, wide, _) in zip(cells, boxes.tolist(), strict=True):
        place += min(x - before, widest) * per_mm * scale
        high = max(1, min(CROP_HEIGHT, round(cell.ink.shape[0] * scale)))
        size = max(1, round(cell.ink.shape[1] * scale)), high
        left = max(0, round(place))
        down = min(round(pad + (y - top) * per_mm * scale), CROP_HEIGHT - high)
        parts.append((cell.ink, size, left, max(0, down)))
        place, before = left + size[0], x + wide
    picture = np.zeros((CROP_HEIGHT, round(place + pad)), np.uint8)
    for ink, size, left, down in parts:
        small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        part = picture[down : down + size[1], left : left + size[0]]
        np.maximum(part, small[:, : part.shape[1]], out=part)
    return Strip(picture, tuple((left, left + size[0]) for _, size, left, _ in parts), scale)


def row_digits(strip: Strip, recognizer: RowRecognizer) -> RowDigits:
    """The digits that the row network reads in a strip; other signs are left out."""
    signs = [sign for sign in recognizer.read(strip.picture).signs if sign.label < SEPARATOR]
    found = np.array([sign.probabilities[:SEPARATOR] for sign in signs], np.float64).reshape(-1, 10)
    found = np.maximum(found, CLOSEST)
    columns = tuple((sign.column + 0.5) * STEP for sign in signs)
    return RowDigits(found / found.sum(axis=1, keepdims=True), columns)


def parted(cell: Cell, column: float, place: Millimeters, per_mm: float) -> tuple[Cell, Cell] | None:
    """A cell's ink cut at a column of it: the left and the right part; None where one has no ink.

    Pieces of ink that lie on one side stay whole. `place` is the empty cell beside it that one part moves to,
    millimeters.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((cell.ink > 0).astype(np.uint8), connectivity=8)
    starts, widths = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_WIDTH]
    share = (column - starts) / np.maximum(widths, 1)  # of each piece on the left
    left_of = np.where(share >= 0.75, np.inf, np.where(share <= 0.25, -np.inf, column))
    is_left = np.arange(cell.ink.shape[1]) + 0.5 < left_of[labels]
    is_ink = labels > 0
    cut = float(is_ink[:, min(max(round(column), 0), cell.ink.shape[1] - 1)].sum()) / (per_mm * cell.place[3])
    is_first = place[0] < cell.place[0]
    parts = []
    for mask, own in ((is_ink & is_left, is_first), (is_ink & ~is_left, not is_first)):
        box = place if own else cell.place
        one = measured(np.where(mask, cell.ink, 0).astype(np.uint8), cell.box[:2], box, per_mm)
        if one is None:
            return None
        pieces = len(np.unique(labels[mask]))
        parts.append(replace(one, pieces=pieces, cut=max(cell.cut, cut), level=cell.level, pen=cell.pen))
    return parts[0], parts[1]
