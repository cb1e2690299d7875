"""Where labels stand: beside their numbers, on no ink and no other label; a leader where they are far."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Gray, Pixels
from digitlens.core.boxes import intersections
from digitlens.core.readings import Box

FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21
"""Height of the font's digits at size 1, in pixels."""
SMALLEST = 9
"""Least height of a label's digits, in pixels."""
USUAL = 12
"""Height of a label's digits on a small screen without a crowd, in pixels."""
SCREEN_LETTERS = 40
"""Height of a picture, in heights of a label's digits."""
OF_DIGIT = 0.45
"""Height of a label's digits, as a fraction of the written ones'."""
CROWDED = 1.0, 0.8, 0.65, 0.5
"""Sizes of labels that are tried one after the other where there is no room, as fractions."""
NEAR = 0.0, 0.4
"""Distances of labels beside their frames, in label heights."""
FAR = 0.9, 1.6, 2.5, 4.0, 6.0
"""Distances of labels that need a leader, in label heights."""
FREE = 0.08
"""Cost of a place that is as good as free, in parts of a label: a ruled line may run through it."""
NEAR_ENOUGH = 0.4
"""Cost of a place beside the number from which a far one is looked for."""
LINES = 0.2
"""Part of a label that thin lines below it cover at the most: more ink is writing."""
AWAY = 0.12
"""Cost of a label's distance, per label height."""
SMALLER = 0.05
"""Cost of the next smaller size."""
TOUCHING = 0.06
"""Cost of another number right beside a label, whose label it might seem."""
CROSSED = 0.5
"""Cost of a number that a leader crosses."""
INK_SIDE = 800
"""Longer side of the picture in which ink is looked for, in pixels."""
INK_CONTRAST = 0.12
"""Least darkness against the paper around that counts as ink, as a fraction of the paper's brightness."""
STAY = 0.2
"""Least gain for which a label changes its place, in parts of its area: who reads jumping labels?"""

Spot = tuple[float, float]
"""Place of a label's corner relative to its frame's, in pixels of the canvas."""


class Item(NamedTuple):
    """A number to be labeled: its id, its box on the canvas, its text, and its digits' height in pixels."""

    id: int
    box: Box
    text: str
    height: float


class Label(NamedTuple):
    """A label: its box, the font's size, its margin, its leader's two ends (none if it is beside)."""

    box: Box
    size: float
    margin: int
    leader: tuple[int, int, int, int] | None


class InkMap:
    """How much ink lies in a rectangle of a canvas.

    Args:
        image: (H, W) or (H, W, 3) uint8, of any size; None knows of no ink.
        place: x, y, width and height of the image on the canvas, pixels.
    """

    def __init__(self, image: Pixels | None, place: Box) -> None:
        self._place = place
        self._sums: npt.NDArray[np.int32] | None = None
        if image is not None and min(image.shape[:2]) > 2:
            self._sums = cv2.integral(_ink(image)).astype(np.int32, copy=False)

    def under(self, boxes: Doubles) -> Doubles:
        """The part of each box (N, 4) that is ink, (N,)."""
        if self._sums is None:
            return np.zeros(len(boxes))
        x, y, width, height = self._place
        rows, columns = np.array(self._sums.shape) - 1
        left, right = (
            ((edge - x) * columns / width).clip(0, columns).round().astype(np.intp)
            for edge in (boxes[:, 0], boxes[:, 0] + boxes[:, 2])
        )
        top, bottom = (
            ((edge - y) * rows / height).clip(0, rows).round().astype(np.intp)
            for edge in (boxes[:, 1], boxes[:, 1] + boxes[:, 3])
        )
        sums = self._sums
        inked = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        areas = boxes[:, 2] * boxes[:, 3] * rows * columns / (width * height)
        return np.asarray(inked / np.maximum(areas, 1), np.float64)


