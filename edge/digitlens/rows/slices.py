"""Slices of a strip, a digit each, as the network of single digits takes them: a second opinion on a row.

The network `numbers` has read a row as signs that stand at columns. Between them the strip is cut where there
is the least ink, the writing made upright first.
"""

from collections.abc import Callable, Sequence
from itertools import chain, pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.glyphs.normalize import normalized
from digitlens.rows.recognizer import slanted

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ask = Callable[[Gray], Floats]
"""(N, 28, 28) uint8, white ink on black -> (N, 10), how probable each digit is."""

SLANTS = np.arange(-3, 4) / 5
"""That writing is tried with: pixels to the right for each that a line of pixels is higher."""
SIDE = 20
"""Pixels of a strip, from the first and the last sign's column to where its slice ends."""
INNER = 0.25
"""Of the way between two signs: no cut is nearer to one of them."""
INK = 0.6, 1.4
"""Of Otsu's threshold: what is paper, and what is full ink."""
LARGE = 0.2
"""Of the largest piece's area in a slice: what is smaller belongs to a neighbor, or is dirt."""
TALL = 4
"""Pixels, the same."""


def upright(strip: Gray) -> Gray:
    """(H, W) uint8, bright ink -> the same, its slant taken away, its middle line where it was.

    Upright strokes stand in few columns, and these are full of ink.
    """
    ways = [slanted(strip, float(slant)) for slant in SLANTS]
    inked = [float(np.square(cv2.reduce(way, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)).sum()) for way in ways]
    return ways[int(np.argmax(inked))]


class Slices:
    """A strip (H, W) uint8 and what `ask` says of its slices; none is asked about twice."""

    def __init__(self, strip: Gray, ask: Ask) -> None:
        straight = upright(strip)
        level, _ = cv2.threshold(straight, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        paper, ink = (part * max(level, 1.0) for part in INK)
        scale = 255 / (ink - paper)
        soft = straight.astype(np.float32) * np.float32(scale) - np.float32(paper * scale)
        self._ink: Gray = np.clip(soft, 0, 255).astype(np.uint8)
        self._column_ink = self._ink.sum(axis=0, dtype=np.float64)
        self._ask = ask
        self._known: dict[tuple[int, int], Floats] = {}

    def likely(self, rows: Sequence[Sequence[float]]) -> list[Floats]:
        """For each row of signs, at these pixels across the strip, left to right -> (signs, 10)."""
        places = [list(pairwise(self._edges(row))) for row in rows]
        new = [place for place in dict.fromkeys(chain.from_iterable(places)) if place not in self._known]
        if new:
            pictures = normalized([self._slice(*place) for place in new])
            self._known.update(zip(new, self._ask(pictures), strict=True))
        return [
            np.stack([self._known[place] for place in row]) if row else np.zeros((0, 10), np.float32)
            for row in places
        ]

    def _edges(self, row: Sequence[float]) -> list[int]:
        if not row:
            return []
        width = self._ink.shape[1]
        edges = [min(max(0, round(row[0]) - SIDE), width - 1)]
        for left, right in pairwise(row):
            inner = max(1.0, INNER * (right - left))
            start = min(max(0, round(left + inner)), width - 1)
            end = min(max(start + 1, round(right - inner)), width)
            # Of columns that are as empty, the one nearest to the middle.
            away = np.abs(np.arange(start, end) - (left + right) / 2)
            edges.append(start + int(np.argmin(self._column_ink[start:end] + 1e-3 * away)))
        edges.append(min(max(1, round(row[-1]) + SIDE), width))
        return edges

    def _slice(self, start: int, end: int) -> Gray:
        part = self._ink[:, start : max(end, start + 1)]
        count, labels, boxes, _ = cv2.connectedComponentsWithStats((part > 100).astype(np.uint8))
        if count <= 2:
            return part
        areas, heights = boxes[:, cv2.CC_STAT_AREA], boxes[:, cv2.CC_STAT_HEIGHT]
        kept = (areas >= LARGE * areas[1:].max()) & (heights >= TALL)
        kept[0] = False
        if kept[1:].all():
            return part
        near = cv2.dilate(kept[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
        return cv2.multiply(part, near).astype(np.uint8, copy=False)
