"""Backgrounds printed under a row: rules, squares, guilloche, weave, uprights; darkness 0 to 1."""

import cv2
import numpy as np

from digitlens.core.arrays import Floats


def draw(size: tuple[int, int], digit: float, random: np.random.Generator) -> Floats:
    """A random background (height, width) float32 for digits `digit` pixels high; mostly none."""
    width, height = size
    dark = np.zeros((height, width), np.float32)
    kind = random.random()
    if kind < 0.27:
        for _ in range(int(random.integers(1, 3))):
            np.maximum(dark, guilloche(size, digit, random), out=dark)
    elif kind < 0.33:
        np.maximum(dark, _weave(size, random), out=dark)
    elif kind < 0.38:
        np.maximum(dark, _squares(size, digit, random), out=dark)
    if random.random() < 0.1:
        np.maximum(dark, _uprights(size, digit, random), out=dark)
    return dark


def rules(
    size: tuple[int, int], places: list[float], digit: float, tilt: float, random: np.random.Generator
) -> Floats:
    """Ruled lines at the pixel rows `places`, across the picture."""
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    pen = max(1, round(digit * random.uniform(0.02, 0.08)))
    for y in places:
        rise = tilt * width / 2
        ends = (0, round((y - rise) * 16)), (width * 16, round((y + rise) * 16))
        cv2.line(canvas, *ends, (255,), pen, cv2.LINE_AA, 4)
    depth = random.uniform(0.08, 0.4) if random.random() < 0.5 else random.uniform(0.3, 0.85)
    return np.multiply(canvas, np.float32(depth / 255), dtype=np.float32)


def guilloche(size: tuple[int, int], digit: float, random: np.random.Generator) -> Floats:
    """A family of fine wavy lines, as on checks and banknotes."""
    width, height = size
    x = np.arange(width, dtype=np.float32)[np.newaxis] / np.float32(digit)
    y = np.arange(height, dtype=np.float32)[:, np.newaxis] / np.float32(digit)
    angle = random.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = x * cos + y * sin, y * cos - x * sin
    lines = random.uniform(2.5, 9)
    sway = random.uniform(0, 1.2) * np.sin(random.uniform(0.5, 5) * along + random.uniform(0, 6))
    sway += random.uniform(0, 0.4) * np.sin(random.uniform(3, 9) * along + random.uniform(0, 6))
    wave = np.cos(2 * np.pi * (lines * across + sway)).astype(np.float32)
    sharp, part = random.uniform(1, 4), random.uniform(-0.2, 0.6)
    depth = random.uniform(0.04, 0.32)
    lit = np.clip((wave - np.float32(part)) * np.float32(sharp), 0, 1)
    dark: Floats = np.multiply(lit, np.float32(depth)).astype(np.float32)
    return dark


def _weave(size: tuple[int, int], random: np.random.Generator) -> Floats:
    """Coarse grain, as on cloth or recycled paper."""
    width, height = size
    cell = random.uniform(1.5, 6)
    coarse = random.random((max(2, round(height / cell)), max(2, round(width / cell)))).astype(np.float32)
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth * np.float32(random.uniform(0.05, 0.3)), 0, 1).astype(np.float32)


def _squares(size: tuple[int, int], digit: float, random: np.random.Generator) -> Floats:
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    step = max(4.0, digit * random.uniform(0.45, 1.6))
    pen = max(1, round(digit * random.uniform(0.02, 0.05)))
    for x in np.arange(random.uniform(0, step), width, step):
        cv2.line(canvas, (round(x * 16), 0), (round(x * 16), height * 16), (255,), pen, cv2.LINE_AA, 4)
    for y in np.arange(random.uniform(0, step), height, step):
        cv2.line(canvas, (0, round(y * 16)), (width * 16, round(y * 16)), (255,), pen, cv2.LINE_AA, 4)
    return np.multiply(canvas, np.float32(random.uniform(0.06, 0.4) / 255), dtype=np.float32)


def _uprights(size: tuple[int, int], digit: float, random: np.random.Generator) -> Floats:
    """Vertical lines of a margin or a cell near one or both ends; longer than any 1."""
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    pen = max(1, round(digit * random.uniform(0.02, 0.1)))
    sides = ((0,), (1,), (0, 1))[int(random.integers(3))]
    for side in sides:
        x = random.uniform(0, 0.4) * digit
        x = width - 1 - x if side else x
        lean = random.normal(0, 0.02) * height
        ends = (round(x * 16), 0), (round((x + lean) * 16), height * 16)
        cv2.line(canvas, *ends, (255,), pen, cv2.LINE_AA, 4)
    return np.multiply(canvas, np.float32(random.uniform(0.1, 0.8) / 255), dtype=np.float32)
