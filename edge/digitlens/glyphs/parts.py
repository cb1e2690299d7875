"""Pieces of glyphs: a glyph cut at its seams, and pieces put together as one."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.glyphs import GlyphParameters
from digitlens.core.arrays import Gray
from digitlens.core.readings import union
from digitlens.glyphs.seams import find_seams, split
from digitlens.paper.page import Glyph

DEFAULT = GlyphParameters()


@dataclass(frozen=True)
class Part:
    """A piece between seams: as a glyph, the index of the glyph that it is cut from, its left seam's cost."""

    glyph: Glyph
    glyph_index: int
    seam_cost: float


def cut_apart(
    group: list[tuple[int, Glyph]], doubtful: npt.NDArray[np.bool_], parameters: GlyphParameters = DEFAULT
) -> list[Part]:
    """The group's glyphs, each with its index, from left to right; `doubtful` ones (N,) cut at all seams."""
    parts = []
    for index, glyph in group:
        left, top, width, height = glyph.box
        is_cut = doubtful[index] and width >= parameters.narrowest_cut * height
        seams = find_seams(glyph.ink, parameters) if is_cut else []
        inks = split(glyph.ink, seams) if seams else [glyph.ink]
        dearest = 0.0
        for ink, cost in zip(inks, [0.0, *(seam.cost for seam in seams)], strict=True):
            dearest = max(dearest, cost)
            part = _trimmed(ink, (left, top), glyph.classes)
            if part is not None:  # between crossing seams there may be no ink
                parts.append(Part(part, index, dearest))
                dearest = 0.0
    return sorted(parts, key=lambda part: part.glyph.box[0] + part.glyph.box[2] / 2)


def joined(glyphs: list[Glyph]) -> Glyph:
    """The glyphs, at least one, as one: the box around all and their ink."""
    if len(glyphs) == 1:
        return glyphs[0]
    box = union([glyph.box for glyph in glyphs])
    ink = np.zeros((box[3], box[2]), np.uint8)
    for glyph in glyphs:
        x, y, w, h = glyph.box[0] - box[0], glyph.box[1] - box[1], glyph.box[2], glyph.box[3]
        spot = ink[y : y + h, x : x + w]
        np.maximum(spot, glyph.ink, out=spot)
    weights = np.array([glyph.box[2] * glyph.box[3] for glyph in glyphs], np.float64)
    digit, writing, print_ = np.average([glyph.classes for glyph in glyphs], axis=0, weights=weights).tolist()
    return Glyph(box, ink, (digit, writing, print_))


def _trimmed(ink: Gray, corner: tuple[int, int], classes: tuple[float, float, float]) -> Glyph | None:
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return None
    own = np.ascontiguousarray(ink[top : top + height, left : left + width])
    return Glyph((corner[0] + left, corner[1] + top, own.shape[1], own.shape[0]), own, classes)
