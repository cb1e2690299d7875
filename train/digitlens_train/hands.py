"""Digits drawn anew in forms that MNIST has little of, as hands outside America write them.

Crossed sevens, looped twos, open fours, fives as roots, nines on a stalk, eights that are not closed.

Each form is a few control points of a pen's way, x to the right and y down in the unit square, moved a
little anew for each digit and joined by a smooth curve (Catmull and Rom 1974).
"""

import numpy as np
import numpy.typing as npt

from digitlens_train import strokes
from digitlens_train.strokes import Stroke

Points = npt.NDArray[np.float64]
Way = list[tuple[float, float]]

SHARES = (0.09, 0.12, 0.13, 0.07, 0.1, 0.13, 0.07, 0.15, 0.05, 0.09)
"""Of the digits 0 to 9 among what is drawn: most of those whose forms differ most between hands."""
UNREST = 0.035
"""Standard deviation of a control point's place."""
STEPS = 10
"""Points of the curve between two control points."""


def draw(random: np.random.Generator, label: int | None = None) -> tuple[Stroke, int]:
    """A digit by any pen, and its label, if that is not given."""
    if label is None:
        label = int(random.choice(10, p=SHARES))
    if label == 1 and random.random() < 0.7:
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
    """Closed, left open, with a tail where the pen came in or went on, with a curl in it, or as an a."""
    way: Way = [(0.55, 0.02), (0.15, 0.22), (0.08, 0.7), (0.45, 0.98), (0.88, 0.7), (0.85, 0.25)]
    kind = random.random()
    if kind < 0.35:
        way += [(0.55, 0.03), (0.3, 0.12)]
    elif kind < 0.6:
        way += [(0.6, 0.06)]
    elif kind < 0.8:
        way = [(random.uniform(0.75, 1.1), random.uniform(-0.1, 0.05)), *way, (0.5, 0.1)]
    elif kind < 0.9:
        way += [(0.5, 0.04), (0.35, 0.22), (0.6, 0.33), (random.uniform(0.9, 1.3), random.uniform(0, 0.3))]
    else:
        top = random.uniform(0.05, 0.2)
        way = [(0.8, top), (0.35, 0.0), (0.05, 0.5), (0.35, 0.98), (0.75, 0.65), (0.85, top)]
        way += [(0.9, 0.7), (random.uniform(1.05, 1.3), random.uniform(0.85, 1.0))]
    return [way]


def _one(random: np.random.Generator) -> list[Way]:
    """With a narrow loop where the pen turned, or a hook at its foot."""
    foot = random.uniform(0.3, 0.5)
    start = random.uniform(0.05, 0.3), random.uniform(0.3, 0.75)
    if random.random() < 0.5:
        loop: Way = [start, (0.5, 0.15), (0.56, 0.0), (0.46, 0.03), (0.44, 0.3), (foot, 1.0)]
        return [loop]
    return [[start, (0.5, 0.0)], [(0.5, 0.0), (0.47, 0.5), (foot + 0.05, 0.92), (foot + 0.2, 0.97)]]


def _two(random: np.random.Generator) -> list[Way]:
    """With a loop at its foot, small or as large as the head's; as a Z; its head curled in."""
    kind = random.random()
    if kind < 0.3:  # no loop: sharp at the foot, and sometimes at the top
        reach = random.uniform(0.55, 1.1)
        base: Way = [(0.05, 0.97), (reach / 2, random.uniform(0.9, 1.0)), (reach, 0.97)]
        if random.random() < 0.5:
            top: Way = [(random.uniform(0, 0.2), random.uniform(0.02, 0.2)), (0.5, 0.03), (0.88, 0.06)]
            return [top, [(0.88, 0.06), (0.5, 0.5), (0.05, 0.97)], base]
        return [[(0.1, 0.3), (0.35, 0.02), (0.78, 0.1), (0.7, 0.42), (0.05, 0.97)], base]
    head: Way = [(0.15, 0.25), (0.35, 0.02), (0.75, 0.06), (0.78, 0.35), (0.5, 0.68)]
    if kind < 0.45:
        head = [(0.42, 0.33), (0.2, 0.25), (0.4, 0.0), (0.75, 0.15), (0.66, 0.5), (0.45, 0.75)]
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
    if random.random() < 0.3:  # hardly a foot
        return [[*head, *loop[:4], (random.uniform(0.4, 0.65), random.uniform(0.88, 1.0))]]
    return [[*head, *loop, (random.uniform(0.85, 1.15), random.uniform(0.8, 1.0))]]


def _three(random: np.random.Generator) -> list[Way]:
    """With a flat top, or round; its lower belly round, or running straight down to the left."""
    if random.random() < 0.25:
        foot = random.uniform(0.35, 0.6)
        upper: Way = [(0.12, 0.1), (0.5, 0.0), (0.85, 0.12), (0.4, 0.36)]
        return [[*upper, (0.8, 0.5), (0.68, 0.72), (foot, random.uniform(0.95, 1.2))]]
    corner = random.uniform(0.7, 0.95)
    top: Way = [(0.08, 0.05), (0.4, 0.03), (corner, 0.03)]
    belly: Way = [(corner, 0.03), (0.45, 0.38), (0.8, 0.5), (0.85, 0.78)]
    if random.random() < 0.3:
        return [top, [*belly[:3], (0.72, 0.75), (random.uniform(0.05, 0.35), random.uniform(1.0, 1.15))]]
    return [top, [*belly, (0.5, 0.99), (0.08, 0.88)]]


