"""Photos of synthetic pages: blank sheets with printed lines, ink on them, and the camera's view."""

from typing import Literal

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Pixels

Kind = Literal["plain", "ruled", "squared", "table"]

SHEETS = ((238, 240, 242), (225, 235, 238), (205, 228, 240), (228, 222, 214), (190, 196, 200))
"""Paper colors, BGR: white, ivory, yellowish, bluish, recycled."""
PENS = ((40, 35, 35), (120, 50, 30), (45, 40, 190), (60, 100, 40), (95, 95, 95))
"""Ink colors, BGR: black, blue, red, green, pencil."""


def sheet(size: tuple[int, int], kind: Kind, step: float, random: np.random.Generator) -> Floats:
    """A blank sheet (height, width, 3) float32 BGR; its rules, squares or table rows are `step` pixels apart.

    A table's columns have random widths.
    """
    width, height = size
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = SHEETS[int(random.integers(len(SHEETS)))]
    if kind == "plain":
        return canvas
    dark = kind == "table" or random.random() < 0.2
    depth = random.uniform(0.35, 0.8) if dark else random.uniform(0.08, 0.3)
    tint = canvas[0, 0] * (1 - depth * np.array([0.6, 0.9, 1.0]))
    pen = int(random.integers(1, 4 if dark else 3))
    offset = random.uniform(0, step)
    for y in np.arange(offset, height, step):
        cv2.line(canvas, (0, round(y)), (width, round(y)), tint.tolist(), pen, cv2.LINE_AA)
    if kind != "ruled":
        steps = random.uniform(0.8, 3.0, 64) * step if kind == "table" else np.full(width, step)
        for x in offset + np.cumsum(steps):
            cv2.line(canvas, (round(x), 0), (round(x), height), tint.tolist(), pen, cv2.LINE_AA)
    return canvas


def write(page: Floats, ink: Floats, random: np.random.Generator) -> Floats:
    """Put ink (height, width), 0 to 1, on a sheet, in one of PENS."""
    color = np.array(PENS[int(random.integers(len(PENS)))], np.float32)
    pressed = random.uniform(0.6, 1.0)
    return page + pressed * ink[..., np.newaxis] * (color - page)


def photograph(page: Floats, random: np.random.Generator) -> Pixels:
    """A photo (height, width, 3) uint8 BGR: perspective, uneven light, a shadow, blur, noise and JPEG."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = np.deg2rad(random.normal(0, 1.5))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    middle = np.array([width / 2, height / 2], np.float32)
    moved = (corners - middle) @ rotation.T * np.float32(1.03) + middle
    moved += random.normal(0, 0.008 * width, (4, 2)).astype(np.float32)
    warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    warped = cv2.warpPerspective(page, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = random.normal(0, 0.12, 2)
    light = random.uniform(0.45, 1.0) * (1 + slope[0] * x + slope[1] * y)
    light *= 1 - random.uniform(0, 0.3) * (x**2 + y**2) / 2  # a vignette
    if random.random() < 0.4:
        angle, edge = random.uniform(0, 2 * np.pi), random.uniform(-0.2, 0.6)
        beyond = (np.cos(angle) * x + np.sin(angle) * y - edge) / random.uniform(0.05, 0.3)
        light *= 1 - random.uniform(0.15, 0.5) / (1 + np.exp(-beyond))
    cast = np.clip(random.normal(1, 0.04, 3), 0.85, 1.1)
    lit = warped * light[..., np.newaxis] * cast
    soft = random.uniform(0.3, 1.3)
    lit = cv2.GaussianBlur(lit, (0, 0), soft) + random.normal(0, random.uniform(0.5, 5), lit.shape)
    photo = np.clip(lit, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(70, 96))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
