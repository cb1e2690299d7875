"""Stroke pictures: characters enlarged to smooth strokes, distorted, thickened, broken, or drawn.

A stroke picture is (SIDE, SIDE) float32, 1 on ink, 0 on paper, its edges one pixel wide.
"""

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray

Stroke = npt.NDArray[np.float32]

SIDE = 112
"""Side of a stroke picture, in pixels."""
INNER = 80
"""Longer side of a character's ink, in pixels; the margin is room to distort it."""
STRAIGHT = 0.25
"""Largest ratio of the ink's standard deviations across and along its main axis in a straight stroke."""


def enlarge(picture: Gray) -> Stroke:
    """(h, w) uint8, white ink on black -> its stroke picture, the ink's longer side INNER pixels."""
    x, y, w, h = cv2.boundingRect((picture > 40).astype(np.uint8))
    if w == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    ink = np.pad(picture[y : y + h, x : x + w].astype(np.float32) / 255, 2)
    scale = INNER / max(w, h)
    large = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), 0.3 * scale)
    # Enlarging turns an edge into a ramp; a higher contrast around half makes it an edge again.
    return _centered(np.clip((large - 0.5) * scale + 0.5, 0, 1))


def bend(stroke: Stroke, random: np.random.Generator, strength: float) -> Stroke:
    """Rotate, slant, stretch and warp smoothly; `strength` 1 is natural handwriting."""
    turn = np.deg2rad(random.normal(0, 7 * strength))
    slant = random.normal(0, 0.16 * strength)
    across, down = np.exp(random.normal(0, 0.12 * strength, 2))
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inverse = np.linalg.inv(linear @ np.array([[across, slant], [0, down]]))
    grid = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    x, y = np.meshgrid(grid, grid)
    warp = random.normal(0, 2.2 * strength, (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for field in warp)
    middle = (SIDE - 1) / 2
    map_x = (inverse[0, 0] * x + inverse[0, 1] * y + dx + middle).astype(np.float32)
    map_y = (inverse[1, 0] * x + inverse[1, 1] * y + dy + middle).astype(np.float32)
    return cv2.remap(stroke, map_x, map_y, cv2.INTER_LINEAR).astype(np.float32, copy=False)


def width(stroke: Stroke) -> float:
    """The pen's width in pixels: twice the distance from a stroke's center line to its edge."""
    distance = cv2.distanceTransform((stroke > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    inked = distance[distance > 0]
    return 2 * float(np.percentile(inked, 85)) if inked.size else 0.0


def repen(stroke: Stroke, wanted: float) -> Stroke:
    """The same character by a pen `wanted` pixels wide, as far as thinning does not break it."""
    now = width(stroke)
    if now == 0:
        return stroke
    more = max((wanted - now) / 2, -0.3 * now)
    inside = (stroke > 0.5).astype(np.uint8)
    signed = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    thick: Stroke = np.clip(signed + more + 0.5, 0, 1).astype(np.float32)
    return thick


def cut(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """A lifted pen: a gap of a few pixels somewhere in the ink."""
    places = np.argwhere(stroke > 0.5)
    if not len(places):
        return stroke
    y, x = places[random.integers(len(places))]
    angle, length = random.uniform(0, np.pi), random.uniform(8, 22)
    dx, dy = int(length * np.cos(angle)), int(length * np.sin(angle))
    gone = np.zeros((SIDE, SIDE), np.uint8)
    ends = (int(x) - dx, int(y) - dy), (int(x) + dx, int(y) + dy)
    cv2.line(gone, *ends, (255,), int(random.integers(2, 5)))
    return np.where(gone > 0, 0, stroke).astype(np.float32)


def dry_out(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """A pen that runs dry: gaps as large as the pen or smaller."""
    grain = max(2, round(width(stroke) * random.uniform(0.25, 0.8)))
    side = -(-SIDE // grain)
    coarse = random.random((side, side)).astype(np.float32)
    given = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.where(given < random.uniform(0.2, 0.42), 0, stroke).astype(np.float32)


def is_straight(stroke: Stroke) -> bool:
    """Whether the ink is little more than one straight stroke."""
    places = np.argwhere(stroke > 0.5)
    if len(places) < 3:
        return True
    short, long = np.sqrt(np.linalg.eigvalsh(np.cov(places.T)).clip(0.0))
    return bool(short < STRAIGHT * long)


def remove_line(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """Remove a ruled line, mostly at the character's foot, as digitlens.paper.rules.lines does.

    Ink along the line is lost with it, ink that crosses it stays.
    """
    rows = np.flatnonzero((stroke > 0.5).any(axis=1))
    if not len(rows):
        return stroke
    place = random.normal(0.94, 0.05) if random.random() < 0.7 else random.uniform(0, 1)
    middle, pen = rows[0] + place * (rows[-1] - rows[0]), random.uniform(4, 12)
    at = middle + (np.arange(SIDE) - SIDE / 2) * random.normal(0, 0.05)
    inside = np.abs(np.arange(SIDE)[:, np.newaxis] - at) <= pen / 2
    tall = np.ones((max(2, round(2 * pen)), 1), np.uint8)
    crossing = cv2.morphologyEx((stroke > 0.5).astype(np.uint8), cv2.MORPH_OPEN, tall) > 0
    return np.where(inside & ~crossing, 0, stroke).astype(np.float32)


def draw(lines: list[npt.NDArray[np.float64]], pen: float) -> Stroke:
    """Polylines, (N, 2) of x and y in 0..1, drawn with round ends by a pen `pen` pixels wide."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    margin = (SIDE - INNER) / 2
    for line in lines:
        points = ((line * INNER + margin) * 16).round().astype(np.int32)
        cv2.polylines(canvas, [points], False, (255,), max(1, round(pen)), cv2.LINE_AA, shift=4)
    return np.divide(canvas, 255, dtype=np.float32)


def one(random: np.random.Generator) -> Stroke:
    """A 1 as many people write it: an upstroke of any length, steep if long, with or without a foot."""
    lean = random.normal(0.08, 0.08)
    top, bottom = np.array([0.5 + lean, 0.0]), np.array([0.5 - lean, 1.0])
    reach = random.uniform(0.12, 0.6)
    fall = min(0.7, max(0.12, reach * random.uniform(0.7, 1.6)))  # a long flat upstroke makes a 7
    if random.random() < 0.25:  # an upstroke from the baseline
        reach, fall = random.uniform(0.15, 0.55), random.uniform(0.6, 1.0)
    start = top + np.array([-reach, fall])
    lines = [np.stack([start, (start + top) / 2 + random.normal(0, 0.03, 2), top, bottom])]
    if random.random() < 0.3:
        half = random.uniform(0.1, 0.35)
        foot = np.array([[-half, 0], [half, random.normal(0, 0.03)]])
        lines.append(bottom + foot)
    return draw(lines, random.uniform(3, 11))


def cross_seven(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """The bar through a 7's stem."""
    rows = np.flatnonzero((stroke > 0.5).any(axis=1))
    if not len(rows):
        return stroke
    y = int(rows[0] + (rows[-1] - rows[0]) * random.uniform(0.4, 0.75))
    columns = np.flatnonzero(stroke[y] > 0.5)
    if not len(columns):
        return stroke
    x, half, tilt = int(columns.mean()), int(random.uniform(10, 24)), int(random.normal(2, 4))
    bar = np.zeros((SIDE, SIDE), np.uint8)
    pen = max(2, round(0.8 * width(stroke)))
    cv2.line(bar, (x - half, y + tilt), (x + half, y - tilt), (255,), pen, cv2.LINE_AA)
    return np.maximum(stroke, np.divide(bar, 255, dtype=np.float32))


def _centered(ink: Stroke) -> Stroke:
    """Center the ink in a stroke picture; larger ink, the frame around a speck, is cropped."""
    height, wide = ink.shape
    over_y, over_x = max(0, height - SIDE), max(0, wide - SIDE)
    ink = ink[over_y // 2 : over_y // 2 + SIDE, over_x // 2 : over_x // 2 + SIDE]
    height, wide = ink.shape
    top, left = (SIDE - height) // 2, (SIDE - wide) // 2
    canvas = np.zeros((SIDE, SIDE), np.float32)
    canvas[top : top + height, left : left + wide] = ink
    return canvas
