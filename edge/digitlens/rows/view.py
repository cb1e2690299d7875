"""Where a row's strip is in the picture: from the picture into the strip and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box
from digitlens.paper.segment import Glyph
from digitlens.rows.recognizer import PAD, STEP, strip_size, to_strip

Gray = npt.NDArray[np.uint8]

BESIDE = 0.5
"""Of the row's height: what is seen before its first and behind its last glyph."""
LOWEST = 0.45
"""Of a strip's height, that the row's typical glyph has at the least, whatever stands out of the row."""
SKEW = 0.03
"""The slope from which a row is made level first."""


@dataclass(frozen=True)
class RowView:
    """A strip's sides in the picture, the slope that is made level in it, and around which column."""

    left: float
    right: float
    top: float
    bottom: float
    slope: float
    anchor: float

    @classmethod
    def around(cls, glyphs: Sequence[Glyph], box: Box, slope: float) -> "RowView":
        """That of a row: its glyphs, the box around them and by how much they climb; with paper around it."""
        x, _, width, _ = box
        anchor = x + width / 2
        slope = slope if abs(slope) >= SKEW else 0.0
        lifts = [slope * (glyph.box[0] + glyph.box[2] / 2 - anchor) for glyph in glyphs]
        top = min(glyph.box[1] - lift for glyph, lift in zip(glyphs, lifts, strict=True))
        bottom = max(glyph.box[1] + glyph.box[3] - lift for glyph, lift in zip(glyphs, lifts, strict=True))
        height = bottom - top
        typical = median(glyph.box[3] for glyph in glyphs)
        if typical < LOWEST * height:  # something stands far out of the row
            middle = median(
                glyph.box[1] + glyph.box[3] / 2 - lift for glyph, lift in zip(glyphs, lifts, strict=True)
            )
            height = typical / LOWEST
            top, bottom = middle - height / 2, middle + height / 2
        top, bottom = top - PAD * height, bottom + PAD * height
        return cls(x - BESIDE * height, x + width + BESIDE * height, top, bottom, slope, anchor)

    def strip(self, contrast: Gray) -> Gray:
        """The strip, of a picture (H, W) of how much darker than its paper a pixel is."""
        if not self.slope:
            return to_strip(contrast, self.top, self.bottom, self.left, self.right)
        # No more is made level than the strip can see.
        x0, x1 = max(0, floor(self.left) - 1), min(contrast.shape[1], ceil(self.right) + 2)
        y0, y1 = max(0, floor(self.top) - 1), min(contrast.shape[0], ceil(self.bottom) + 2)
        part = np.array([[1, 0, x0], [self.slope, 1, y0 + self.slope * (x0 - self.anchor)]])
        level = cv2.warpAffine(
            contrast, part, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        ).astype(np.uint8, copy=False)
        return to_strip(level, self.top - y0, self.bottom - y0, self.left - x0, self.right - x0)

    def box(self, before: float, after: float, mask: Gray) -> Box:
        """The box of the ink between two columns of the strip; `mask` is the picture's ink."""
        height, width = mask.shape
        x0 = _within(self.left + before * STEP * self._scale, 0, width - 1)
        x1 = _within(self.left + after * STEP * self._scale, x0 + 1, width)
        lift = self.slope * ((x0 + x1) / 2 - self.anchor)
        y0 = _within(self.top + lift, 0, height - 1)
        y1 = _within(self.bottom + lift, y0 + 1, height)
        left, top, wide, high = cv2.boundingRect(mask[y0:y1, x0:x1])
        if not wide:
            return x0, y0, x1 - x0, y1 - y0
        return x0 + left, y0 + top, wide, high

    def across(self, box: Box) -> float:
        """The pixel across the strip where a box's middle is."""
        return (box[0] + box[2] / 2 - self.left) / self._scale

    @cached_property
    def _scale(self) -> float:
        """Pixels of the picture for one of the strip."""
        return (self.right - self.left) / strip_size(self.top, self.bottom, self.left, self.right)[0]


def _within(place: float, least: int, most: int) -> int:
    return int(min(max(place, least), most))
