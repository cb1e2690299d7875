"""A form's page as it was printed: how dark it is at each place, and where texts stand."""

from functools import cached_property

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens.sheets import printing
from digitlens.sheets.code import Code
from digitlens.sheets.fields import Template
from digitlens.sheets.pages import Layout, MmBox, Text
from digitlens.sheets.typesetting import MM_PER_POINT, text_width

RISE, DROP = 0.78, 0.26
"""Height of a text above its baseline and below, sizes of its font."""
TEXT_MARGIN = 0.3
"""Paper around a text on which its ink may lie, too, millimeters."""
FINE = 8
"""Pixels a module of the code that is drawn over a page."""
MASTER = 10
"""Resolution at which a page is drawn once, pixels a millimeter."""


class BlankPage:
    """One page, at any resolution; (H, W) with pixel (0, 0) at the paper's top left corner."""

    def __init__(self, template: Template, layout: Layout, page: int) -> None:
        self.layout, self.page = layout, page
        self._template = template
        self._dark: dict[float, Floats] = {}

    @cached_property
    def _master(self) -> Gray:
        """The page at MASTER without its code, (H, W) uint8."""
        code = Code(self._template.name, self._template.version, self.page, 0)
        gray = printing.picture(self._template, code, MASTER).copy()
        x, y, side, _ = (round(part * MASTER) for part in self.layout.code)
        gray[y - MASTER : y + side + MASTER, x - MASTER : x + side + MASTER] = 255
        return gray

    def shape(self, per_mm: float) -> tuple[int, int]:
        """Height and width at so many pixels a millimeter."""
        width, height = self.layout.paper_mm
        return round(height * per_mm), round(width * per_mm)

    def darkness(self, per_mm: float, modules: Gray | None = None) -> Floats:
        """(H, W) float32, 0 paper to 1 black: all print; the code by its modules (N, N) uint8, 0 black."""
        if per_mm not in self._dark:
            gray = scaled(self._master, MASTER, self.shape(per_mm), per_mm)
            self._dark[per_mm] = 1 - gray / np.float32(255)
        dark = self._dark[per_mm]
        return dark if modules is None else self._with_code(dark.copy(), per_mm, modules)

    def _with_code(self, dark: Floats, per_mm: float, modules: Gray) -> Floats:
        """Draw the code's modules over a page, in place; their edges may lie anywhere in a pixel."""
        x, y, side, _ = self.layout.code
        fine = len(modules) / side  # modules a millimeter
        large = np.repeat(np.repeat(modules, FINE, axis=0), FINE, axis=1).astype(np.float32)
        framed = cv2.copyMakeBorder(large, FINE, FINE, FINE, FINE, cv2.BORDER_CONSTANT, value=(255,))
        top, left = int((y - 1) * per_mm), int((x - 1) * per_mm)
        size = int((side + 3) * per_mm)
        step = fine * FINE / per_mm
        soft = cv2.GaussianBlur(framed, (0, 0), max(0.4 * step, 0.1))
        start = [
            ((edge + 0.5) / per_mm - place) * fine * FINE - 0.5 + FINE
            for edge, place in ((left, x), (top, y))
        ]
        move = np.array([[step, 0, start[0]], [0, step, start[1]]])
        drawn = cv2.warpAffine(
            soft, move, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(255,),
        )  # fmt: skip
        spot = dark[top : top + size, left : left + size]
        spot[:] = 1 - drawn[: spot.shape[0], : spot.shape[1]] / np.float32(255)
        return dark

    def texts(self, per_mm: float) -> Gray:
        """(H, W) uint8, 255 where a text may be."""
        mask = np.zeros(self.shape(per_mm), np.uint8)
        for text in self.layout.texts:
            if text.page == self.page and text.text:
                _mark(mask, _text_box(text), per_mm)
        return mask


def scaled(picture: Gray, per_mm: float, shape: tuple[int, int], wanted: float) -> Floats:
    """A picture at a smaller resolution, (H, W) float32: a millimeter has exactly `wanted` pixels."""
    step = per_mm / wanted
    soft = cv2.GaussianBlur(picture, (0, 0), 0.4 * step) if step > 1 else picture
    move = np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(soft, move, shape[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.float32)


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


def _mark(mask: Gray, box: MmBox, per_mm: float) -> None:
    x, y, wide, tall = box
    height, width = mask.shape
    rows = slice(max(0, int(y * per_mm)), min(height, int(np.ceil((y + tall) * per_mm))))
    columns = slice(max(0, int(x * per_mm)), min(width, int(np.ceil((x + wide) * per_mm))))
    mask[rows, columns] = 255
