"""Pen paths of what no data set holds: signs, ones, linked zeros, scribbles, words without meaning.

All in units of the writing's height: x from about 0, y from 0 at its top to 1 at its baseline.
"""

import numpy as np

from digitlens.core.arrays import Doubles

Paths = list[Doubles]

RAISED = 0.15
"""Share of the points that stand at half the writing's height."""
STEPS = 5
"""Points of a curve from each of its points to the next."""

SIGN_PATHS: dict[str, list[list[tuple[float, float]]]] = {
    ".": [[(0, 0.97), (0.02, 0.99)]],
    ",": [[(0.08, 0.9), (0.08, 1.0), (0.0, 1.15)]],
    ":": [[(0, 0.4), (0.02, 0.42)], [(0, 0.9), (0.02, 0.92)]],
    "-": [[(0, 0.55), (0.4, 0.53)]],
    "+": [[(0, 0.55), (0.5, 0.54)], [(0.25, 0.3), (0.24, 0.8)]],
    "=": [[(0, 0.45), (0.45, 0.44)], [(0, 0.65), (0.45, 0.64)]],
    "/": [[(0.45, -0.05), (0.0, 1.1)]],
    "(": [[(0.25, -0.08), (0.05, 0.3), (0.05, 0.7), (0.25, 1.1)]],
    ")": [[(0.0, -0.08), (0.2, 0.3), (0.2, 0.7), (0.0, 1.1)]],
    "x": [[(0, 0.4), (0.4, 0.95)], [(0.4, 0.42), (0.0, 0.97)]],
    "*": [[(0, 0.3), (0.3, 0.6)], [(0.3, 0.3), (0, 0.6)], [(0.15, 0.25), (0.15, 0.65)]],
    "<": [[(0.4, 0.3), (0, 0.55), (0.4, 0.8)]],
    ">": [[(0, 0.3), (0.4, 0.55), (0, 0.8)]],
    "%": [
        [(0.5, 0), (0.05, 1)],
        [(0.1, 0), (0, 0.15), (0.15, 0.2), (0.1, 0)],
        [(0.5, 0.8), (0.4, 0.95), (0.55, 1), (0.5, 0.8)],
    ],
    "?": [[(0, 0.2), (0.2, 0), (0.4, 0.2), (0.2, 0.5), (0.2, 0.75)], [(0.2, 0.97), (0.21, 0.99)]],
    "!": [[(0.03, 0), (0, 0.75)], [(0, 0.97), (0.01, 0.99)]],
    "$": [
        [(0.45, 0.2), (0.2, 0.1), (0.05, 0.3), (0.4, 0.6), (0.3, 0.9), (0, 0.8)],
        [(0.25, -0.1), (0.22, 1.1)],
    ],
    "#": [
        [(0.2, 0.1), (0.1, 0.95)],
        [(0.42, 0.1), (0.32, 0.95)],
        [(0, 0.4), (0.55, 0.38)],
        [(0, 0.7), (0.5, 0.68)],
    ],
    "\u2713": [[(0, 0.6), (0.15, 0.95), (0.6, 0.1)]],
}
"""Signs as people write them, a list of paths each."""


_PARTS = np.linspace(0, 1, STEPS, endpoint=False)[:, np.newaxis] ** np.arange(4)
_CURVE = 0.5 * _PARTS @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
"""(STEPS, 4), weights of a Catmull-Rom spline's four points."""