def frame(box: Box, thick: int) -> Box:
    """The frame around a number's box, in lines of so many pixels."""
    margin = 2 * thick + 1
    x, y, width, height = box
    return x - margin, y - margin, width + 2 * margin, height + 2 * margin


def thickness(width: int, height: int) -> int:
    """Thickness of lines on a canvas of this size, in pixels."""
    return max(1, round(min(width, height) / 450))


def letters(width: int, height: int, digit: float) -> float:
    """Height of a label's digits on a canvas, without a crowd, by that of the written ones; pixels."""
    least = max(USUAL, min(width, height) / SCREEN_LETTERS)
    return min(max(least, OF_DIGIT * digit), 1.6 * least)


def text_size(text: str, size: float) -> tuple[int, int]:
    """Width of a text and depth below its baseline, in pixels."""
    (wide, _), base = cv2.getTextSize(text, FONT, size, pen(size))
    return wide, base


def pen(size: float) -> int:
    """Thickness of letters of a font's size, in pixels."""
    return max(1, round(size * 1.8))


def lay_out(
    canvas: tuple[int, int],
    items: Sequence[Item],
    ink: InkMap,
    spots: Mapping[int, Spot] | None = None,
) -> dict[int, Label]:
    """The labels of numbers by their ids.

    Args:
        canvas: width and height that labels may take.
        items: in the order in which they choose their places.
        ink: what labels should not cover.
        spots: the places that labels had before, by id, which they keep where these are about as good.
    """
    if not items:
        return {}
    thick = thickness(*canvas)
    frames = np.array([frame(one.box, thick) for one in items], np.float64)
    usual = letters(*canvas, median(one.height for one in items))
    labels: dict[int, Label] = {}
    taken = np.zeros((0, 4))
    for place, one in enumerate(items):
        best: tuple[float, Label] | None = None
        before = None if spots is None else spots.get(one.id)
        for rings, enough in ((NEAR, FREE), (FAR, NEAR_ENOUGH)):
            for step, share in enumerate(CROWDED):
                tall = max(SMALLEST, usual * share)
                size = tall / CAPITAL
                margin = max(2, round(0.25 * tall))
                wide, high = text_size(one.text, size)[0] + 2 * margin, round(tall) + 2 * margin
                found = _candidates(frames[place], (wide, high), canvas, before, rings)
                costs = _costs(found, frames, place, taken, ink) + SMALLER * step
                costs += AWAY * _distances(found, frames[place]) / high
                if rings is FAR:
                    costs += CROSSED * _crossed(found, frames, place)
                if before is not None:
                    costs[0] -= STAY
                at = int(np.argmin(costs))
                if best is None or costs[at] < best[0]:
                    leader = _leader(found[at], frames[place], high)
                    best = float(costs[at]), Label(_pixels(found[at]), size, margin, leader)
                if best[0] <= enough + SMALLER * step or tall <= SMALLEST:
                    break
            if best is not None and best[0] <= NEAR_ENOUGH:
                break
        assert best is not None  # noqa: S101  # there is at least one size
        labels[one.id] = best[1]
        taken = np.vstack([taken, np.array(best[1].box, np.float64)])
    return labels


def spot_of(label: Label, box: Box, thick: int) -> Spot:
    """A label's place, to be kept in the next picture."""
    x, y, _, _ = frame(box, thick)
    return label.box[0] - x, label.box[1] - y


