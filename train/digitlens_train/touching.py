"""Touching digits, cut along the runtime's seams: good cuts give digits, wrong ones negatives."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.glyphs.seams import find_seams
from digitlens_train import strokes
from digitlens_train.strokes import Stroke

GOOD = 0.1
"""Most ink that a good cut leaves on the wrong side, as a fraction of the smaller digit's."""
PART = 0.3, 0.7
"""Range of a neighbor's ink that makes a crop a negative, as a fraction of all its ink."""


def draw(random: np.random.Generator, images: Sequence[Gray], labels: Gray) -> tuple[Stroke, int | None]:
    """One side of a cut between two touching digits, and its label; None for a negative.

    The stroke is empty where no seam cuts the two as wanted.
    """
    chosen = random.integers(len(labels), size=2)
    pen = float(np.exp(random.uniform(np.log(3), np.log(14))))
    left, right = (_digit(images[int(index)], pen, random) for index in chosen)
    both = _side_by_side(left, right, random)
    joined = np.maximum(both[0], both[1])
    inks = [float(digit.sum()) for digit in both]
    wants_good = random.random() < 0.7
    empty: tuple[Stroke, int | None] = np.zeros((strokes.SIDE, strokes.SIDE), np.float32), None
    found = find_seams((joined * 255).astype(np.uint8))
    column = np.arange(joined.shape[1])
    order = list(range(len(found)))
    random.shuffle(order)
    for seam in (found[index] for index in order):
        before = column < seam.columns[:, np.newaxis]
        # The fractions of the left and of the right digit's ink that lie left of the seam.
        own, neighbor = (float(digit[before].sum()) / ink for digit, ink in zip(both, inks, strict=True))
        if wants_good:
            if (1 - own) * inks[0] + neighbor * inks[1] <= GOOD * min(inks):
                side = int(random.integers(2))
                crop = _cropped(np.where(before if side == 0 else ~before, joined, 0))
                return crop, int(labels[chosen[side]])
        elif own > 0.9 and PART[0] <= neighbor <= PART[1]:
            return _cropped(np.where(before, joined, 0)), None
        elif neighbor < 0.1 and PART[0] <= 1 - own <= PART[1]:
            return _cropped(np.where(before, 0, joined)), None
    return empty


def piece(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """One side of a seam through a character, enlarged again; the character itself if it has no seam."""
    found = find_seams((stroke * 255).astype(np.uint8))
    if not found:
        return stroke
    before = np.arange(stroke.shape[1]) < found[int(random.integers(len(found)))].columns[:, np.newaxis]
    return _cropped(np.where(before if random.random() < 0.5 else ~before, stroke, 0))


def _digit(image: Gray, pen: float, random: np.random.Generator) -> Stroke:
    stroke = strokes.bend(strokes.repen(strokes.enlarge(image), pen), random, 0.9)
    rows, columns = np.flatnonzero((stroke > 0.3).any(axis=1)), np.flatnonzero((stroke > 0.3).any(axis=0))
    if not rows.size:
        return np.ones((8, 3), np.float32)
    return stroke[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _side_by_side(left: Stroke, right: Stroke, random: np.random.Generator) -> tuple[Stroke, Stroke]:
    """Both on one canvas, moved together until they touch or overlap a little."""
    height = max(len(left), len(right)) + 16
    canvases = []
    for digit in (left, right):
        canvas = np.zeros((height, digit.shape[1]), np.float32)
        top = (height - len(digit)) // 2 + int(random.integers(-7, 8))
        canvas[top : top + len(digit)] = digit
        canvases.append(canvas)
    one, other = canvases
    # The paper in each row between the left digit's last ink and the right one's first.
    after = np.where((one > 0.5).any(axis=1), (one[:, ::-1] > 0.5).argmax(axis=1), height)
    before = np.where((other > 0.5).any(axis=1), (other > 0.5).argmax(axis=1), height)
    closer = int(np.min(after + before)) + int(random.integers(0, 7))
    start = max(0, one.shape[1] - closer)
    width = max(one.shape[1], start + other.shape[1])
    placed = np.zeros((2, height, width), np.float32)
    placed[0, :, : one.shape[1]] = one
    placed[1, :, start : start + other.shape[1]] = other
    return placed[0], placed[1]


def _cropped(stroke: npt.NDArray[np.floating[Any]]) -> Stroke:
    return strokes.enlarge(cv2.convertScaleAbs(stroke, alpha=255).astype(np.uint8, copy=False))
