"""What is left beside the dark lines of a form that others have made: it is print, and no ink."""

from dataclasses import replace

import cv2
import numpy as np

from digitlens.config.parameters.sheets import ForeignParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.sheets.plate import SOFTEST, Plate

PRINTED = 0.06
"""Darkness from which a blank's pixel is print."""


def without_residue(plate: Plate, blank: Floats, faintest: float, parameters: ForeignParameters) -> Plate:
    """A plate without the thin remains along print; `blank` (H, W) float32 darkness, as printed.

    The lines of a form by digitlens are pale; those of others are black, and where a camera blurs or sharpens
    them otherwise than taken, their edges are left. A stroke that crosses a line stays, for there is ink on
    both sides; a thick one along a line stays, too.
    """
    per_mm = plate.per_mm
    ink = (plate.written > faintest).astype(np.uint8)
    soft = cv2.GaussianBlur(blank, (0, 0), max(SOFTEST, plate.blur * per_mm))
    margin = parameters.line_margin + plate.blur
    near = cv2.dilate((soft > PRINTED).astype(np.uint8), _disk(margin * per_mm))
    apart = cv2.bitwise_and(ink, 1 - near)
    apart = cv2.morphologyEx(apart, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))  # no specks
    thick = cv2.morphologyEx(ink, cv2.MORPH_OPEN, _disk(parameters.line_stroke / 2 * per_mm))
    kept = cv2.dilate(cv2.bitwise_or(apart, thick), _disk((margin + parameters.line_reach) * per_mm))
    dropped = (near > 0) & (kept == 0)
    written, beside = plate.written.copy(), plate.beside.copy()
    written[dropped] = 0
    beside[dropped] = 0
    return replace(plate, written=written, beside=beside)


def _disk(radius: float) -> Gray:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
