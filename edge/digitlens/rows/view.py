"""RowView: where a row's crop lies in the picture, from the picture into the crop and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from statistics import median

import cv2
import numpy as np

from digitlens.config.parameters.rows import RowParameters
from digitlens.core.arrays import Gray
from digitlens.core.readings import Box
from digitlens.paper.page import Glyph
from digitlens.rows.crop import PAD, crop_row, crop_size
from digitlens.rows.recognizer import STEP


@dataclass(frozen=True)
class RowView:
    """A crop's sides in the picture, the slope that it levels, and the column where that lifts nothing."""

    left: float
    right: float
    top: float
    bottom: float
    slope: float
    anchor: float

    @classmethod
    def around(cls, glyphs: Sequence[Glyph], box: Box, slope: float, parameters: RowParameters) -> "RowView":
        """The view of a row with paper around it; `box` is the row's, `slope` is down for each right."""
        x, _, width, _ = box
        anchor = x + width / 2
        slope = slope if abs(slope) >= parameters.least_slope else 0.0
        lifts = [slope * (glyph.box[0] + glyph.box[2] / 2 - anchor) for glyph in glyphs]
        top = min(glyph.box[1] - lift for glyph, lift in zip(glyphs, lifts, strict=True))
        bottom = max(glyph.box[1] + glyph.box[3] - lift for glyph, lift in zip(glyphs, lifts, strict=True))
        height = bottom - top
        typical = median(glyph.box[3] for glyph in glyphs)
        if typical < parameters.least_glyph_height * height:  # something sticks far out of the row
            middle = median(
                glyph.box[1] + glyph.box[3] / 2 - lift for glyph, lift in zip(glyphs, lifts, strict=True)
            )
            height = typical / parameters.least_glyph_height
            top, bottom = middle - height / 2, middle + height / 2
        top, bottom = top - PAD * height, bottom + PAD * height
        margin = parameters.crop_margin * height
        return cls(x - margin, x + width + margin, top, bottom, slope, anchor)

    def crop(self, contrast: Gray) -> Gray:
        """The row crop; `contrast` (H, W) uint8 is how much darker than its paper a pixel is."""
        if not self.slope:
            return crop_row(contrast, self.top, self.bottom, self.left, self.right)
        # Only what the crop shows is leveled.
        x0, x1 = max(0, floor(self.left) - 1), min(contrast.shape[1], ceil(self.right) + 2)
        y0, y1 = max(0, floor(self.top) - 1), min(contrast.shape[0], ceil(self.bottom) + 2)
        part = np.array([[1, 0, x0], [self.slope, 1, y0 + self.slope * (x0 - self.anchor)]])
        level = cv2.warpAffine(
            contrast, part, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        ).astype(np.uint8, copy=False)
        return crop_row(level, self.top - y0, self.bottom - y0, self.left - x0, self.right - x0)

    def ink_box(self, start: float, end: float, mask: Gray) -> Box:
        """The box of the ink between two output columns; `mask` (H, W) uint8 is the picture's ink."""
        height, width = mask.shape
        x0 = _clamped(self.left + start * STEP * self._scale, 0, width - 1)
        x1 = _clamped(self.left + end * STEP * self._scale, x0 + 1, width)
        lift = self.slope * ((x0 + x1) / 2 - self.anchor)
        y0 = _clamped(self.top + lift, 0, height - 1)
        y1 = _clamped(self.bottom + lift, y0 + 1, height)
        left, top, wide, high = cv2.boundingRect(mask[y0:y1, x0:x1])
        if not wide:
            return x0, y0, x1 - x0, y1 - y0
        return x0 + left, y0 + top, wide, high

    def crop_x(self, box: Box) -> float:
        """The pixel across the crop where a box's center is."""
        return (box[0] + box[2] / 2 - self.left) / self._scale

    @cached_property
    def _scale(self) -> float:
        """Pixels of the picture for one of the crop."""
        return (self.right - self.left) / crop_size(self.top, self.bottom, self.left, self.right)[0]


def _clamped(value: float, least: int, most: int) -> int:
    return int(min(max(value, least), most))
