"""Whether a glyph is a handwritten digit: a small network learnt from generated pages.

A plus looks like a 4, a slash like a 1, and every letter like some digit. What tells them is more than their
shape: what the network `ink` takes their ink for, how high and where they stand beside their neighbors, what
those are, and the lines at their sides.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box, Digit
from digitlens.glyphs.lattice import Resolved
from digitlens.models.perceptron import Perceptron
from digitlens.paper.network import STEP
from digitlens.paper.page import Glyph, Page

OF_NEIGHBORS = ("gap", "height", "middle", "foot", "probability", "digit ink", "print ink", "a 1")
"""What is known of the nearest glyph on either side; lengths in heights of the glyph."""
CLASSES = ("digit ink", "writing ink", "print ink", "line ink")
FEATURES = (
    "log best digit",
    "log probability of a digit",
    "second to best digit",
    *(f"is {value}" for value in range(10)),
    "log aspect",
    "pixels high",
    "dark part of the box",
    *CLASSES,
    "ink of no glyph in the box",
    *(f"line {side}" for side in ("left", "right", "above", "below")),
    "at the picture's edge",
    *(f"left {what}" for what in OF_NEIGHBORS),
    *(f"right {what}" for what in OF_NEIGHBORS),
    "row's glyphs",
    "row's probability",
    *(f"row's {kind}" for kind in CLASSES),
    "height to the row's",
    "above gap",
    "above height",
    "below gap",
    "below height",
    "other writing left",
    "other writing right",
    "page's glyphs",
    "page's probability",
    *(f"page's {kind}" for kind in CLASSES),
    "height to the page's",
)
"""The inputs for a glyph; logarithms of ratios, and lengths in its heights."""
FLOOR = 1e-3
"""Smallest probability whose logarithm is an input."""
FAR = 6.0
"""Distance from which nothing counts, heights."""
LIMIT = 8.0
"""Largest input, either sign."""
PART = 256
"""Glyphs whose neighbors are looked for at a time."""

DEFAULT_MODEL = "rejection"

Bools = npt.NDArray[np.bool_]


class Rejection:
    """Tells handwritten digits from other glyphs; make one with `Rejection.load`."""

    def __init__(self, network: Perceptron, least: float) -> None:
        self._network, self._least = network, least

    @classmethod
    def load(cls, least: float, model: str | Path = DEFAULT_MODEL) -> Self:
        """A shipped model by name, or an .npz file by path; glyphs less probable than `least` are rejected.

        Raises:
            ModelError: no such model, or it does not fit its card.
        """
        return cls(Perceptron.load(model, len(FEATURES)), least)

    def __call__(self, resolved: Resolved, page: Page) -> tuple[Resolved, Page, Doubles]:
        """The glyphs that are digits, their page without the others, and their probabilities (N,)."""
        chances = self._network.probabilities(features(resolved, page))
        kept = chances >= self._least
        return *without(resolved, page, kept), chances[kept]


def without(resolved: Resolved, page: Page, kept: Bools) -> tuple[Resolved, Page]:
    """The glyphs that are kept (N,), and the page on which the others are other writing."""
    glyphs = resolved.glyphs
    left = [glyph for glyph, keep in zip(glyphs, kept.tolist(), strict=True) if keep]
    gone = [glyph for glyph, keep in zip(glyphs, kept.tolist(), strict=True) if not keep]
    return replace(resolved, glyphs=left, probabilities=resolved.probabilities[kept]), page.without(gone)


def digits_of(resolved: Resolved, chances: Doubles) -> list[Digit]:
    """Glyphs that are digits by these probabilities (N,), with the network's most probable value of each."""
    each = resolved.probabilities.astype(np.float64)
    best = each.max(axis=1, initial=0) * chances / np.maximum(each.sum(axis=1), FLOOR)
    values = each.argmax(axis=1)
    return [
        Digit(int(value), float(confidence), glyph.box)
        for glyph, value, confidence in zip(resolved.glyphs, values, best, strict=True)
    ]


