"""Slices of a row crop, one digit each: the digit network's second opinion on a row.

The row network has decoded signs at columns. Between them the crop, its slant removed, is cut where there is
the least ink.
"""

from collections.abc import Callable, Sequence
from itertools import chain, pairwise

import cv2
import numpy as np

from digitlens.config.parameters.rows import DEFAULT_ROWS, RowParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.glyphs.normalize import normalized
from digitlens.rows.crop import sheared

Classify = Callable[[Gray], Floats]
"""(N, 28, 28) uint8, white ink on black -> (N, 10) float32, the probabilities of the digits."""


def upright(crop: Gray, slants: Sequence[float]) -> Gray:
    """(H, W) uint8, bright ink -> the same without its slant; the middle line stays.

    Of the tried `slants`, the best puts the ink into the fewest columns: upright strokes fill theirs.
    """
    candidates = [sheared(crop, slant) for slant in slants]
    inked = [
        float(np.square(cv2.reduce(candidate, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)).sum())
        for candidate in candidates
    ]
    return candidates[int(np.argmax(inked))]


class Slices:
    """Slices of a crop (H, W) uint8 and what `classify` makes of them; each is classified once."""

    def __init__(self, crop: Gray, classify: Classify, parameters: RowParameters = DEFAULT_ROWS) -> None:
        straight = upright(crop, parameters.slants)
        level, _ = cv2.threshold(straight, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        paper, ink = (part * max(level, 1.0) for part in parameters.slice_ink)
        scale = 255 / (ink - paper)
        soft = straight.astype(np.float32) * np.float32(scale) - np.float32(paper * scale)
        self._ink: Gray = np.clip(soft, 0, 255).astype(np.uint8)
        self._column_ink = self._ink.sum(axis=0, dtype=np.float64)
        self._classify = classify
        self._parameters = parameters
        self._known: dict[tuple[int, int], Floats] = {}

    def probabilities(self, rows: Sequence[Sequence[float]]) -> list[Floats]:
        """For each row of signs, at these pixels across the crop, left to right -> (signs, 10)."""
        places = [list(pairwise(self._edges(row))) for row in rows]
        new = [place for place in dict.fromkeys(chain.from_iterable(places)) if place not in self._known]
        if new:
            pictures = normalized([self._slice(*place) for place in new])
            self._known.update(zip(new, self._classify(pictures), strict=True))
        return [
            np.stack([self._known[place] for place in row]) if row else np.zeros((0, 10), np.float32)
            for row in places
        ]

    def _edges(self, row: Sequence[float]) -> list[int]:
        if not row:
            return []
        slice_end, margin = self._parameters.slice_end, self._parameters.slice_margin
        width = self._ink.shape[1]
        edges = [min(max(0, round(row[0]) - slice_end), width - 1)]
        for left, right in pairwise(row):
            inner = max(1.0, margin * (right - left))
            start = min(max(0, round(left + inner)), width - 1)
            end = min(max(start + 1, round(right - inner)), width)
            # Of columns with equally little ink, the one nearest to the middle.
            away = np.abs(np.arange(start, end) - (left + right) / 2)
            edges.append(start + int(np.argmin(self._column_ink[start:end] + 1e-3 * away)))
        edges.append(min(max(1, round(row[-1]) + slice_end), width))
        return edges

    def _slice(self, start: int, end: int) -> Gray:
        chosen = self._parameters
        part = self._ink[:, start : max(end, start + 1)]
        count, labels, boxes, _ = cv2.connectedComponentsWithStats((part > chosen.ink_level).astype(np.uint8))
        if count <= 2:
            return part
        areas, heights = boxes[:, cv2.CC_STAT_AREA], boxes[:, cv2.CC_STAT_HEIGHT]
        kept = (areas >= chosen.component_area * areas[1:].max()) & (heights >= chosen.component_height)
        kept[0] = False
        if kept[1:].all():
            return part
        near = cv2.dilate(kept[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
        return cv2.multiply(part, near).astype(np.uint8, copy=False)
