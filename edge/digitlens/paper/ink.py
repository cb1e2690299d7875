"""Gray picture and the network's classes -> ink: how dark it is, which of it is writing, and whose.

The network says what ink is; the picture's own contrast says where its edges are, at full resolution. All
passes over pixels are on 8 bits; what varies slowly is computed on a coarse grid.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens.paper.background import inpaint
from digitlens.paper.network import LINE, PAPER, STEP, Logits

COARSE = 4
"""Pixels of the picture for one of the grid on which paper and ink are evened out."""
AROUND = np.ones((3, 3), np.uint8)
TINY = np.float32(1e-6)


@dataclass(frozen=True)
class Ink:
    """A picture's ink; all (H, W) uint8 but `probabilities`.

    Args:
        contrast: how much darker (or, on dark paper, lighter) than its paper a pixel is, the paper being 255.
        level: the contrast of the ink nearby.
        mask: 255 where ink of any class is.
        kinds: the class of the ink: digit, writing, print or line; anything where there is none.
        probabilities: (ceil(H / 2), ceil(W / 2), 4) float32 of digit, writing, print and line, given that
            there is ink; 0 away from it.
    """

    contrast: Gray
    level: Gray
    mask: Gray
    kinds: Gray
    probabilities: Floats


def find_ink(gray: Gray, logits: Logits, scale: float, edge: float, faintest: float) -> Ink:
    """(H, W) uint8 and the network's logits of it, in steps of `scale` nats -> its ink.

    Args:
        gray: the picture.
        logits: (ceil(H / 2), ceil(W / 2), 5) int16.
        scale: nats for one step of the logits.
        edge: the contrast at which ink begins, as a fraction of that of the ink nearby.
        faintest: the smallest contrast of ink, gray levels.
    """
    best = logits[..., 1:].max(axis=2)
    inked = (best > logits[..., PAPER]).astype(np.uint8)
    probabilities = np.zeros((*inked.shape, 4), np.float32)
    if not cv2.countNonZero(inked):
        nothing = np.zeros_like(gray)
        return Ink(nothing, nothing, nothing, nothing, probabilities)
    near = cv2.dilate(inked, AROUND).astype(np.uint8, copy=False)
    contrast = _contrast(gray, inked, near)
    coarse = _level(contrast, inked)
    level = _enlarged(np.clip(coarse, 1, 255), gray.shape)
    least = _enlarged(np.clip(coarse * np.float32(edge), faintest, 255), gray.shape)
    inside = _doubled(near * np.uint8(255), gray.shape)
    mask = cv2.bitwise_and(cv2.compare(contrast, least, cv2.CMP_GT), inside).astype(np.uint8, copy=False)
    rows, columns = np.nonzero(near)
    nats = (logits[rows, columns, 1:] - best[rows, columns, np.newaxis]) * np.float32(scale)
    each = np.exp(nats)
    each /= each.sum(axis=1, keepdims=True)
    probabilities[rows, columns] = each
    kinds = np.zeros_like(inked)
    kinds[rows, columns] = each.argmax(axis=1) + 1
    return Ink(contrast, level, mask, _doubled(kinds, gray.shape), probabilities)


def without_lines(ink: Ink) -> Gray:
    """(H, W) uint8, 255 where ink is that belongs to no line."""
    lines = cv2.inRange(ink.kinds, np.array([LINE]), np.array([LINE]))
    return cv2.subtract(ink.mask, lines).astype(np.uint8, copy=False)


def _doubled(half: Gray, shape: tuple[int, ...]) -> Gray:
    """A picture of two by two pixels a place -> (H, W) uint8."""
    size = STEP * half.shape[1], STEP * half.shape[0]
    large = cv2.resize(half, size, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(large[: shape[0], : shape[1]]).astype(np.uint8, copy=False)


def _enlarged(coarse: Floats, shape: tuple[int, ...]) -> Gray:
    """Values of the coarse grid -> (H, W) uint8."""
    small = np.rint(coarse).astype(np.uint8)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _mean(values: Floats, weights: Floats, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """The weighted means on a grid of this size (width, height), and their weights."""
    known = cv2.resize(weights, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    sums = cv2.resize(values * weights, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    return (sums / np.maximum(known, TINY)).astype(np.float32), known.astype(np.float32)


def _grid(gray: Gray) -> tuple[int, int]:
    return max(1, gray.shape[1] // COARSE), max(1, gray.shape[0] // COARSE)


def _contrast(gray: Gray, inked: Gray, near: Gray) -> Gray:
    """How far a pixel is from its paper, toward the ink, (H, W) uint8."""
    small = cv2.resize(gray, inked.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    paper = inpaint(*_mean(small, (near == 0).astype(np.float32), _grid(gray)))
    ink, known = _mean(small, inked.astype(np.float32), _grid(gray))
    soft = cv2.GaussianBlur(gray, (3, 3), 0).astype(np.uint8, copy=False)
    darker = _darker(soft, np.clip(paper, 1, 255))
    # Light ink on dark paper: where most ink nearby is lighter than its paper.
    lighter = (ink - paper) * (known > 0)
    if lighter.max() <= 0:
        return darker
    sides = (inpaint(lighter, known) > 0).astype(np.uint8)
    if not cv2.countNonZero(sides):
        return darker
    reverse = _darker(cv2.bitwise_not(soft).astype(np.uint8, copy=False), np.clip(255 - paper, 1, 255))
    chosen = cv2.resize(sides, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(chosen > 0, reverse, darker)


def _darker(soft: Gray, paper: Floats) -> Gray:
    """How much darker than its paper a pixel is, the paper being 255."""
    found = cv2.divide(soft, _enlarged(paper, soft.shape), scale=255)
    return cv2.bitwise_not(found).astype(np.uint8, copy=False)


def _level(contrast: Gray, inked: Gray) -> Floats:
    """The contrast of the ink nearby, on the coarse grid."""
    peaks = cv2.resize(cv2.dilate(contrast, AROUND), inked.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return inpaint(*_mean(peaks.astype(np.float32), inked.astype(np.float32), _grid(contrast)))
