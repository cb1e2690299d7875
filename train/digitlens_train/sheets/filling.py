"""A sheet's print and a hand's writing on it: how dark each pixel of the flat page is."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens.sheets.fields import Field
from digitlens.sheets.pages import Layout, MmBox
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.hand import Hand, Source
from digitlens_train.paper.material import Material
from digitlens_train.sheets.values import Written

HEIGHTS = (0.52, 0.88)
"""Least and largest mean height of a hand's digits, heights of a cell."""
PENS = (0.3, 0.8)
"""Thinnest and thickest pen, millimeters."""
HIGHEST = 9.0
"""Height of a box without cells up to which its digits are taller, millimeters."""
STRAY = 0.06
"""Share of the digits that stray over the lines of their cell."""

Strike = Literal["struck", "corrected"]
"""A digit crossed out, with nothing or with the right digit written beside it."""


@dataclass(frozen=True)
class Style:
    """How a hand fills in a form; lengths in heights of a cell.

    Attributes:
        height: of its digits.
        lift: of the middle of its digits above the cell's middle.
        jitter: standard deviation of a digit's place.
        mark: what it marks ticks and choices with.
    """

    height: float
    lift: float
    jitter: float
    mark: int

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Style":
        """That of any writer."""
        return cls(
            float(random.uniform(*HEIGHTS)), float(random.normal(0, 0.04)), float(random.uniform(0.01, 0.07)),
            int(random.integers(5)),
        )  # fmt: skip


class Filler:
    """One hand with one pen that fills in a page of `per_mm` pixels a millimeter, drawn over its print."""

    def __init__(
        self, tone: Gray, random: np.random.Generator, material: Material, per_mm: float, cell_height: float,
        source: Source | None,
    ) -> None:  # fmt: skip
        self.random, self.per_mm = random, per_mm
        self.style = Style.draw(random)
        rows, columns = tone.shape
        self.canvas = Canvas(rows, columns)
        self.canvas.tone[:] = tone
        pen = float(np.exp(random.uniform(*np.log(PENS)))) * per_mm
        height = self.style.height * cell_height * per_mm
        self.hand = Hand.draw(random, material, height, pen=pen, source=source)
        self.hand.dark = max(self.hand.dark, 0.45)

    def fill(
        self, layout: Layout, page: int, written: dict[str, Written], strikes: dict[tuple[str, int], Strike]
    ) -> None:
        """Write the values of a page's fields; strike out what stands in some cells."""
        for placed in layout.on_page(page):
            field = placed.field
            if not field.is_comb:
                self._freely("".join(written[field.name].cells), placed.box)
                continue
            for index, (text, cell) in enumerate(zip(written[field.name].cells, placed.cells, strict=True)):
                strike = strikes.get((field.name, index))
                if strike is not None:
                    self._struck(cell, text if strike == "corrected" else "")
                elif text and field.is_marked:
                    self._mark(field, cell)
                elif text:
                    self._digit(int(text), cell)

    def _freely(self, text: str, box: MmBox) -> None:
        """Write a number into a box without cells, wherever in it there is room."""
        if not text:
            return
        random, hand = self.random, self.hand
        x, y, wide, tall = (side * self.per_mm for side in box)
        height = self.style.height * min(tall, HIGHEST * self.per_mm)
        glyphs = [hand._glyph(int(sign)) for sign in text]
        gaps = hand._steps(glyphs, height)[:-1]

        def width() -> float:
            return sum(hand._wide(glyph, height) for glyph in glyphs) + height * sum(gaps)

        while width() > 0.92 * wide:  # the pen does not shrink with the digits
            height *= 0.95
        left = x + random.uniform(0.04, 0.96) * (wide - width())
        slack = (tall - height) / 2
        top = y + slack + float(np.clip(random.normal(0, 0.3 * slack), -slack, slack))
        for glyph, gap in zip(glyphs, [*gaps, 0.0], strict=True):
            own = height * float(np.exp(random.normal(0, 0.06)))
            drop = height - own + random.normal(0, self.style.jitter * height / 2)
            hand._paint(self.canvas, Kind.DIGIT, glyph, left, top + drop, own)
            left += hand._wide(glyph, own) + gap * height

    def _digit(self, value: int, cell: MmBox, part: float = 1.0) -> tuple[float, float, float, float]:
        """Write a digit near the middle of a cell; the box that it takes, pixels."""
        random, style = self.random, self.style
        x, y, wide, tall = (side * self.per_mm for side in cell)
        height = part * style.height * tall * float(np.exp(random.normal(0, 0.06)))
        glyph = self.hand._glyph(value)
        width = self.hand._wide(glyph, height)
        if width > 0.92 * wide:
            height *= 0.92 * wide / width
            width = 0.92 * wide
        jitter = style.jitter if random.random() > STRAY else 0.22
        dx, dy = random.normal(0, jitter * tall, 2)
        slack = max(0.0, wide - width) / 2
        if jitter < 0.2:
            dx = float(np.clip(dx, -slack, slack))
        left = x + (wide - width) / 2 + dx
        top = y + (tall - height) / 2 - style.lift * tall + float(np.clip(dy, -0.25 * tall, 0.25 * tall))
        self.hand._paint(self.canvas, Kind.DIGIT, glyph, left, top, height)
        return left, top, width, height

    def _struck(self, cell: MmBox, right: str) -> None:
        """A digit that is struck out; where another is right, it is written small above it or beside it."""
        box = self._digit(int(self.random.integers(10)), cell)
        self.hand.strike(self.canvas, box)
        if right:
            x, y, wide, tall = cell
            if self.random.random() < 0.5:
                place = (x + 0.55 * wide, y - 0.25 * tall, 0.5 * wide, 0.7 * tall)
            else:
                place = (x + 0.1 * wide, y - 0.55 * tall, 0.8 * wide, 0.75 * tall)
            self._digit(int(right), place)

    def _mark(self, field: Field, cell: MmBox) -> None:
        """A cross, a check mark, a slash, a blot or a scribble in a cell."""
        random = self.random
        x, y, wide, tall = (side * self.per_mm for side in cell)
        size = min(wide, tall) * random.uniform(0.5, 0.9)
        left, top = x + (wide - size) / 2, y + (tall - size) / 2
        left, top = left + random.normal(0, 0.05 * size), top + random.normal(0, 0.05 * size)
        kind = self.style.mark if random.random() < 0.9 else int(random.integers(5))
        lines: list[list[tuple[float, float]]]
        if kind in (0, 4):
            lines = [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]
        elif kind == 1:
            lines = [[(0, 0.55), (0.3, 1.0), (1.0, 0.0)]]
        elif kind == 2:
            lines = [[(0, 1), (1, 0)]]
        else:
            count = int(random.integers(3, 6))
            lines = [[(k % 2, k / count) for k in range(count + 1)]]
        for line in lines:
            points = np.array(line, np.float64) + random.normal(0, 0.05, (len(line), 2))
            self.canvas.polyline(
                Kind.WRITING,
                points * size + (left, top),
                self.hand.pen,
                self.hand.dark * random.uniform(0.85, 1),
            )


def resized(print_tone: Gray, shape: tuple[int, int]) -> Gray:
    """The print (H, W) uint8 at another size."""
    return np.asarray(cv2.resize(print_tone, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
