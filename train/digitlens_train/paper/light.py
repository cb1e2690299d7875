"""Light on paper: gradients, vignettes, shadows with hard and soft edges, glare; 1 is full light."""

import cv2
import numpy as np

from digitlens.core.arrays import Floats
from digitlens_train.paper.geometry import Size

COARSE = 24
"""Points along each side of a smooth field before it is enlarged."""


def smooth(random: np.random.Generator, size: Size, cells: float, low: float, high: float) -> Floats:
    """A smooth random field (h, w) from `low` to `high` (or a little beyond), `cells` along its width."""
    height, width = size
    columns = max(2, round(cells))
    rows = max(2, round(cells * height / width))
    coarse = random.uniform(low, high, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def even(random: np.random.Generator, size: Size) -> Floats:
    """A scanner's light: nearly the same everywhere; now and then a dark strip at a book's back."""
    field = np.float32(1) + smooth(random, (COARSE, COARSE), 2, -0.015, 0.015)
    if random.random() < 0.08:
        x = np.linspace(0, 1, COARSE, dtype=np.float32)
        strip = 1 - random.uniform(0.2, 0.7) * np.exp(-x / np.float32(random.uniform(0.03, 0.15)))
        strip = strip[::-1] if random.random() < 0.5 else strip
        field = field * (strip if random.random() < 0.7 else strip[:, np.newaxis])
    return _enlarge(field, size)


def uneven(random: np.random.Generator, size: Size, strength: float = 1.0) -> Floats:
    """A room's light: a slope, a vignette, now and then a soft shadow or a lamp's spot; `strength` 0 to 1."""
    y, x = np.mgrid[-1 : 1 : COARSE * 1j, -1 : 1 : COARSE * 1j].astype(np.float32)
    angle, slope = random.uniform(0, 2 * np.pi), strength * abs(random.normal(0, 0.12))
    field = 1 + np.float32(slope) * (np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y)
    field -= np.float32(strength * random.uniform(0, 0.1)) * (x * x + y * y)
    if random.random() < 0.3 * strength:  # a soft shadow's edge, of a body or a shelf
        angle, place = random.uniform(0, 2 * np.pi), random.uniform(-0.6, 0.6)
        beyond = (np.cos(angle) * x + np.sin(angle) * y - place) / random.uniform(0.1, 0.5)
        field *= (1 - random.uniform(0.06, 0.4) / (1 + np.exp(-beyond))).astype(np.float32)
    if random.random() < 0.05 * strength:  # a lamp near one place
        far = (x - random.uniform(-1, 1)) ** 2 + (y - random.uniform(-1, 1)) ** 2
        field *= (random.uniform(0.5, 0.75) + random.uniform(0.3, 0.6) * np.exp(-far / 0.5)).astype(
            np.float32
        )
    return _enlarge(field, size)


def shadow(random: np.random.Generator, size: Size) -> Floats:
    """A shadow (h, w) with a seen edge, of a hand, a phone, a window's bars; 1 outside."""
    height, width = size
    small = max(2, height // 2), max(2, width // 2)
    mask = np.zeros(small, np.uint8)
    reach = np.array(small[::-1])
    kind = random.random()
    if kind < 0.5:
        center = random.uniform(-0.2, 1.2, 2) * reach
        corners = (
            center + random.normal(0, random.uniform(0.15, 0.7), (int(random.integers(3, 7)), 2)) * reach
        )
        cv2.fillPoly(mask, [cv2.convexHull(np.round(corners * 16).astype(np.int32))], (255,), cv2.LINE_AA, 4)
    elif kind < 0.8:  # an arm or a pen's shadow
        ends = random.uniform(-0.3, 1.3, (2, 2)) * reach
        pen = max(2, round(random.uniform(0.03, 0.4) * float(reach.min())))
        first, last = np.round(ends).astype(int).tolist()
        cv2.line(mask, first, last, (255,), pen, cv2.LINE_AA)
    else:  # a half-plane
        angle, place = random.uniform(0, 2 * np.pi), random.uniform(0.1, 0.9) * reach
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        far = 3.0 * reach.max()
        corners = np.array([place - along * far, place + along * far, place + (along + across) * far,
                            place + (across - along) * far])  # fmt: skip
        cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    soft = float(np.exp(random.uniform(np.log(0.6), np.log(0.12 * small[1] + 1))))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.uint8)
    depth = np.float32(random.uniform(0.12, 0.55) / 255)
    lit = np.float32(1) - depth * mask
    return np.asarray(cv2.resize(lit, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def glare(random: np.random.Generator, size: Size) -> Floats:
    """What a lamp's reflection adds, (h, w), 0 to about 0.6."""
    y, x = np.mgrid[-1 : 1 : COARSE * 1j, -1 : 1 : COARSE * 1j].astype(np.float32)
    wide, high = random.uniform(0.15, 0.8, 2)
    far = ((x - random.uniform(-1, 1)) / wide) ** 2 + ((y - random.uniform(-1, 1)) / high) ** 2
    return _enlarge((random.uniform(0.1, 0.6) * np.exp(-far)).astype(np.float32), size)


def _enlarge(field: Floats, size: Size) -> Floats:
    height, width = size
    large = cv2.resize(field.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)
