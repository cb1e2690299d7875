"""A form's page as it was printed: how dark it is at each place, and where texts stand."""

import numpy as np

from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.sheets.pages import FIDUCIAL, Layout, MmBox, Text
from digitlens.sheets.typesetting import MM_PER_POINT, text_width

RISE, DROP = 0.78, 0.26
"""Height of a text above its baseline and below, sizes of its font."""
TEXT_MARGIN = 0.3
"""Paper around a text on which its ink may lie, too, millimeters."""
LINE = 0.25
"""Width of a comb's lines, millimeters."""
PALE = 0.35
"""Darkness of a comb's lines, 1 being black."""


class BlankPage:
    """One page, drawn at any resolution; (H, W) with pixel (0, 0) at the paper's top left corner."""

    def __init__(self, layout: Layout, page: int) -> None:
        self.layout, self.page = layout, page

    def shape(self, per_mm: float) -> tuple[int, int]:
        """Height and width at so many pixels a millimeter."""
        width, height = self.layout.paper_mm
        return round(height * per_mm), round(width * per_mm)

    def darkness(self, per_mm: float, modules: Gray | None = None) -> Floats:
        """(H, W) float32, 0 paper to 1 black: fiducials, combs and lines; texts are left out.

        `modules` (N, N) uint8 are the code's, 0 black.
        """
        dark = np.zeros(self.shape(per_mm), np.float32)
        part = FIDUCIAL / 5
        for mark in self.layout.fiducials:
            for size, level in ((5, 1.0), (3, 0.0), (1, 0.0 if mark.is_open else 1.0)):
                half = size * part / 2
                _fill(dark, (mark.x - half, mark.y - half, 2 * half, 2 * half), level, per_mm)
        if modules is not None:
            x, y, side, _ = self.layout.code
            step = side / len(modules)
            for row, column in np.argwhere(modules < 128).tolist():
                _fill(dark, (x + column * step, y + row * step, step, step), 1.0, per_mm)
        for line in self.layout.lines:
            if line.page == self.page:
                _fill(dark, (line.x, line.y - LINE / 2, line.width, LINE), PALE, per_mm)
        for placed in self.layout.on_page(self.page):
            for box in _comb_lines(placed.cells):
                _fill(dark, box, PALE, per_mm)
        return dark

    def texts(self, per_mm: float) -> Gray:
        """(H, W) uint8, 255 where a text or a separator between cells may be."""
        mask = np.zeros(self.shape(per_mm), np.uint8)
        for text in self.layout.texts:
            if text.page == self.page and text.text:
                _mark(mask, _text_box(text), per_mm)
        return mask


def _comb_lines(cells: tuple[MmBox, ...]) -> list[MmBox]:
    """The lines around and between cells in a row."""
    x, y, _, height = cells[0]
    right = cells[-1][0] + cells[-1][2]
    half = LINE / 2
    lines = [(x - half, edge - half, right - x + LINE, LINE) for edge in (y, y + height)]
    return lines + [(edge - half, y - half, LINE, height + LINE) for edge in [*(cell[0] for cell in cells), right]]


def _text_box(text: Text) -> MmBox:
    size = text.size * MM_PER_POINT
    wide = min(text_width(text.text, text.size) * (1.08 if text.is_bold else 1.0), text.width)
    left = text.x - {"left": 0.0, "center": wide / 2, "right": wide}[text.align]
    return (
        left - TEXT_MARGIN,
        text.y - RISE * size - TEXT_MARGIN,
        wide + 2 * TEXT_MARGIN,
        (RISE + DROP) * size + 2 * TEXT_MARGIN,
    )


def _fill(dark: Floats, box: MmBox, level: float, per_mm: float) -> None:
    """Draw a rectangle, its edges' pixels as far as it covers them."""
    x, y, wide, tall = (side * per_mm for side in box)
    rows, columns = _cover(y, y + tall, dark.shape[0]), _cover(x, x + wide, dark.shape[1])
    if rows is None or columns is None:
        return
    (top, down), (left, across) = rows, columns
    part = dark[top : top + len(down), left : left + len(across)]
    cover = np.outer(down, across).astype(np.float32)
    if level:
        np.maximum(part, cover * np.float32(level), out=part)
    else:
        part *= 1 - cover


def _cover(start: float, end: float, length: int) -> tuple[int, Doubles] | None:
    """The first pixel that an interval touches, and how much of each pixel it covers."""
    start, end = max(0.0, start), min(float(length), end)
    if end <= start:
        return None
    first, last = int(np.floor(start)), int(np.ceil(end))
    places = np.arange(first, last)
    return first, np.minimum(places + 1, end) - np.maximum(places, start)


def _mark(mask: Gray, box: MmBox, per_mm: float) -> None:
    x, y, wide, tall = box
    height, width = mask.shape
    rows = slice(max(0, int(y * per_mm)), min(height, int(np.ceil((y + tall) * per_mm))))
    columns = slice(max(0, int(x * per_mm)), min(width, int(np.ceil((x + wide) * per_mm))))
    mask[rows, columns] = 255


