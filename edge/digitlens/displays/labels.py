"""Tracked numbers and a status line, drawn on a live picture of any size."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.readings import Box
from digitlens.core.tracking import Tracked
from digitlens.images import labels
from digitlens.images.label_layout import CAPITAL, text_size
from digitlens.images.labels import INK, Plan, Planner

MIN_HEIGHT = 10
"""Least height of the status line's letters, in pixels."""
SCREEN_LETTERS = 42
"""Height of a larger screen, in heights of the status line's letters."""


def draw_labels(
    canvas: Pixels,
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str = "",
    place: Box | None = None,
    planner: Planner | None = None,
    image: Pixels | None = None,
) -> None:
    """Draw frames and labels on `canvas` (H, W, 3) uint8 BGR, in place; see digitlens.images.labels.

    Args:
        canvas: the picture at the size at which it is shown, so that labels are sharp and readable there.
        numbers: their boxes are in pixels of a picture of `size`.
        size: width and height.
        status: the line at the bottom; empty for none.
        place: the picture's box on the canvas; None is all of it.
        planner: handed in with the next picture too, it keeps labels in their places.
        image: the picture, of any size, whose ink labels keep clear of.
    """
    shape = canvas.shape[1], canvas.shape[0]
    _draw(canvas, _plan(shape, numbers, size, status, place, planner, image), status)


def label_layer(
    shape: tuple[int, int],
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str = "",
    planner: Planner | None = None,
    image: Pixels | None = None,
) -> Pixels:
    """The labels alone, as a new (H, W, 4) RGBA uint8 of `shape` (width, height), to lie over a picture.

    Drawn on black and on white: where the two differ, the picture shines through.
    """
    plan = _plan(shape, numbers, size, status, None, planner, image)
    black, white = (np.full((shape[1], shape[0], 3), level, np.uint8) for level in (0, 255))
    for canvas in (black, white):
        _draw(canvas, plan, status)
    rgba: Pixels = cv2.cvtColor(black, cv2.COLOR_BGR2RGBA).astype(np.uint8, copy=False)
    np.subtract(255, white[..., 1] - black[..., 1], out=rgba[..., 3])
    return rgba


def draw_help(canvas: Pixels, keys: Sequence[tuple[str, str]]) -> None:
    """Draw what keys do, and what frames mean, over the middle of `canvas` (H, W, 3) uint8 BGR, in place."""
    height, width = canvas.shape[:2]
    lines = len(keys) + len(labels.LEGEND)
    tall = min(max(MIN_HEIGHT, height // SCREEN_LETTERS), height // (2 * lines + 3))
    texts = [text for _, text in (*keys, *labels.LEGEND)]
    tall = max(6, min(tall, round(tall * 0.9 * width / _help_width(texts, tall))))
    size, step, wide = tall / CAPITAL, 2 * tall, _help_width(texts, tall)
    high = step * lines + 2 * tall
    left, top = max(0, (width - wide) // 2), max(0, (height - high) // 2)
    canvas[top : top + high, left : left + wide] //= 6
    for line, (key, text) in enumerate(keys):
        base = top + tall + line * step + round(1.3 * tall)
        labels.write(canvas, key, (left + tall, base), size, labels.UNSTEADY)
        labels.write(canvas, text, (left + 7 * tall, base), size, INK)
    for line, (look, text) in enumerate(labels.LEGEND, len(keys)):
        base = top + tall + line * step + round(1.3 * tall)
        labels.draw_sample(canvas, look, (left + round(1.5 * tall), base - tall, 3 * tall, tall))
        labels.write(canvas, text, (left + 7 * tall, base), size, INK)


def _help_width(texts: Sequence[str], tall: int) -> int:
    return max(text_size(text, tall / CAPITAL)[0] for text in texts) + 8 * tall


def _plan(
    shape: tuple[int, int],
    numbers: Sequence[Tracked],
    size: tuple[int, int],
    status: str,
    place: Box | None,
    planner: Planner | None,
    image: Pixels | None,
) -> Plan:
    low = shape[1] - (_bar(shape, status).strip if status else 0)
    return (planner or Planner()).plan((shape[0], low), numbers, size, image, place or (0, 0, *shape))


def _draw(canvas: Pixels, plan: Plan, status: str) -> None:
    if status:
        bar = _bar((canvas.shape[1], len(canvas)), status)
        canvas[max(0, len(canvas) - bar.strip) :] //= 4
        labels.write(canvas, status, (bar.margin, len(canvas) - bar.base), bar.size, INK)
    labels.draw(canvas, plan)


class _Bar(NamedTuple):
    size: float
    margin: int
    base: int
    strip: int


def _bar(shape: tuple[int, int], status: str) -> _Bar:
    """The status line: its letters' size, its left margin, its baseline and its top above the edge."""
    width, height = shape
    size = max(MIN_HEIGHT, height / SCREEN_LETTERS) / CAPITAL
    wide, base = text_size(status, size)
    size *= min(1.0, (width - 8) / wide)  # complete even on the narrowest screen
    margin = max(3, round(0.3 * size * CAPITAL))
    return _Bar(size, margin, margin + base // 2, round(size * CAPITAL) + 2 * margin + base // 2)
