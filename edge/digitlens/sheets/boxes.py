"""The boxes on a blank form's page: places enclosed by lines, with nothing printed in them."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from digitlens.core.arrays import Gray
from digitlens.sheets.found import WIDEST, FoundField
from digitlens.sheets.pages import PAPERS, MmBox

LEAST_LINE = 3.0
"""Length from which printed ink is a line, millimeters."""
GAP = 0.35
"""Gap in a line that is closed, millimeters."""
SMALLEST, LARGEST = (2.5, 2.5), (190.0, 25.0)
"""Width and height of the smallest and the largest box, millimeters."""
FILLED = 0.85
"""Part of its bounding box that a box fills at least."""
PRINTED = 0.012
"""Part of a box that may be ink; more is a label."""
ASIDE = 0.5
"""Distance of a comb's line from its place at most, millimeters."""
SQUARE = 8.0
"""Side of the largest single box that is taken for a tick, millimeters."""


def paper_size(path: Path, width: int, height: int) -> tuple[float, float]:
    """A scan's width and height, millimeters, by its own resolution; without one it is A4 or Letter.

    `width` and `height` are in pixels, as it is looked at.
    """
    with suppress(OSError, ValueError), Image.open(path) as picture:
        dpi = float(picture.info.get("dpi", (0, 0))[0])
        sides = sorted(picture.size) if width < height else sorted(picture.size, reverse=True)
        if dpi > 0 and all(70 < side / dpi * 25.4 < 450 for side in sides):
            return sides[0] / dpi * 25.4, sides[1] / dpi * 25.4
    long, short = max(width, height), min(width, height)
    wide, tall = min(PAPERS.values(), key=lambda paper: abs(paper[1] / paper[0] - long / short))
    return (wide, tall) if width < height else (tall, wide)


def boxes(page: Gray, per_mm: tuple[float, float]) -> list[MmBox]:
    """The empty boxes of a page (H, W) uint8, black on white, in reading order.

    `per_mm` are pixels a millimeter, across and down.
    """
    across, down = per_mm
    smooth = cv2.GaussianBlur(page, (0, 0), max(across, down) * 0.08)
    level = np.median(smooth)  # the paper
    ink = np.asarray(smooth < level - max((level - smooth.min()) * 0.15, 12), np.uint8)
    lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, round(LEAST_LINE * across)), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(LEAST_LINE * down), 1), np.uint8))
    lines = np.maximum(lines, upright)
    closing = np.ones((2 * round(GAP * down / 2) + 1, 2 * round(GAP * across / 2) + 1), np.uint8)
    lines = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, closing)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - lines, connectivity=4)
    height, width = page.shape
    found: list[MmBox] = []
    for label in range(1, count):
        x, y, wide, tall, area = (int(value) for value in stats[label])
        size = wide / across, tall / down
        if not all(low <= side <= high for low, side, high in zip(SMALLEST, size, LARGEST, strict=True)):
            continue
        if x == 0 or y == 0 or x + wide == width or y + tall == height or area < FILLED * wide * tall:
            continue
        inner = ink[y : y + tall, x : x + wide][labels[y : y + tall, x : x + wide] == label]
        if inner.mean() <= PRINTED:
            found.append((x / across, y / down, *size))
    return sorted(found, key=lambda box: (round((box[1] + box[3] / 2) / 3), box[0]))


def is_undivided(page: Gray, per_mm: tuple[float, float], box: MmBox, cells: int) -> bool:
    """Whether a box on a page (H, W) uint8 is framed, and most lines between its cells are not drawn."""
    across, down = per_mm
    x, y, wide, tall = box
    # Of each upright line the part that a frame's own lines do not reach.
    rows = slice(round((y + 0.25 * tall) * down), round((y + 0.75 * tall) * down))
    level = float(np.median(page))
    dark = page < level - max((level - float(page.min())) * 0.15, 12)

    def is_drawn(place: float) -> bool:
        columns = slice(max(0, round((place - ASIDE) * across)), round((place + ASIDE) * across) + 1)
        part = dark[rows, columns]
        return bool(part.size and part.any(axis=1).mean() > 0.8)

    drawn = [is_drawn(x + k * wide / cells) for k in range(cells + 1)]
    return drawn[0] and drawn[-1] and sum(drawn[1:-1]) < (cells - 1) / 2


def fields(found: Sequence[MmBox], page: int) -> list[FoundField]:
    """Boxes -> fields: narrow ones of a size side by side are a comb, lone square ones ticks."""
    combs: list[list[MmBox]] = []
    for box in found:
        comb = next((comb for comb in combs if _continues(comb, box)), None)
        if comb is None:
            combs.append([box])
        else:
            comb.append(box)
    return [field for comb in combs for field in _fields(comb, page)]


def _continues(comb: Sequence[MmBox], box: MmBox) -> bool:
    """Whether a box is the next cell of a comb."""
    x, y, width, height = comb[-1]
    return (
        width <= WIDEST
        and width <= 1.6 * height
        and len(comb) < 20
        and -0.2 < box[0] - (x + width) < 1.0
        and abs(box[1] - y) < 0.7
        and abs(box[3] - height) < 0.7
        and abs(box[2] - width) < max(0.15 * width, 0.5)
    )


def _fields(comb: Sequence[MmBox], page: int) -> list[FoundField]:
    left, top = comb[0][0], min(box[1] for box in comb)
    right = comb[-1][0] + comb[-1][2]
    box = (left, top, right - left, max(one[3] for one in comb))
    if len(comb) > 1:
        steps = [other[0] - one[0] for one, other in pairwise(comb)]
        if max(steps) - min(steps) < 1.0:
            return [FoundField(page, box, "integer", len(comb))]
        return [field for one in comb for field in _fields([one], page)]
    is_square = max(box[2:]) <= SQUARE and max(box[2:]) < 1.35 * min(box[2:])
    return [FoundField(page, box, "tick" if is_square else "integer", 1 if is_square else None)]
