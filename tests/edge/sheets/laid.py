"""A film: sheets laid under a camera one after the other by a hand, each left there for a while."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from tests.edge.sheets.filled import seen

SIZE = (1280, 960)
"""Width and height of the film, pixels."""
MOVING, LYING = 6, 9
"""Frames in which a sheet comes, and in which it lies there."""
RATE = 15.0
"""Frames a second."""


def film(pages: Sequence[Gray], seed: int = 0) -> Iterator[Gray]:
    """Frames (H, W) uint8: each page comes from the right on top of the one before, under a hand."""
    random = np.random.default_rng(seed)
    table = _noisy(np.full(SIZE[::-1], 70, np.uint8), random)
    yield from (_noisy(np.full(SIZE[::-1], 70, np.uint8), random) for _ in range(3))
    under = table
    for page in pages:
        lean = random.normal(0, 8, (4, 2))
        for step in range(MOVING, -1, -1):
            away = step / MOVING
            moved = _laid(page, under, lean, away)
            yield _noisy(_with_hand(moved, away), random)
        under = _laid(page, under, lean, 0.0)
        for step in range(1, 4):  # the hand goes
            yield _noisy(_with_hand(under, step / 3), random)
        yield from (_noisy(under, random) for _ in range(LYING))


def _laid(page: Gray, under: Gray, lean: np.ndarray, away: float) -> Gray:
    """The page over what lies there, part of the picture's width to the right of its place."""
    right = away * SIZE[0]
    tall = SIZE[1] - 60
    wide = tall * page.shape[1] / page.shape[0]
    left = (SIZE[0] - wide) / 2 + right
    corners = np.array(
        [[left, 30], [left + wide, 30], [left + wide, 30 + tall], [left, 30 + tall]], np.float64
    )
    placed = seen(page, corners + lean, SIZE)
    mask = seen(np.full(page.shape, 255, np.uint8), corners + lean, SIZE) > 160
    return np.where(mask, placed, under).astype(np.uint8)


def _with_hand(picture: Gray, away: float) -> Gray:
    """A hand and its arm, coming from the right; not there with `away` 1."""
    if away >= 1:
        return picture
    drawn = picture.copy()
    x = round(SIZE[0] * (0.55 + 0.5 * away))
    cv2.ellipse(drawn, (x, 520), (130, 95), 15, 0, 360, (150,), -1, cv2.LINE_AA)
    cv2.line(drawn, (x + 60, 540), (x + 900, 760), (140,), 120, cv2.LINE_AA)
    for finger in range(4):
        cv2.line(drawn, (x - 60, 460 + 35 * finger), (x - 190, 430 + 45 * finger), (155,), 34, cv2.LINE_AA)
    return drawn


def _noisy(picture: Gray, random: np.random.Generator) -> Gray:
    noise = cv2.resize(random.normal(0, 2.0, (240, 320)).astype(np.float32), SIZE)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)