def features(resolved: Resolved, page: Page) -> Floats:
    """(N, len(FEATURES)) float32, glyph by glyph."""
    count = len(resolved.glyphs)
    if not count:
        return np.zeros((0, len(FEATURES)), np.float32)
    boxes = np.array([glyph.box for glyph in resolved.glyphs], np.float64)
    heights, digits = boxes[:, 3], resolved.probabilities.astype(np.float64)
    ranked = np.sort(digits, axis=1)
    total = digits.sum(axis=1)
    inks = np.array([_ink(glyph, page) for glyph in resolved.glyphs])
    is_one = (digits.argmax(axis=1) == 1).astype(np.float64)
    own = np.column_stack(
        [
            _log(ranked[:, 9]),
            _log(total),
            ranked[:, 8] / np.maximum(ranked[:, 9], FLOOR),
            np.eye(10)[digits.argmax(axis=1)],
            np.log(boxes[:, 2] / heights),
            np.log(heights),
            inks,
            _at_edge(boxes, page.mask.shape),
        ]
    )
    known = np.column_stack([total, inks[:, 1:5]])
    around = np.empty((count, 2 * len(OF_NEIGHBORS) + 11))
    for start in range(0, count, PART):
        part = slice(start, start + PART)
        around[part] = _around(boxes, known, is_one, part)
    others = _others(boxes, page.others)
    mean = np.average(known, axis=0, weights=heights)
    of_page = np.column_stack(
        [
            np.full(count, np.log1p(count)),
            np.broadcast_to(mean, (count, len(mean))),
            np.log(heights) - np.log(np.median(heights)),
        ]
    )
    found = np.column_stack([own, around, others, of_page])
    return np.clip(found, -LIMIT, LIMIT).astype(np.float32)


def _log(probabilities: Doubles) -> Doubles:
    return np.asarray(np.log(np.maximum(probabilities, FLOOR)), np.float64)


def _at_edge(boxes: Doubles, shape: tuple[int, ...]) -> Doubles:
    """1 where a box touches the picture's edge, else 0."""
    x, y, w, h = boxes.T
    at_edge: Bools = (x <= 0) | (y <= 0) | (x + w >= shape[1]) | (y + h >= shape[0])
    return at_edge.astype(np.float64)