def smooth(points: Doubles) -> Doubles:
    """A Catmull-Rom spline through all the points, (N, 2) -> (STEPS * (N - 1) + 1, 2)."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    fours = np.stack([ends[k : len(ends) - 3 + k] for k in range(4)], axis=1)  # (N - 1, 4, 2)
    return np.concatenate([(_CURVE @ fours).reshape(-1, 2), points[-1:]])


def sign(random: np.random.Generator, which: str) -> Paths:
    """A sign of SIGN_PATHS, a dash for one that is not there; its points are displaced a little."""
    paths = SIGN_PATHS.get(which, SIGN_PATHS["-"])
    size = float(np.exp(random.normal(0, 0.2)))
    shift = random.normal(0, 0.05)
    if which == "." and random.random() < RAISED:
        shift -= random.uniform(0.3, 0.55)
    lines = []
    for path in paths:
        points = np.array(path, np.float64)
        points = points + random.normal(0, 0.02, points.shape)
        points[:, 0] *= size
        if which not in "/()$%#":
            points[:, 1] = points[:, 1] * size + (1 - size) * (0.95 if which in ".,:!?" else 0.55) + shift
        lines.append(smooth(points) if which in "()$%?" else points)
    return lines


def one(random: np.random.Generator, upstroke: bool, foot: bool) -> Paths:
    """A 1: a stem, with or without an upstroke of any length and a foot."""
    lean = random.normal(0.03, 0.05)
    lines: Paths = []
    top, bottom = np.array([0.3 + lean, 0.0]), np.array([0.3 - lean, 1.0])
    if upstroke:
        reach = random.uniform(0.08, 0.45)
        start = top + np.array([-reach, reach * random.uniform(0.5, 1.5)])
        lines.append(np.stack([start, (start + top) / 2 + random.normal(0, 0.02, 2), top, bottom]))
    else:
        lines.append(np.stack([top, (top + bottom) / 2 + random.normal(0, 0.02, 2), bottom]))
    if foot:
        half = random.uniform(0.12, 0.35)
        lines.append(bottom + np.array([[-half, 0], [half, random.normal(0, 0.03)]]))
    return lines


def linked_zeros(random: np.random.Generator, count: int) -> Paths:
    """Zeros without lifting the pen, linked at their heads or by an arc below them."""
    wide, pitch = random.uniform(0.2, 0.4), random.uniform(0.5, 0.95)
    begin = random.uniform(-0.35, -0.1)
    points = []
    for k in range(count):
        turn = np.linspace(0, random.uniform(0.95, 1.1), 16)
        angle = 2 * np.pi * (begin - turn)
        across, tall = wide * np.exp(random.normal(0, 0.1)), 0.5 * np.exp(random.normal(0, 0.08))
        points.append(np.stack([k * pitch + across * np.cos(angle), 0.5 + tall * np.sin(angle)], axis=1))
    if random.random() < 0.4:
        points.append(points[-1][-1:] + np.array([random.uniform(0.1, 0.3), random.uniform(-0.15, 0.05)]))
    return [np.concatenate(points)]


def scribble(random: np.random.Generator, wide: float, tall: float) -> Paths:
    """A wandering pen that fills wide x tall."""
    count = int(random.integers(6, 40))
    points = np.cumsum(random.normal(0, 1, (count, 2)), axis=0)
    points -= points.min(axis=0)
    points *= np.array([wide, tall]) / np.maximum(points.max(axis=0), 1e-6)
    return [smooth(points)]


def zigzag(random: np.random.Generator, wide: float, tall: float) -> Paths:
    """A pen that goes back and forth over wide x tall, as over what is blotted out."""
    count = int(random.integers(5, 14))
    x = np.linspace(0, wide, count) + random.normal(0, 0.04 * wide, count)
    y = np.where(np.arange(count) % 2, tall, 0.0) + random.normal(0, 0.12 * tall, count)
    points = np.stack([x, y], axis=1)
    return [smooth(points) if random.random() < 0.5 else points]


def nonsense(random: np.random.Generator, letters: int) -> Paths:
    """Looks like a word of cursive letters and is none."""
    count = 2 * letters + 1
    x = np.arange(count) * 0.22 + random.normal(0, 0.06, count)
    y = np.where(np.arange(count) % 2, 0.45, 1.0) + random.normal(0, 0.06, count)
    ascenders = (random.random(count) < 0.15) & (np.arange(count) % 2 == 1)
    y[ascenders] = random.uniform(0, 0.1)
    return [smooth(np.stack([x, y], axis=1))]


def drawing(random: np.random.Generator) -> Paths:
    """An ellipse, an arrow, a spiral, a star, a wave or a few strokes, about in the unit square."""
    kind = int(random.integers(6))
    if kind == 0:
        angle = np.linspace(0, 2 * np.pi * random.uniform(0.9, 1.6), 40)
        return [np.stack([0.5 + 0.5 * np.cos(angle), 0.5 + random.uniform(0.2, 0.5) * np.sin(angle)], axis=1)]
    if kind == 1:
        return [np.array([[0.0, 0.5], [1.0, 0.5]]), np.array([[0.75, 0.3], [1.0, 0.5], [0.75, 0.7]])]
    if kind == 2:
        angle = np.linspace(0, random.uniform(10, 25), 80)
        far = 0.5 * angle / angle[-1]
        return [np.stack([0.5 + far * np.cos(angle), 0.5 + far * np.sin(angle)], axis=1)]
    if kind == 3:
        angle = np.arange(6) * 4 * np.pi / 5 - np.pi / 2
        return [np.stack([0.5 + 0.5 * np.cos(angle), 0.5 + 0.5 * np.sin(angle)], axis=1)]
    if kind == 4:
        x = np.linspace(0, 1, 40)
        return [np.stack([x, 0.5 + 0.2 * np.sin(x * random.uniform(8, 40))], axis=1)]
    return [random.uniform(0, 1, (2, 2)) for _ in range(int(random.integers(2, 8)))]
