"""Negatives: stroke pictures of non-digits, and clutter beside a digit."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens_train import strokes
from digitlens_train.strokes import SIDE, Stroke

Digits = tuple[Sequence[Gray], Gray]
MIDDLE = SIDE // 2


def draw(random: np.random.Generator, characters: list[Sequence[Gray]], digits: Digits) -> Stroke:
    """A character of another alphabet, a piece of a digit, two digits, a line, a blot or a scribble."""
    kind = random.random()
    if characters and kind < 0.6:
        stroke = _character(random, characters)
    else:  # without data sets of other characters, the other kinds alone
        makers: list[Callable[[np.random.Generator, Digits], Stroke]] = [
            _half,
            _pair,
            _over_cut,
            _line,
            _blot,
        ]
        stroke = [*makers, _scribble][random.integers(len(makers) + 1)](random, digits)
    if random.random() < 0.5:
        stroke = strokes.repen(stroke, float(np.exp(random.uniform(np.log(2.5), np.log(16)))))
    return strokes.bend(stroke, random, 0.8)


def _character(random: np.random.Generator, characters: list[Sequence[Gray]]) -> Stroke:
    pictures = characters[int(random.integers(len(characters)))]
    return strokes.enlarge(pictures[int(random.integers(len(pictures)))])


def _half(random: np.random.Generator, digits: Digits) -> Stroke:
    """Half of a digit; not of a 1, 7 or 8, whose halves may look like another digit."""
    images, labels = digits
    while True:
        index = int(random.integers(len(labels)))
        if labels[index] in (0, 2, 3, 4, 5, 6, 9):
            break
    ink = images[index]
    x, y, w, h = cv2.boundingRect(ink)
    part = ink.copy()
    if labels[index] in (0, 3) or random.random() < 0.5:
        part[y + h // 2 :] = 0
        if random.random() < 0.5 and labels[index] not in (6, 3):
            part = ink.copy()
            part[: y + h // 2] = 0
    else:
        part[:, x + w // 2 :] = 0
    return strokes.enlarge(part)


def _pair(random: np.random.Generator, digits: Digits) -> Stroke:
    """Two touching digits that the runtime did not cut."""
    images, labels = digits
    first, second = (images[int(random.integers(len(labels)))] for _ in range(2))
    canvas = np.zeros((40, 64), np.uint8)
    canvas[6:34, 2:30] = first
    _, _, wide, _ = cv2.boundingRect(first)
    gap = int(28 - (28 - wide) * 0.75 - random.integers(2, 8))
    shift = int(random.integers(-3, 4))
    left = max(4, min(34, gap))
    part = canvas[6 + shift : 34 + shift, left : left + 28]
    np.maximum(part, second, out=part)
    return strokes.enlarge(canvas)


def _over_cut(random: np.random.Generator, digits: Digits) -> Stroke:
    """A digit and a large part of its neighbor, cut at the wrong place."""
    images, labels = digits
    first, second = (images[int(random.integers(len(labels)))] for _ in range(2))
    (x, _, wide, _), (x2, _, wide2, _) = cv2.boundingRect(first), cv2.boundingRect(second)
    part = max(3, round(wide2 * random.uniform(0.35, 0.65)))
    canvas = np.zeros((40, 64), np.uint8)
    left, shift = 6, 6 + int(random.integers(-2, 3))
    beside = left + wide - int(random.integers(0, 3))
    canvas[6:34, left : left + wide] = first[:, x : x + wide]
    spot = canvas[shift : shift + 28, beside : beside + part]
    np.maximum(spot, second[:, x2 : x2 + part], out=spot)
    return strokes.enlarge(canvas)


def _line(random: np.random.Generator, _: Digits) -> Stroke:
    """A dash, a bent ruled line, an equals sign, a corner of a table."""
    y = random.uniform(0.3, 0.7)
    tilt = random.normal(0, 0.08)
    lines = [np.array([[0, y], [0.5, y + tilt / 2 + random.normal(0, 0.03)], [1, y + tilt]])]
    if random.random() < 0.3:
        lines.append(lines[0] + [0, random.uniform(0.1, 0.3)])
    elif random.random() < 0.5:
        x = random.uniform(0, 1)
        lines.append(np.array([[x, 0.0], [x + tilt, 1.0]]))
    return strokes.draw(lines, random.uniform(2, 12))


def _blot(random: np.random.Generator, _: Digits) -> Stroke:
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    radius = random.uniform(8, 38) * np.exp(random.normal(0, 0.25, 8))
    stretch = random.uniform(0.5, 1.5)
    points = np.stack([MIDDLE + radius * np.cos(angles) * stretch, MIDDLE + radius * np.sin(angles)], axis=1)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(canvas, [points.round().astype(np.int32)], (255,))
    return np.divide(cv2.GaussianBlur(canvas, (0, 0), 2), 255, dtype=np.float32)


def _scribble(random: np.random.Generator, _: Digits) -> Stroke:
    return scribble(random)


def scribble(random: np.random.Generator, fewest: int = 6, most: int = 16) -> Stroke:
    """A wandering pen, of `fewest` up to `most` turns."""
    steps = int(random.integers(fewest, most))
    points = np.cumsum(random.normal(0, 0.3, (steps, 2)), axis=0)
    points = (points - points.min(axis=0)) / max(float(np.max(np.ptp(points, axis=0))), 0.1)
    smooth = np.stack(
        [np.interp(np.linspace(0, steps - 1, 60), np.arange(steps), points[:, k]) for k in (0, 1)], 1
    )
    return strokes.draw([_rounded(smooth)], random.uniform(2, 9))


def _rounded(line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    kernel = np.ones(5) / 5
    return np.stack(
        [np.convolve(np.pad(line[:, k], 2, mode="edge"), kernel, "valid") for k in (0, 1)], axis=1
    )


def add_clutter(stroke: Stroke, random: np.random.Generator, images: Sequence[Gray]) -> Stroke:
    """A piece of a neighbor's stroke beside a digit, or of a ruled line through it."""
    inked = np.argwhere(stroke > 0.5)
    if not len(inked):
        return stroke
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0)
    cluttered = stroke.copy()
    if random.random() < 0.5:
        other = strokes.enlarge(images[int(random.integers(len(images)))])
        columns = np.flatnonzero((other > 0.5).any(axis=0))
        bit = other[:, columns[0] : columns[0] + int(random.integers(4, 14))]
        start = int(right - 2) if random.random() < 0.5 else int(left - bit.shape[1] + 2)
        start = max(0, min(SIDE - bit.shape[1], start))
        part = cluttered[:, start : start + bit.shape[1]]
        np.maximum(part, bit, out=part)
        return cluttered
    rule = np.zeros((SIDE, SIDE), np.uint8)
    pen = int(random.integers(1, 4))
    if random.random() < 0.7:
        y = int(random.uniform(top, bottom))
        reach = int(random.integers(0, 14))
        ends = (int(left) - reach, y), (int(right) + reach, y + int(random.integers(-3, 4)))
    else:
        x = int(random.uniform(left, right))
        ends = (x, int(top)), (x + int(random.integers(-3, 4)), int(bottom))
    cv2.line(rule, *ends, (255,), pen)
    return np.maximum(cluttered, np.divide(rule, 255, dtype=np.float32))
