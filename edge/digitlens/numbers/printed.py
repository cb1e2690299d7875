"""Which numbers are printed: where most of their ink is print."""

from collections.abc import Sequence

import msgspec
import numpy as np

from digitlens.core.readings import Number
from digitlens.paper.network import DIGIT, PRINT
from digitlens.paper.page import Glyph


def marked_printed(numbers: Sequence[Number], glyphs: Sequence[Glyph]) -> tuple[Number, ...]:
    """The numbers, `printed` where more than half of the ink of the glyphs in their digits is print.

    A glyph is in a digit whose box has the glyph's middle; its ink counts by its area in pixels.
    """
    if not numbers or not glyphs:
        return tuple(numbers)
    boxes = np.array([digit.box for one in numbers for digit in one.digits], np.float64)  # (D, 4)
    corners, sizes = np.split(boxes[:, np.newaxis], 2, axis=2)
    around = np.array([glyph.box for glyph in glyphs], np.float64)
    middles = around[:, :2] + around[:, 2:] / 2
    inside = ((corners <= middles) & (middles <= corners + sizes)).all(axis=2)  # (D, glyphs)
    first = np.cumsum([0, *(len(one.digits) for one in numbers[:-1])])
    own = np.logical_or.reduceat(inside, first)  # (numbers, glyphs)
    areas = np.array([np.count_nonzero(glyph.ink) for glyph in glyphs])
    classes = np.array([glyph.classes for glyph in glyphs])
    majority = own @ (areas * (classes[:, PRINT - DIGIT] - classes.sum(axis=1) / 2))
    return tuple(
        msgspec.structs.replace(one, printed=bool(printed))
        for one, printed in zip(numbers, majority > 0, strict=True)
    )
