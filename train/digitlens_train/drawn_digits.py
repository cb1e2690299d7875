"""Digits drawn in shapes that are rare in MNIST, as they are written outside America.

Crossed sevens, looped twos, open fours, root-like fives, nines on a stalk, open eights.

The control points of an allograph are jittered for each digit and joined by a smooth curve (Catmull and
Rom 1974).
"""

import numpy as np
import numpy.typing as npt

from digitlens_train import strokes
from digitlens_train.allographs import ALLOGRAPHS
from digitlens_train.strokes import Stroke

Points = npt.NDArray[np.float64]

SHARES = (0.11, 0.14, 0.14, 0.06, 0.09, 0.14, 0.06, 0.14, 0.05, 0.07)
"""Probabilities of the digits 0 to 9: highest for those whose shapes vary most between writers."""
UNREST = 0.035
"""Standard deviation of a control point's position, as a fraction of the digit's height."""
STEPS = 10
"""Points of the curve between two control points."""


def draw(
    random: np.random.Generator, label: int | None = None, style: int | None = None
) -> tuple[Stroke, int]:
    """A digit by any pen, with its label, random where not given.

    The same `style` gives a label the same allograph each time, as one writer does; None draws one.
    """
    if label is None:
        label = int(random.choice(10, p=SHARES))
    shape = random if style is None else np.random.default_rng((style, label))
    if label == 1 and shape.random() < 0.3:
        return strokes.one(shape), label
    return strokes.draw(_paths(random, shape, label), random.uniform(3, 12)), label


def paths(random: np.random.Generator, label: int, style: int | None = None) -> list[Points]:
    """The curves of a digit that `draw` draws, each (N, 2), the longer side of all from 0 to 1."""
    return _paths(random, random if style is None else np.random.default_rng((style, label)), label)


def _paths(random: np.random.Generator, shape: np.random.Generator, label: int) -> list[Points]:
    pen_paths = ALLOGRAPHS[label](shape)
    lines = [smooth(np.array(path) + random.normal(0, UNREST, (len(path), 2))) for path in pen_paths]
    narrow = float(np.clip(np.exp(shape.normal(-0.3, 0.3) + random.normal(0, 0.06)), 0.35, 1.25))
    everything = np.concatenate(lines)
    low, high = everything.min(axis=0), everything.max(axis=0)
    side = max(float((high - low)[0]) * narrow, float((high - low)[1]))
    middle = (low + high) / 2
    return [(line - middle) * [narrow / side, 1 / side] + 0.5 for line in lines]


def smooth(points: Points) -> Points:
    """A Catmull-Rom spline through all the points."""
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
