"""Digits drawn anew in forms that MNIST has little of, as hands outside America write them.

Crossed sevens, looped twos, open fours, fives as roots, nines on a stalk, eights that are not closed.

Each form, see digitlens_train.allographs, is a few control points of a pen's way, moved a little anew for each
digit and joined by a smooth curve (Catmull and Rom 1974).
"""

import numpy as np
import numpy.typing as npt

from digitlens_train import strokes
from digitlens_train.allographs import FORMS
from digitlens_train.strokes import Stroke

Points = npt.NDArray[np.float64]

SHARES = (0.11, 0.14, 0.14, 0.06, 0.09, 0.14, 0.06, 0.14, 0.05, 0.07)
"""Of the digits 0 to 9 among what is drawn: most of those whose forms differ most between hands."""
UNREST = 0.035
"""Standard deviation of a control point's place."""
STEPS = 10
"""Points of the curve between two control points."""


def draw(
    random: np.random.Generator, label: int | None = None, style: int | None = None
) -> tuple[Stroke, int]:
    """A digit by any pen, and its label, if that is not given; in the forms of one hand for one `style`."""
    if label is None:
        label = int(random.choice(10, p=SHARES))
    form = random if style is None else np.random.default_rng((style, label))
    if label == 1 and form.random() < 0.3:
        return strokes.one(form), label
    ways = FORMS[label](form)
    lines = [_smooth(np.array(way) + random.normal(0, UNREST, (len(way), 2))) for way in ways]
    narrow = float(np.clip(np.exp(form.normal(-0.3, 0.3) + random.normal(0, 0.06)), 0.35, 1.25))
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
