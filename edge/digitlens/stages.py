"""The stages of a picture as pictures: where a hard page went wrong."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.glyphs.lattice import Resolved
from digitlens.glyphs.normalize import SIDE, to_mnist
from digitlens.images import pictures
from digitlens.paper.segment import Glyph, Segmented

Pixels = npt.NDArray[np.uint8]

PALE = (200, 160, 90)
TAKEN_OUT = (40, 40, 230)
COLORS = ((0, 140, 0), (200, 60, 0), (0, 0, 220), (180, 0, 180))
"""Of parts beside each other."""
ZOOM = 3
COLUMNS = 16
ROOM = 16
"""Pixels below a crop for its text."""


class Stages:
    """A reader's `watch` that writes each picture's stages into a folder of its own.

    1-ink: sure ink black, ink that belongs to it blue. 2-lines: what was taken out as a line of the paper,
    red. 3-glyphs: the connected signs. 4-cuts: the parts of glyphs in doubt. 5-digits: what was chosen.
    6-crops: the 28 x 28 pictures that the network saw, each with its digit and its probability in percent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, gray: Pixels, page: Segmented, resolved: Resolved) -> None:
        """Write the stages of one picture.

        Raises:
            PictureError: a file cannot be written.
        """
        parts = [part for group in resolved.parts for part in group]
        for name, picture in {
            "1-ink": _ink(page),
            "2-lines": _lines(page),
            "3-glyphs": _boxes(gray, page.glyphs),
            "4-cuts": _parts(gray, parts),
            "5-digits": _boxes(gray, resolved.glyphs),
            "6-crops": _crops(resolved),
        }.items():
            pictures.save(self.folder / f"{name}.png", picture)


def _ink(page: Segmented) -> Pixels:
    canvas = np.full((*page.mask.shape, 3), 255, np.uint8)
    canvas[page.ink.mask > 0] = PALE
    canvas[page.ink.sure > 0] = 0
    return canvas


def _lines(page: Segmented) -> Pixels:
    canvas = np.full((*page.mask.shape, 3), 255, np.uint8)
    canvas[page.ink.mask > 0] = TAKEN_OUT
    canvas[page.mask > 0] = 0
    return canvas


def _boxes(gray: Pixels, glyphs: list[Glyph]) -> Pixels:
    canvas = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    for index, glyph in enumerate(sorted(glyphs, key=lambda glyph: glyph.box[0])):
        x, y, width, height = glyph.box
        cv2.rectangle(canvas, (x - 1, y - 1), (x + width, y + height), COLORS[index % len(COLORS)], 1)
    return canvas.astype(np.uint8, copy=False)


def _parts(gray: Pixels, parts: list[Glyph]) -> Pixels:
    """The ink of the parts, each in another color than its neighbors."""
    canvas: Pixels = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    for index, part in enumerate(parts):
        x, y, width, height = part.box
        canvas[y : y + height, x : x + width][part.ink > 127] = COLORS[index % len(COLORS)]
    return canvas


def _crops(resolved: Resolved) -> Pixels:
    order = sorted(range(len(resolved.glyphs)), key=lambda index: resolved.glyphs[index].box[:2][::-1])
    crops = to_mnist([resolved.glyphs[index] for index in order])
    width, height = ZOOM * SIDE + 4, ZOOM * SIDE + ROOM + 4
    rows = max(1, -(-len(order) // COLUMNS))
    canvas = np.full((rows * height, COLUMNS * width), 90, np.uint8)
    for place, (index, crop) in enumerate(zip(order, crops, strict=True)):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        large = cv2.resize(crop, (ZOOM * SIDE, ZOOM * SIDE), interpolation=cv2.INTER_NEAREST)
        canvas[top : top + ZOOM * SIDE, left : left + ZOOM * SIDE] = large
        likely = resolved.probabilities[index]
        text = f"{likely.argmax()}: {100 * likely.max():.0f}%"
        at = (left + 2, top + ZOOM * SIDE + ROOM - 3)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255,), 1, cv2.LINE_AA)
    return canvas
