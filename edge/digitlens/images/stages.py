"""The stages of a picture's reading as pictures, drawn from its trace."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digitlens.core.arrays import Gray, Pixels
from digitlens.core.trace import Trace, TracedGlyph
from digitlens.images import pictures
from digitlens.images.row_stages import draw_row

KINDS = {1: (0, 0, 0), 2: (200, 90, 0), 3: (0, 150, 0), 4: (40, 40, 230)}
"""Colors of ink by its class in the trace, BGR: digits black, other writing blue, print green, lines red."""
LEFT_OUT = (190, 190, 190)
COLORS = ((0, 140, 0), (200, 60, 0), (0, 0, 220), (180, 0, 180))
"""Of neighboring glyphs and parts, in turn; BGR."""
ZOOM = 3
COLUMNS = 16
TEXT_HEIGHT = 16
"""Height of the text below a crop, in pixels."""


class Stages:
    """A reader's `watch` that writes each picture's stages into a folder.

    1-ink: what the ink network takes ink for: handwritten digits black, other writing blue, print green,
    lines red. 2-kept: the connected ink that may be digits' black, what is left out gray. 3-glyphs: the
    glyphs that it becomes. 4-cuts: the parts of doubtful glyphs. 5-digits: the chosen glyphs. 6-crops: the
    28 x 28 pictures that the digit network saw, each with its digit and probability in percent. 7-row-N: a
    row as the row network saw it, its hypotheses, and the decision.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, trace: Trace) -> None:
        """Write the stages of one picture.

        Raises:
            PictureError: a file cannot be written.
        """
        parts = [part for group in trace.parts for part in group]
        drawn = {
            "1-ink": _kinds(trace.kinds),
            "2-kept": _kept(trace.ink, trace.digit_ink),
            "3-glyphs": _boxes(trace.gray, trace.glyphs),
            "4-cuts": _parts(trace.gray, parts),
            "5-digits": _boxes(trace.gray, trace.resolved),
            "6-crops": _crops(trace),
        }
        drawn |= {f"7-row-{count}": draw_row(row) for count, row in enumerate(trace.rows, 1)}
        for name, picture in drawn.items():
            pictures.save(self.folder / f"{name}.png", picture)


def _kinds(kinds: Gray) -> Pixels:
    """White, and the ink in the color of its class."""
    colors = np.full((256, 3), 255, np.uint8)
    for kind, color in KINDS.items():
        colors[kind] = color
    canvas: Pixels = colors[kinds]
    return canvas


def _kept(ink: Gray, kept: Gray) -> Pixels:
    """White, ink that is left out gray, and in black what is kept."""
    canvas = np.full((*ink.shape, 3), 255, np.uint8)
    canvas[ink > 0] = LEFT_OUT
    canvas[kept > 0] = 0
    return canvas


def _boxes(gray: Gray, glyphs: Sequence[TracedGlyph]) -> Pixels:
    canvas = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    for index, glyph in enumerate(sorted(glyphs, key=lambda glyph: glyph.box[0])):
        x, y, width, height = glyph.box
        cv2.rectangle(canvas, (x - 1, y - 1), (x + width, y + height), COLORS[index % len(COLORS)], 1)
    return canvas.astype(np.uint8, copy=False)


def _parts(gray: Gray, parts: Sequence[TracedGlyph]) -> Pixels:
    """The ink of the parts, each in another color than its neighbors."""
    canvas: Pixels = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    for index, part in enumerate(parts):
        x, y, width, height = part.box
        canvas[y : y + height, x : x + width][part.ink > 127] = COLORS[index % len(COLORS)]
    return canvas


def _crops(trace: Trace) -> Gray:
    """The crops in reading order, enlarged, each above its best digit."""
    glyphs, side = trace.resolved, ZOOM * trace.crops.shape[1]
    order = sorted(range(len(glyphs)), key=lambda index: glyphs[index].box[:2][::-1])
    width, height = side + 4, side + TEXT_HEIGHT + 4
    rows = max(1, -(-len(order) // COLUMNS))
    canvas = np.full((rows * height, COLUMNS * width), 90, np.uint8)
    for place, index in enumerate(order):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        large = cv2.resize(trace.crops[index], (side, side), interpolation=cv2.INTER_NEAREST)
        canvas[top : top + side, left : left + side] = large
        probabilities = trace.probabilities[index]
        text = f"{probabilities.argmax()}: {100 * probabilities.max():.0f}%"
        at = (left + 2, top + side + TEXT_HEIGHT - 3)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255,), 1, cv2.LINE_AA)
    return canvas
