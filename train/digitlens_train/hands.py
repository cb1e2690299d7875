"""Digits drawn anew in forms that MNIST has little of: crossed sevens, looped twos, open fours, far flags.

Each form is a few control points of a pen's way, x to the right and y down in the unit square, moved a
little anew for each digit and joined by a smooth curve (Catmull and Rom 1974).
"""

import numpy as np
import numpy.typing as npt

from digitlens_train import strokes
from digitlens_train.strokes import Stroke

Points = npt.NDArray[np.float64]
Way = list[tuple[float, float]]

SHARES = (0.07, 0.12, 0.15, 0.06, 0.12, 0.1, 0.04, 0.24, 0.02, 0.08)
"""Of the digits 0 to 9 among what is drawn: most of those whose forms differ most between hands."""
UNREST = 0.035
"""Standard deviation of a control point's place."""
STEPS = 10
"""Points of the curve between two control points."""


def draw(random: np.random.Generator) -> tuple[Stroke, int]:
    """A digit by any pen, and its label."""
    label = int(random.choice(10, p=SHARES))
    if label == 1:
        return strokes.one(random), label
    ways = _WAYS[label](random)
    lines = [_smooth(np.array(way) + random.normal(0, UNREST, (len(way), 2))) for way in ways]
    narrow = float(np.clip(np.exp(random.normal(-0.35, 0.25)), 0.35, 1.2))
    everything = np.concatenate(lines)
    low, high = everything.min(axis=0), everything.max(axis=0)
    side = max(float((high - low)[0]) * narrow, float((high - low)[1]))
    middle = (low + high) / 2
    fitted = [(line - middle) * [narrow / side, 1 / side] + 0.5 for line in lines]
    return strokes.draw(fitted, random.uniform(3, 12)), label


def _smooth(points: Points) -> Points:
    """A curve through all the points."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = (ends[k : len(ends) - 3 + k, np.newaxis] for k in range(4))
    t = np.linspace(0, 1, STEPS)[:, np.newaxis]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.asarray(curve, np.float64).reshape(-1, 2)


def _zero(random: np.random.Generator) -> list[Way]:
    """Closed, left open, or with a tail where the pen came in or went on."""
    way: Way = [(0.55, 0.02), (0.15, 0.22), (0.08, 0.7), (0.45, 0.98), (0.88, 0.7), (0.85, 0.25)]
    kind = random.random()
    if kind < 0.4:
        way += [(0.55, 0.03), (0.3, 0.12)]
    elif kind < 0.7:
        way += [(0.6, 0.06)]
    else:
        way = [(random.uniform(0.75, 1.1), random.uniform(-0.1, 0.05)), *way, (0.5, 0.1)]
    return [way]


def _two(random: np.random.Generator) -> list[Way]:
    """With a loop at its foot, small or as large as the head's."""
    head: Way = [(0.15, 0.25), (0.35, 0.02), (0.75, 0.06), (0.78, 0.35), (0.5, 0.68)]
    size = random.uniform(0.4, 1.4)
    x, y = 0.22, 0.86
    loop: Way = [
        (x, y + 0.08 * size),
        (x - 0.17 * size, y + 0.08 * size),
        (x - 0.16 * size, y - 0.08 * size),
        (x + 0.08 * size, y - 0.08 * size),
        (0.55, 0.94),
    ]
    if random.random() < 0.25:  # the pen flies off to the next digit
        return [[*head, *loop, (random.uniform(1.1, 1.6), random.uniform(0.5, 0.8))]]
    return [[*head, *loop, (random.uniform(0.85, 1.15), random.uniform(0.8, 1.0))]]


def _three(random: np.random.Generator) -> list[Way]:
    """With a flat top, or round and its lower belly running straight down."""
    if random.random() < 0.25:
        foot = random.uniform(0.35, 0.6)
        upper: Way = [(0.12, 0.1), (0.5, 0.0), (0.85, 0.12), (0.4, 0.36)]
        return [[*upper, (0.8, 0.5), (0.68, 0.72), (foot, random.uniform(0.95, 1.2))]]
    corner = random.uniform(0.7, 0.95)
    top: Way = [(0.08, 0.05), (0.4, 0.03), (corner, 0.03)]
    belly: Way = [(corner, 0.03), (0.45, 0.38), (0.8, 0.5), (0.85, 0.78), (0.5, 0.99), (0.08, 0.88)]
    return [top, belly]


