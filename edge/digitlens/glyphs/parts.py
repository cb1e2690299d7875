"""Pieces of glyphs: a glyph cut at its seams, and pieces put together as one."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import union
from digitlens.glyphs import seams as cuts
from digitlens.paper.segment import Glyph

Gray = npt.NDArray[np.uint8]

NARROW = 0.35
"""Of its height: a narrower one is not cut."""


@dataclass(frozen=True)
class Part:
    """A piece between seams: its glyph, the number of the glyph it is cut from, the cost of its left seam."""

    glyph: Glyph
    whole: int
    seam: float


def cut_apart(group: list[tuple[int, Glyph]], doubtful: npt.NDArray[np.bool_]) -> list[Part]:
    """The group's glyphs, cut at all their seams, from left to right."""
    parts = []
    for index, glyph in group:
        left, top, width, height = glyph.box
        found = cuts.seams(glyph.ink) if doubtful[index] and width >= NARROW * height else []
        costs = [0.0, *(seam.cost for seam in found)]
        inks = cuts.split(glyph.ink, found) if found else [glyph.ink]
        seam = 0.0
        for ink, cost in zip(inks, costs, strict=True):
            seam = max(seam, cost)
            part = _trimmed(ink, (left, top))
            if part is not None:
                parts.append(Part(part, index, seam))
                seam = 0.0
    return sorted(parts, key=lambda part: part.glyph.box[0] + part.glyph.box[2] / 2)


def joined(glyphs: list[Glyph]) -> Glyph:
    """The glyphs, at least one, as one: the box around them all and their ink."""
    if len(glyphs) == 1:
        return glyphs[0]
    box = union([glyph.box for glyph in glyphs])
    ink = np.zeros((box[3], box[2]), np.uint8)
    for glyph in glyphs:
        x, y, w, h = glyph.box[0] - box[0], glyph.box[1] - box[1], glyph.box[2], glyph.box[3]
        spot = ink[y : y + h, x : x + w]
        np.maximum(spot, glyph.ink, out=spot)
    return Glyph(box, ink)


def _trimmed(ink: Gray, corner: tuple[int, int]) -> Glyph | None:
    left, top, width, height = cv2.boundingRect(ink)
    if not width:
        return None
    own = np.ascontiguousarray(ink[top : top + height, left : left + width])
    return Glyph((corner[0] + left, corner[1] + top, own.shape[1], own.shape[0]), own)