def _four(random: np.random.Generator) -> list[Way]:
    """Open or closed, pointed or round, its stem of any length and reach."""
    bar = random.uniform(0.5, 0.75)
    foot = random.uniform(0.85, 1.15)
    kind = random.random()
    if kind > 0.85:  # the stem apart from the corner, and leaning
        start = (random.uniform(0.7, 0.95), random.uniform(0.1, 0.45))
        bent: Way = [(random.uniform(0.35, 0.6), 0.0), (0.25, 0.5 * bar), (0.05, bar)]
        flat: Way = [(0.05, bar), (0.5, bar), (random.uniform(0.85, 1.2), bar - random.uniform(0, 0.15))]
        return [bent, flat, [start, (start[0] - random.uniform(0.05, 0.35), foot)]]
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
    """Its flag short or far, and joined or not; as an S; as a root, its belly no more than a hook."""
    kind = random.random()
    if kind < 0.2:
        top: Way = [(random.uniform(0.8, 1.1), random.uniform(0, 0.1)), (0.45, 0.04), (0.25, 0.28)]
        return [[*top, (0.55, 0.48), (0.78, 0.7), (0.5, 0.97), (0.05, random.uniform(0.8, 0.95))]]
    if kind < 0.38:
        hook = random.uniform(0.45, 0.8)
        stem: Way = [(0.6, 0.05), (0.45, 0.5), (0.3, 0.96), (0.12, 0.5 + 0.5 * hook), (0.03, hook)]
        return [stem, [(0.6, 0.05), (0.85, 0.02), (random.uniform(0.9, 1.6), random.uniform(-0.12, 0.05))]]
    body: Way = [(0.28, 0.05), (0.2, 0.42), (0.5, 0.36), (0.85, 0.6), (0.65, 0.93), (0.08, 0.92)]
    start = 0.28 + max(0.0, random.normal(0, 0.06))
    reach = random.uniform(0.7, 1.5)
    return [body, [(start, 0.05), ((start + reach) / 2, 0.03), (reach, random.uniform(-0.08, 0.08))]]


def _six(random: np.random.Generator) -> list[Way]:
    """Its loop closed or not; straight as a b; begun with a hook, its loop far to the right."""
    kind = random.random()
    if kind < 0.5:
        close = random.uniform(0.15, 0.4)
        return [[(0.75, 0.0), (0.3, 0.35), (0.1, 0.72), (0.4, 0.99), (0.8, 0.8), (0.6, 0.52), (close, 0.68)]]
    if kind < 0.75:
        way: Way = [(random.uniform(0.15, 0.35), 0.0), (0.12, 0.6), (0.3, 0.97), (0.75, 0.85)]
        return [[*way, (0.7, 0.6), (0.4, 0.58), (random.uniform(0.15, 0.35), 0.72)]]
    hook: Way = [(random.uniform(0.0, 0.15), 0.12), (0.22, 0.0), (0.22, 0.5), (0.45, 0.96)]
    return [[*hook, (0.88, 0.85), (0.9, 0.62), (0.65, 0.58), (random.uniform(0.35, 0.55), 0.75)]]


def _seven(random: np.random.Generator) -> list[Way]:
    """With a hook where the pen came in, a wave or a cup as its top, a bar through its stem at any height."""
    if random.random() < 0.1:  # nearly a t: hardly a top, a far bar
        lean, height = random.uniform(-0.05, 0.3), random.uniform(0.3, 0.55)
        stem_: Way = [(0.5 + lean, 0.0), (0.5, 0.5), (0.5 - lean, 1.0)]
        hook: Way = [(0.5 + lean - random.uniform(0.12, 0.3), random.uniform(0, 0.12)), stem_[0]]
        far = random.uniform(0.35, 0.75)
        return [hook, stem_, [(0.5 - random.uniform(0.15, 0.4), height + 0.04), (0.5 + far, height)]]
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
    """In one go; of two rings; or two crossing strokes that are closed below and open above."""
    kind = random.random()
    over = random.uniform(0.1, 0.3)
    if kind < 0.25:
        left, right = random.uniform(0.05, 0.25), random.uniform(0.75, 0.95)
        way: Way = [(right, 0.04), (0.48, 0.5), (0.18, 0.8), (0.45, 1.0), (0.72, 0.8)]
        return [[*way, (0.5, 0.5), (left, random.uniform(0.0, 0.15))]]
    if kind < 0.45:
        waist = random.uniform(0.4, 0.5)
        upper: Way = [(0.5, 0.0), (0.2, waist / 2), (0.5, waist), (0.8, waist / 2), (0.5, 0.0)]
        lower: Way = [(0.5, waist), (0.1, (1 + waist) / 2), (0.5, 1.0), (0.9, (1 + waist) / 2), (0.5, waist)]
        return [upper, lower]
    down: Way = [(0.8, 0.18), (0.5, 0.0), (0.2, 0.2), (0.5, 0.47), (0.85, 0.76), (0.5, 1.0)]
    return [[*down, (0.12, 0.76), (0.5, 0.48), (0.78, over)]]


def _nine(random: np.random.Generator) -> list[Way]:
    """Its stem straight, curved, or curled far to the left; or a stalk under the middle of its head."""
    if random.random() < 0.3:
        low, x = random.uniform(0.35, 0.5), random.uniform(0.3, 0.5)
        ring: Way = [(0.3, low), (0.12, 0.2), (0.4, 0.0), (0.75, 0.12), (0.72, 0.32), (x, low)]
        return [ring, [(x, low), (x - 0.05, 0.7), (x - random.uniform(0.0, 0.25), 1.0)]]
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


_WAYS = {0: _zero, 1: _one, 2: _two, 3: _three, 4: _four, 5: _five, 6: _six, 7: _seven, 8: _eight, 9: _nine}