def _four(random: np.random.Generator) -> list[Way]:
    """Open or closed, pointed or round, its stem of any length and reach."""
    bar = random.uniform(0.5, 0.75)
    foot = random.uniform(0.85, 1.15)
    kind = random.random()
    if kind < 0.3:  # a 9, but for its bar
        top = (random.uniform(0.5, 0.65), random.uniform(0.0, 0.06))
        bow = random.uniform(0.12, 0.3)
        corner: Way = [top, (bow + 0.12, 0.12), (bow - 0.06, bar * 0.7), (bow, bar)]
    elif kind < 0.65:
        corner = [(0.35, 0.0), (0.22, bar / 2), (0.08, bar)]
        top = (random.uniform(0.6, 0.85), random.uniform(0.0, 0.4))
    else:
        top = (random.uniform(0.55, 0.75), 0.0)
        corner = [top, (0.35, bar / 2), (0.05, bar)]
    across: Way = [corner[-1], (0.5, bar), (random.uniform(0.75, 1.15), bar - random.uniform(-0.02, 0.08))]
    return [corner, across, [top, (top[0] - 0.02, 0.5), (top[0] - random.uniform(0, 0.12), foot)]]


def _five(random: np.random.Generator) -> list[Way]:
    """Its flag short or far, and joined or not."""
    body: Way = [(0.28, 0.05), (0.2, 0.42), (0.5, 0.36), (0.85, 0.6), (0.65, 0.93), (0.08, 0.92)]
    start = 0.28 + max(0.0, random.normal(0, 0.06))
    reach = random.uniform(0.7, 1.5)
    return [body, [(start, 0.05), ((start + reach) / 2, 0.03), (reach, random.uniform(-0.08, 0.08))]]


def _six(random: np.random.Generator) -> list[Way]:
    close = random.uniform(0.15, 0.4)
    return [[(0.75, 0.0), (0.3, 0.35), (0.1, 0.72), (0.4, 0.99), (0.8, 0.8), (0.6, 0.52), (close, 0.68)]]


def _seven(random: np.random.Generator) -> list[Way]:
    """With a hook where the pen came in, a wave or a cup as its top, a bar through its stem at any height."""
    corner = random.uniform(0.75, 0.95)
    wave = random.normal(0, 0.05)
    top: Way = [(0.1, 0.1), (0.32, 0.06 + wave), (0.58, 0.1 - wave), (corner, 0.04)]
    kind = random.random()
    if kind < 0.2:
        cup = random.uniform(0.18, 0.38)
        top = [(random.uniform(0.1, 0.3), -0.02), (0.1, cup - 0.08), (0.38, cup), (corner, 0.02)]
    elif kind < 0.75:
        top = [(random.uniform(0.02, 0.14), random.uniform(0.15, 0.32)), *top]
    foot = random.uniform(0.25, 0.7)
    bend = random.normal(0, 0.06)
    stem: Way = [(corner, 0.04), ((corner + foot) / 2 + bend, 0.5), (foot, 1.0)]
    ways = [top, stem]
    if random.random() < 0.75:
        height = random.uniform(0.36, 0.8)
        x = corner + (foot - corner) * height + bend
        left, right = random.uniform(0.15, 0.5), random.uniform(0.1, 0.5)
        slope = random.normal(0.12, 0.18)
        ways.append([(x - left, height + slope * left), (x + right, height - slope * right)])
    return ways


def _eight(random: np.random.Generator) -> list[Way]:
    over = random.uniform(0.1, 0.3)
    down: Way = [(0.8, 0.18), (0.5, 0.0), (0.2, 0.2), (0.5, 0.47), (0.85, 0.76), (0.5, 1.0)]
    return [[*down, (0.12, 0.76), (0.5, 0.48), (0.78, over)]]


def _nine(random: np.random.Generator) -> list[Way]:
    """Its stem straight, curved, or curled far to the left."""
    head: Way = [(0.82, 0.18), (0.5, 0.02), (0.15, 0.22), (0.32, 0.48), (0.7, 0.38), (0.82, 0.16)]
    kind = random.random()
    if kind < 0.35:
        stem: Way = [(0.82, 0.16), (0.8, 0.6), (random.uniform(0.55, 0.85), 1.0)]
    else:
        stem = [
            (0.82, 0.16),
            (0.86, 0.66),
            (0.62, 0.98),
            (random.uniform(0.05, 0.3), random.uniform(0.8, 0.98)),
        ]
    return [head, stem]


_WAYS = {0: _zero, 2: _two, 3: _three, 4: _four, 5: _five, 6: _six, 7: _seven, 8: _eight, 9: _nine}
