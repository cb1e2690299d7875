"""Printed text: labels of forms, numbers and codes in any of the machine's fonts."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.material import Material

if TYPE_CHECKING:  # it takes a while
    from PIL import ImageFont

_WORDS = """
Name Date Total Score Marks No. Number Roll Section Class Student Sum Question Points Max Grade
Subject Code Address Phone Signature Amount Qty Item Price Hole Par Player Team Week Day Month Year
Mon Tue Wed Thu Fri ID Exam Room Page Votes Candidate Party Valid Rejected Station Result Age Sex
Weight Height Temp Time Sr ABC Form Part Unit Rate Bank Branch Account Please sign here for the of
and to in is that with by from this Tel First Last City State Zip Country Invoice Order Customer
Balance Paid Due Tax Net Gross Meter Reading kWh Lab Sample Test Batch Lot Serial Shift Hours Start
End Remarks Notes Checked Approved Office use only Datum Summe Anzahl Nr. Betrag Punkte Nom Prix
Nombre Fecha Cantidad
"""
LABELS = tuple(_WORDS.split())
"""Words that stand on forms."""
SIZES = (20, 44, 110)
"""Capital heights that glyphs are rendered at, in pixels; others are scaled from the next larger."""
SMALLEST = 0.6
"""How far given text is reduced to fit, before it loses characters."""


@dataclass(frozen=True)
class _Letter:
    """A rendered character: its ink, its place right of the pen and below the capitals' top."""

    ink: Gray
    left: int
    top: int
    advance: float


@dataclass
class Printer:
    """A printed font and its darkness.

    Attributes:
        dark: 0.2..1.
        spacing: added between characters, in capital heights.
        capitals: whether all letters are capitals.
        squeeze: horizontal scale.
    """

    random: np.random.Generator
    font: Path
    dark: float
    spacing: float
    capitals: bool
    squeeze: float

    @classmethod
    def draw(cls, random: np.random.Generator, material: Material) -> "Printer":
        """Any printer."""
        family = material.print_fonts[int(random.integers(len(material.print_fonts)))]
        font = family[int(random.integers(len(family)))]
        return cls(
            random=random,
            font=font,
            dark=random.uniform(0.5, 1.0) if random.random() < 0.75 else random.uniform(0.2, 0.5),
            spacing=random.uniform(0.05, 0.35) if random.random() < 0.12 else 0.0,
            capitals=bool(random.random() < 0.15),
            squeeze=random.uniform(0.75, 1.2) if random.random() < 0.3 else 1.0,
        )

    def text(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        height: float,
        what: str | None = None,
        max_width: float | None = None,
        record: bool = True,
    ) -> float:
        """Print text, any if `what` is None, its capitals from y to y + height; its width in pixels.

        Text wider than `max_width` is printed smaller, then cut off. Its numbers are recorded as printed.
        """
        what = self._any() if what is None else what
        if self.capitals:
            what = what.upper()
        size = next((size for size in SIZES if size >= height), SIZES[-1])
        ink, stops, drop = _line(str(self.font), what, size, round(self.spacing * size))
        zoom = height / size
        across = zoom * self.squeeze
        if max_width is not None and stops[-1] * across > max_width:
            less = max(SMALLEST, max_width / (stops[-1] * across))
            y, height, zoom, across = y + height * (1 - less) / 2, height * less, zoom * less, across * less
            fitting = max(1, int(np.searchsorted(stops, max_width / across, "right")) - 1)
            what, stops = what[:fitting], stops[: fitting + 1]
            ink = ink[:, : max(2, round(stops[-1]))]
        wide, tall = max(2, round(ink.shape[1] * across)), max(2, round(ink.shape[0] * zoom))
        how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(ink, (wide, tall), interpolation=how).astype(np.uint8, copy=False)
        canvas.paint(Kind.PRINT, scaled, x, y - drop * zoom, self.dark)
        if record:
            for match in re.finditer(r"[0-9]+(?:[.,][0-9]+)*", what):
                left, right = stops[match.start()] * across, stops[match.end()] * across
                canvas.record(match.group(), (x + left, y, right - left, height), printed=True)
        return stops[-1] * across

    def _any(self) -> str:
        """Labels, an abbreviation, a number or a code."""
        random = self.random
        kind = random.random()
        if kind < 0.6:
            words = [LABELS[k] for k in random.integers(len(LABELS), size=int(random.integers(1, 5)))]
            return " ".join(words) + (_string(random, ":.*)?", 1) if random.random() < 0.3 else "")
        if kind < 0.68:
            return _string(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", int(random.integers(1, 6)))
        digits = int(random.integers(1, 7))
        if kind < 0.88:
            return _string(random, "0123456789", digits)
        return _string(random, "0123456789./:-()#%ABCx+=", digits + 2)


def _string(random: np.random.Generator, characters: str, length: int) -> str:
    return "".join(characters[k] for k in random.integers(len(characters), size=length))


@lru_cache(maxsize=200)
def _font(path: str, size: int) -> "tuple[ImageFont.FreeTypeFont, int]":
    """A font whose capitals are `size` pixels tall, and how far below its origin their top is."""
    from PIL import ImageFont

    font = ImageFont.truetype(path, 100)
    box = font.getbbox("H")
    font = ImageFont.truetype(path, max(4, round(100 * size / max(1, box[3] - box[1]))))
    return font, int(font.getbbox("H")[1])


@lru_cache(maxsize=20000)
def _letter(path: str, character: str, size: int) -> _Letter:
    from PIL import Image, ImageDraw

    font, head = _font(path, size)
    left, top, right, bottom = (int(value) for value in font.getbbox(character))
    ink = np.zeros((1, 1), np.uint8)
    if right > left and bottom > top:
        picture = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(picture).text((-left, -top), character, 255, font=font)
        ink = np.asarray(picture, np.uint8)
    return _Letter(ink, left, top - head, float(font.getlength(character)))


@lru_cache(maxsize=3000)
def _line(path: str, text: str, size: int, spacing: int) -> tuple[Gray, list[float], int]:
    """A line's ink, where its characters begin and the last one ends, and its rows above the capitals."""
    letters = [_letter(path, character, size) for character in text or " "]
    stops = [0.0]
    for letter in letters:
        stops.append(stops[-1] + letter.advance + spacing)
    margin = size // 2
    ink = np.zeros((2 * size, round(stops[-1]) + size), np.uint8)
    for letter, stop in zip(letters, stops[:-1], strict=True):
        y, x = max(0, letter.top + margin), max(0, round(stop) + letter.left)
        part = ink[y : y + letter.ink.shape[0], x : x + letter.ink.shape[1]]
        np.maximum(part, letter.ink[: part.shape[0], : part.shape[1]], out=part)
    columns = np.flatnonzero(ink.any(axis=0))
    end = int(columns[-1]) + 1 if len(columns) else 2
    return np.ascontiguousarray(ink[:, : max(end, 2)]), stops, margin