def _candidates(
    around: Doubles,
    label: tuple[int, int],
    canvas: tuple[int, int],
    before: Spot | None,
    rings: tuple[float, ...],
) -> Doubles:
    """Boxes (N, 4) for a label: the one before, then on all sides, from near to far, all on the canvas."""
    x, y, width, height = around
    wide, high = label
    corners = [] if before is None else [(x + before[0], y + before[1])]
    for ring in rings:
        gap = 2 + ring * high
        above, below, left, right = y - high - gap, y + height + gap, x - wide - gap, x + width + gap
        flush, middle, down = x + width - wide, x + (width - wide) / 2, y + (height - high) / 2
        corners += [(x, above), (flush, above), (middle, above), (x, below), (flush, below), (middle, below)]
        corners += [(right, down), (right, y), (right, y + height - high)]
        corners += [(left, down), (left, y), (left, y + height - high)]
        corners += [(right, above), (left, above), (right, below), (left, below)]
    found = np.empty((len(corners), 4))
    found[:, :2] = corners
    found[:, 2:] = label
    found[:, 0] = found[:, 0].clip(0, max(0, canvas[0] - wide))
    found[:, 1] = found[:, 1].clip(0, max(0, canvas[1] - high))
    return found


def _costs(found: Doubles, frames: Doubles, own: int, taken: Doubles, ink: InkMap) -> Doubles:
    """What each place hides, as a part of the label: ink, numbers, and above all other labels."""
    areas = found[:, 2] * found[:, 3]
    numbers = intersections(found, frames)
    hidden = numbers.sum(axis=1) + 2 * numbers[:, own] + 4 * intersections(found, taken).sum(axis=1)
    inked = ink.under(found)
    near = found + found[0, 3] * 0.25 * np.array([-1, -1, 2, 2])
    beside = np.count_nonzero(intersections(near, np.delete(frames, own, axis=0)), axis=1)
    return np.asarray(
        np.where(inked > LINES, 2 * inked, 0.4 * inked) + 2 * hidden / areas + TOUCHING * beside, np.float64
    )


def _crossed(found: Doubles, frames: Doubles, own: int) -> Doubles:
    """How many other numbers (N,) a leader from each place to its frame crosses."""
    centers, target = found[:, :2] + found[:, 2:] / 2, frames[own, :2] + frames[own, 2:] / 2
    others = np.delete(frames, own, axis=0)
    points = centers + (target - centers) * np.linspace(0, 1, 9)[:, np.newaxis, np.newaxis]  # (9, N, 2)
    inside = (points[:, :, np.newaxis] >= others[:, :2]) & (
        points[:, :, np.newaxis] <= others[:, :2] + others[:, 2:]
    )
    return np.asarray(inside.all(axis=3).any(axis=0).sum(axis=1), np.float64)


def _distances(found: Doubles, around: Doubles) -> Doubles:
    """Distance of each box (N, 4) from the frame, pixels."""
    x, y, width, height = around
    across = np.maximum(np.maximum(x - found[:, 0] - found[:, 2], found[:, 0] - x - width), 0)
    down = np.maximum(np.maximum(y - found[:, 1] - found[:, 3], found[:, 1] - y - height), 0)
    return np.asarray(np.hypot(across, down), np.float64)


def _leader(label: Doubles, around: Doubles, high: int) -> tuple[int, int, int, int] | None:
    """The line from a label that is far to its frame; none where it stands beside it."""
    if _distances(label[np.newaxis], around)[0] < 0.5 * high:
        return None
    ends = []
    for one, other in ((label, around), (around, label)):
        middle = other[:2] + other[2:] / 2
        ends += [round(float(part)) for part in np.clip(middle, one[:2], one[:2] + one[2:])]
    return ends[0], ends[1], ends[2], ends[3]


def _pixels(box: Doubles) -> Box:
    x, y, width, height = (round(float(side)) for side in box)
    return x, y, width, height


def _ink(image: Pixels) -> Gray:
    """1 where the picture is darker than the paper around it, 0 elsewhere; reduced to INK_SIDE."""
    height, width = image.shape[:2]
    scale = min(1.0, INK_SIDE / max(height, width))
    size = max(3, round(width * scale)), max(3, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    gray = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY) if small.ndim == 3 else small
    side = max(5, round(max(size) / 40)) | 1
    paper = cv2.blur(cv2.dilate(gray, np.ones((side, side), np.uint8)), (side, side))
    return (gray < paper * np.float32(1 - INK_CONTRAST)).astype(np.uint8)
