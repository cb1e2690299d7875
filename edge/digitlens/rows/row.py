"""Rows of glyphs: the rows of a page, their slope and parts, and which of them are in doubt."""

from dataclasses import dataclass
from functools import cached_property
from statistics import median

import cv2
import numpy as np

from digitlens.config.parameters.rows import DEFAULT_ROWS, RowParameters
from digitlens.core.arrays import Gray
from digitlens.core.readings import Box, union
from digitlens.paper.page import Glyph
from digitlens.rows.lines import to_rows


@dataclass(frozen=True)
class Row:
    """Glyphs that belong together, left to right.

    `sides` are the columns, start and end, that belong to the row whether or not they have glyphs.
    """

    glyphs: list[Glyph]
    sides: tuple[int, int] | None = None
    parameters: RowParameters = DEFAULT_ROWS

    @cached_property
    def box(self) -> Box:
        """Around all glyphs, and from side to side."""
        x, y, width, height = union(glyph.box for glyph in self.glyphs)
        if self.sides is not None:
            x, width = self.sides[0], self.sides[1] - self.sides[0]
        return x, y, width, height

    @cached_property
    def slope(self) -> float:
        """The slope of the glyphs' centers, down positive; 0 where they are too few or too close."""
        chosen = self.parameters
        if len(self.glyphs) < chosen.slope_glyphs:
            return 0.0
        boxes = np.array([glyph.box for glyph in self.glyphs], np.float64)
        x, y = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2
        if x.max() - x.min() < chosen.slope_length * median(glyph.box[3] for glyph in self.glyphs):
            return 0.0
        return min(max(float(np.polyfit(x, y, 1)[0]), -chosen.largest_slope), chosen.largest_slope)

    def split(self, gap: float) -> list["Row"]:
        """The parts between gaps of more than `gap` glyph heights; a row with sides is not split."""
        height = median(glyph.box[3] for glyph in self.glyphs)
        parts: list[list[Glyph]] = [[]]
        end = self.glyphs[0].box[0]
        for glyph in self.glyphs:
            if glyph.box[0] - end > gap * height:
                parts.append([])
            parts[-1].append(glyph)
            end = max(end, glyph.box[0] + glyph.box[2])
        if len(parts) == 1 or self.sides is not None:
            return [self]
        return [Row(part, parameters=self.parameters) for part in parts]

    def is_doubtful(self, sure: set[Box]) -> bool:
        """Whether the row is tiny, or has a glyph that is wide or has none of the `sure` boxes."""
        chosen = self.parameters
        if median(glyph.box[3] for glyph in self.glyphs) < chosen.tiny_height:
            return True
        wide = chosen.wide_glyph
        return any(glyph.box not in sure or glyph.box[2] > wide * glyph.box[3] for glyph in self.glyphs)

    def has(self, box: Box) -> bool:
        """Whether a box's center is in the row."""
        x, y, width, height = self.box
        center_x, center_y = box[0] + box[2] / 2, box[1] + box[3] / 2
        return x <= center_x <= x + width and y <= center_y <= y + height


def find_rows(
    glyphs: list[Glyph], mask: Gray | None = None, parameters: RowParameters = DEFAULT_ROWS
) -> list[Row]:
    """The rows of a page's glyphs, split at wide gaps.

    `mask` (H, W) uint8 is the page's ink. In a close-up of a single row the row extends as far as there is
    ink: its first or last digit may be no glyph, being cut off or touching a line of the paper.
    """
    rows = to_rows(glyphs, parameters.least_overlap)
    if mask is not None and len(rows) == 1 and (sides := _sides(rows[0], mask, parameters)) is not None:
        return [Row(rows[0], sides, parameters)]
    return [part for row in rows for part in Row(row, None, parameters).split(parameters.row_gap)]


def is_close_up(glyphs: list[Glyph], height: int, parameters: RowParameters) -> bool:
    """Whether a picture of `height` pixels shows little but its writing."""
    heights = [glyph.box[3] for glyph in glyphs]
    return bool(heights) and median(heights) >= parameters.close_up_height * height


def _sides(row: list[Glyph], mask: Gray, parameters: RowParameters) -> tuple[int, int] | None:
    """The first and last columns with ink; None where the picture is no single row, or they add nothing."""
    height, width = mask.shape
    if width < parameters.single_row_aspect * height or not is_close_up(row, height, parameters):
        return None
    x, y, wide, high = union(glyph.box for glyph in row)
    left, _, inked, _ = cv2.boundingRect(mask[y : y + high])
    beyond = parameters.unfound_ink * high
    return (left, left + inked) if left < x - beyond or left + inked > x + wide + beyond else None