def _ink(glyph: Glyph, page: Page) -> tuple[float, ...]:
    """How full the box is, the mean classes of the glyph's ink, other ink in the box, and lines at its sides.

    The ink of no glyph is as a part of all ink in the box; a line's, as the part of a side that it covers.
    """
    x, y, width, height = glyph.box
    inked = glyph.ink > 0
    rows, columns = np.nonzero(inked[::STEP, ::STEP])
    of_ink = page.probabilities[y // STEP + rows, x // STEP + columns]
    of_ink = of_ink[of_ink.sum(axis=1) > 0]
    kinds = of_ink.mean(axis=0).tolist() if len(of_ink) else [0.0, 0.0, 0.0, 0.0]
    everything = int(np.count_nonzero(page.ink[y : y + height, x : x + width]))
    used = int(np.count_nonzero(page.mask[y : y + height, x : x + width]))
    outside = 1 - min(1.0, used / max(1, everything))
    return (float(inked.mean()), *kinds, outside, *_lines(glyph.box, page))


def _lines(box: Box, page: Page) -> tuple[float, float, float, float]:
    """The parts of a box's sides, left, right, above and below, along which a line runs close by."""
    x, y, width, height = box
    near = max(1, round(0.2 * height / STEP))
    left, top = x // STEP, y // STEP
    right, bottom = -(-(x + width) // STEP), -(-(y + height) // STEP)
    lines = page.lines
    beside = (
        lines[top:bottom, max(0, left - near) : left + 1],
        lines[top:bottom, max(0, right - 1) : right + near],
    )
    level = (
        lines[max(0, top - near) : top + 1, left:right],
        lines[max(0, bottom - 1) : bottom + near, left:right],
    )
    found = [float(part.any(axis=1).mean()) if part.size else 0.0 for part in beside]
    found += [float(part.any(axis=0).mean()) if part.size else 0.0 for part in level]
    return found[0], found[1], found[2], found[3]


def _around(boxes: Doubles, known: Doubles, is_one: Doubles, part: slice) -> Doubles:
    """What stands beside, above and below some of the glyphs.

    Args:
        boxes: of all glyphs (N, 4).
        known: of all glyphs the probability of a digit and the mean classes of the ink (N, 5).
        is_one: 1 where a glyph looks like a 1, else 0 (N,).
        part: the glyphs that are asked for.
    """
    x, y, w, h = boxes.T
    mine = boxes[part]
    places = np.arange(len(boxes))[part]
    tall = mine[:, 3]
    apart = (x + w / 2) - (mine[:, 0] + mine[:, 2] / 2)[:, np.newaxis]
    shared = np.minimum(y + h, (mine[:, 1] + tall)[:, np.newaxis]) - np.maximum(y, mine[:, 1, np.newaxis])
    level = shared >= 0.4 * np.minimum(h, tall[:, np.newaxis])
    level &= np.abs(apart) <= FAR * np.maximum(h, tall[:, np.newaxis])
    level[np.arange(len(mine)), places] = False
    parts = [_neighbor(boxes, known, is_one, mine, level & (side * apart > 0), apart) for side in (-1, 1)]
    weights = level * h
    sums = np.maximum(weights.sum(axis=1), FLOOR)
    row = (weights @ known) / sums[:, np.newaxis]
    usual = (weights @ np.log(h)) / sums
    alone = ~level.any(axis=1)
    parts.append(np.log1p(level.sum(axis=1))[:, np.newaxis])
    parts.append(np.where(alone[:, np.newaxis], 0.5, row))
    parts.append(np.where(alone, 0.0, np.log(tall) - usual)[:, np.newaxis])
    left, right = mine[:, 0, np.newaxis], (mine[:, 0] + mine[:, 2])[:, np.newaxis]
    across = np.minimum(x + w, right) - np.maximum(x, left)
    column = (across > 0) & ~level
    column[np.arange(len(mine)), places] = False
    gap_above = mine[:, 1, np.newaxis] - (y + h)
    gap_below = y - (mine[:, 1] + tall)[:, np.newaxis]
    for gaps in (gap_above, gap_below):
        usable = np.where(column & (gaps > -0.5 * np.minimum(h, tall[:, np.newaxis])), gaps, np.inf)
        nearest = usable.argmin(axis=1)
        gap = usable[np.arange(len(mine)), nearest] / tall
        ratio = np.where(gap < FAR, np.log(h[nearest] / tall), 0.0)
        parts.append(np.column_stack([np.minimum(gap, FAR), ratio]))
    return np.concatenate(parts, axis=1)


def _neighbor(
    boxes: Doubles, known: Doubles, is_one: Doubles, mine: Doubles, usable: Bools, apart: Doubles
) -> Doubles:
    """OF_NEIGHBORS (M, 8): the nearest usable glyph (M, N) to each box (M, 4), `apart` from it (M, N)."""
    distances = np.where(usable, np.abs(apart), np.inf)
    nearest = distances.argmin(axis=1)
    found = boxes[nearest]
    tall = mine[:, 3]
    gap = np.maximum(found[:, 0] - mine[:, 0] - mine[:, 2], mine[:, 0] - found[:, 0] - found[:, 2]) / tall
    middle = (found[:, 1] + found[:, 3] / 2 - mine[:, 1] - tall / 2) / tall
    foot = (found[:, 1] + found[:, 3] - mine[:, 1] - tall) / tall
    described = np.column_stack(
        [
            np.minimum(gap, FAR),
            np.log(found[:, 3] / tall),
            middle,
            foot,
            known[nearest][:, (0, 1, 3)],
            is_one[nearest],
        ]
    )
    nothing = np.array([FAR, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0])
    return np.where(usable.any(axis=1)[:, np.newaxis], described, nothing)


def _others(boxes: Doubles, others: Sequence[Box]) -> Doubles:
    """How near ink of no glyph stands to the left and to the right of each box (N, 2), in its heights."""
    found = np.full((len(boxes), 2), FAR)
    if not others:
        return found
    x, y, w, h = np.array(others, np.float64).T
    for k, (left, top, width, tall) in enumerate(boxes.tolist()):
        level = (y < top + tall) & (y + h > top) & (h > 0.3 * tall)
        for side, gaps in enumerate((left - x - w, x - left - width)):
            usable = gaps[level & (gaps >= -0.2 * tall)]
            found[k, side] = min(FAR, float(usable.min(initial=FAR * tall)) / tall)
    return found
