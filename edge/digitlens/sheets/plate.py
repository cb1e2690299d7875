"""A flattened page -> what is written on it, without the form's own print.

Pages are large: most steps take a strip of rows after the other, which stays in the processor's cache, and
write over what they have read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Floats

BARE = 0.02
"""Darkness of the print up to which paper is bare."""
MOST_GRAIN = 0.3
"""Darkness of bare paper up to which it is grain."""
BAND = 60.0
"""Height of the part of a page on which its print's blur is looked for, millimeters."""
SOFTEST = 0.3
"""Smallest blur of print, pixels."""
MOST_NOISE = 0.1
"""Largest standard deviation of its darkness that is believed; more is ink."""
STRIP = 96
"""Height of the part of a page that is worked on at a time, pixels."""
REACH = 4
"""How far OpenCV's Gaussian reaches, its standard deviations."""


@dataclass(frozen=True)
class Plate:
    """A flattened page: what is dark on it, and what is printed; (H, W) float32 darkness each.

    Attributes:
        written: darkness beside the print, 0 to 1.
        beside: darkness that print near its place does not explain, 0 to 1.
        per_mm: pixels a millimeter.
        noise: standard deviation of the darkness of bare paper.
        level: darkness of the page's ink; 0 where there is none.
        blur: of the print in the picture, standard deviation, millimeters.
    """

    written: Floats
    beside: Floats
    per_mm: float
    noise: float
    level: float
    blur: float


class Softened(NamedTuple):
    """Pixels of the print under one blur: the darkness of each, and which of them are dark."""

    blur: float
    dark: Floats
    is_strong: npt.NDArray[np.bool_]


class Print:
    """A blank page, and what every picture of it is compared with, at one resolution.

    Attributes:
        dark: (H, W) float32, 0 paper to 1 black.
        bare: places of bare paper, of the flattened array.
        lined: places of printed lines and their surroundings, of the flattened array.
        softened: those under each blur.
    """

    def __init__(self, dark: Floats, per_mm: float, parameters: CellParameters) -> None:
        self.dark, self.per_mm = dark, per_mm
        broadest = max(parameters.print_blurs) * per_mm
        self.bare = _bare(dark, broadest)
        rows = _most_printed(dark, round(BAND * per_mm))
        part = dark[rows]
        near = cv2.GaussianBlur(part, (0, 0), broadest)
        lined = np.flatnonzero((near > 0.5 * BARE) & (near < 0.5))[::5]
        self.lined = (lined + rows.start * dark.shape[1]).astype(np.int32)
        self.softened: list[Softened] = []
        for blur in parameters.print_blurs if lined.size else ():
            soft = cv2.GaussianBlur(part, (0, 0), max(SOFTEST, blur * per_mm)).ravel()[lined]
            self.softened.append(Softened(blur, soft, soft > np.percentile(soft, 70)))


def without_print(seen: Floats, blank: Print, parameters: CellParameters) -> Plate:
    """A flattened page (H, W) float32 darkness, which is written over -> the ink beside the print.

    Light passes ink and the line under it one after the other: dividing by the line's part leaves the ink's.
    The print is blurred as this picture blurs it. Where print a little beside its place would explain what
    is dark there is no ink; elsewhere only the print in its place is divided out, so that strokes across
    lines keep their darkness.
    """
    per_mm = blank.per_mm
    # The light is estimated from the brightest places near: grainy paper is a little darker than that.
    bare = seen.ravel()[blank.bare]
    middle, high = np.percentile(bare, (50, 84)) if bare.size else (0.0, 0.0)
    noise = min(float(high - middle), MOST_NOISE)
    if middle < MOST_GRAIN:
        seen -= np.float32(middle)
        np.maximum(seen, 0, out=seen)
        seen *= np.float32(1 / (1 - middle))
    gain, blur = _blur(seen, blank, parameters)
    beside = np.empty_like(seen)
    sigma = max(SOFTEST, blur * per_mm)
    side = 2 * max(1, round(parameters.print_margin * per_mm)) + 1
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    least = np.float32(parameters.least_light)
    for rows, around, inner in _strips(len(seen), _reach(sigma) + side):
        soft = cv2.GaussianBlur(blank.dark[around], (0, 0), sigma)
        broad, soft = cv2.dilate(soft, near)[inner], soft[inner]
        light = 1 - seen[rows]
        off = 1 - light / np.maximum(1 - gain * broad, least)
        off[broad > parameters.solid_print] = 0
        written = 1 - light / np.maximum(1 - gain * soft, least)
        written[off < parameters.unexplained + noise] = 0
        np.clip(written, 0, 1, out=seen[rows])
        np.clip(off, 0, 1, out=beside[rows])
    return Plate(_sharpened(seen, blur * per_mm, parameters), beside, per_mm, noise, 0.0, blur)


def _sharpened(written: Floats, blur: float, parameters: CellParameters) -> Floats:
    """Ink (H, W) without the picture's blur of so many pixels: Van Cittert's iteration.

    Small loops that a blurred picture fills are open again.
    """
    if blur < parameters.least_blur:
        return written
    found = np.zeros_like(written)
    for rows, around, inner in _strips(len(written), parameters.sharpenings * _reach(blur)):
        ink = written[around]
        if not ink[inner].any():
            continue  # none comes out where none is
        sharp = ink
        for _ in range(parameters.sharpenings):
            soft = cv2.GaussianBlur(sharp, (0, 0), blur)
            sharp = sharp + ink
            sharp -= soft
            np.clip(sharp, 0, 1, out=sharp)
        found[rows] = sharp[inner]
    return found


def _blur(seen: Floats, blank: Print, parameters: CellParameters) -> tuple[float, float]:
    """How dark the print is seen, in parts of its own, and its blur, mm.

    Of several blurs the one is taken that leaves least on and beside the print; what is written there, too,
    counts little in the mean of roots.
    """
    least, gain, blurred = np.inf, 1.0, parameters.print_blurs[0]
    dark = seen.ravel()[blank.lined]
    for blur, soft, is_strong in blank.softened:
        one = float(np.clip(np.median(dark[is_strong] / np.maximum(soft[is_strong], 1e-3)), 0.2, 1.6))
        left = float(np.sqrt(np.abs(dark - one * soft)).mean())
        if left < least:
            least, gain, blurred = left, one, blur
    return gain, blurred


def _bare(dark: Floats, broadest: float) -> npt.NDArray[np.int32]:
    """Every 7th place far from print."""
    width, count = dark.shape[1], 0
    found = []
    for rows, around, inner in _strips(len(dark), _reach(broadest) + 3):
        broad = cv2.blur(cv2.GaussianBlur(dark[around], (0, 0), broadest), (5, 5))[inner]
        places = np.flatnonzero(broad < BARE)
        found.append((places[-count % 7 :: 7] + rows.start * width).astype(np.int32))
        count += len(places)
    return np.concatenate(found)


def _most_printed(blank: Floats, height: int) -> slice:
    """The rows of a page, so many, that hold the most print."""
    if blank.shape[0] <= height:
        return slice(0, blank.shape[0])
    print_above = np.concatenate([[0.0], np.cumsum(blank.sum(axis=1, dtype=np.float64))])
    start = int(np.argmax(print_above[height:] - print_above[:-height]))
    return slice(start, start + height)


def _reach(sigma: float) -> int:
    return int(np.ceil(REACH * sigma)) + 1


def _strips(height: int, reach: int) -> Iterator[tuple[slice, slice, slice]]:
    """Strips of a page: their rows, those with `reach` more on either side, and the rows within these."""
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        low, high = max(0, top - reach), min(height, bottom + reach)
        yield slice(top, bottom), slice(low, high), slice(top - low, bottom - low)
