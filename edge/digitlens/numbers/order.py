"""The reading order of numbers under skew, curvature and perspective: rows downwards, each to the right.

A page's rows bend alike. So the skew comes first, from the digits within numbers and from neighbors; then
neighbors in a row are linked, a smooth surface is fitted to the links, and both again on the flattened page.
"""

from collections.abc import Sequence
from statistics import fmean, median

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.numbers import OrderParameters
from digitlens.core.arrays import Doubles
from digitlens.core.readings import Box, Number

Links = npt.NDArray[np.intp]
"""(L, 2): a number and the next one in its row."""

DEFAULT = OrderParameters()


def in_reading_order(numbers: Sequence[Number], parameters: OrderParameters = DEFAULT) -> tuple[Number, ...]:
    """The numbers of an upright page in reading order."""
    boxes = [[digit.box for digit in one.digits] for one in numbers]
    return tuple(numbers[place] for place in reading_order(boxes, parameters))


def reading_order(numbers: Sequence[Sequence[Box]], parameters: OrderParameters = DEFAULT) -> list[int]:
    """The places of numbers in reading order, each number being the boxes of its digits, at least one."""
    if len(numbers) < 2:
        return list(range(len(numbers)))
    digits = [np.array(boxes, np.float64) for boxes in numbers]
    height = float(np.median(np.concatenate([boxes[:, 3] for boxes in digits])))
    middles = [(boxes[:, :2] + boxes[:, 2:] / 2) / max(height, 1.0) for boxes in digits]
    centers = np.array([points.mean(axis=0) for points in middles])
    skew = _skew(middles, centers, parameters)
    across = np.array([np.cos(skew), np.sin(skew)])
    x, y = centers @ across, centers @ [-across[1], across[0]]
    x, level = x - x.mean(), y - y.mean()
    flat = level
    links = np.zeros((0, 2), np.intp)
    for _ in range(parameters.rounds):
        links = _links(x, flat, parameters)
        flat = _flattened(x, level, links, parameters)
    return [place for row in _rows(x, flat, links, parameters) for place in row]


def _skew(middles: Sequence[Doubles], centers: Doubles, parameters: OrderParameters) -> float:
    """The rows' angle in radians, clockwise: where the digits of numbers, and neighbors, are level."""
    angles = np.deg2rad(np.arange(-parameters.largest_skew, parameters.largest_skew + 0.25, 0.5))
    sines, cosines = np.sin(angles), np.cos(angles)
    scores = -parameters.skew_penalty * len(centers) * np.abs(angles)
    apart = np.concatenate(middles) - np.repeat(centers, [len(points) for points in middles], axis=0)
    squares = apart.T @ apart
    heights = squares[1, 1] * cosines**2 - 2 * squares[0, 1] * sines * cosines + squares[0, 0] * sines**2
    scores -= heights / (2 * parameters.digit_unrest**2)
    steps = centers[np.newaxis] - centers[:, np.newaxis]
    lengths = np.hypot(steps[..., 0], steps[..., 1])
    lengths[steps[..., 0] <= 0] = np.inf
    nearest = np.argsort(lengths, axis=1)[:, : parameters.neighbors]
    near = np.take_along_axis(lengths, nearest, axis=1)
    chosen = np.take_along_axis(steps, nearest[..., np.newaxis], axis=1)[np.isfinite(near)]
    near = near[np.isfinite(near)]
    falls = chosen[:, 1:] * cosines - chosen[:, :1] * sines
    fits = np.exp(-((falls / parameters.row_unrest) ** 2) / 2) / (1 + near[:, np.newaxis])
    scores += parameters.neighbor_weight * fits.sum(axis=0)
    return float(angles[int(np.argmax(scores))])


def _links(x: Doubles, flat: Doubles, parameters: OrderParameters) -> Links:
    """Numbers that are each other's nearest on either side, by x and y (N,) in digit heights."""
    dx = x[np.newaxis] - x[:, np.newaxis]
    dy = np.abs(flat[np.newaxis] - flat[:, np.newaxis])
    beneath = np.where((np.abs(dx) < parameters.column) & (dy > parameters.least_leading), dy, np.inf)
    leading = beneath.min(axis=1)
    reach = np.minimum(parameters.reach, parameters.leading_share * leading)
    reach = np.maximum(reach, parameters.least_reach)
    costs = dx + parameters.height_cost * dy**2
    costs[(dx <= 0) | (dy > np.minimum(reach, reach[:, np.newaxis]))] = np.inf
    after, before = costs.argmin(axis=1), costs.argmin(axis=0)
    places = np.arange(len(x))
    mutual = (before[after] == places) & np.isfinite(costs[places, after])
    return np.stack([places[mutual], after[mutual]], axis=1)


def _flattened(x: Doubles, level: Doubles, links: Links, parameters: OrderParameters) -> Doubles:
    """The heights (N,) on a page bent back: without the smooth surface that fits the links."""
    if not len(links):
        return level
    side = max(1.0, float(np.abs(x).max()))
    u = x / side
    surface = np.stack([u, u**2, u**3, u * level / side], axis=1)
    first, second = links.T
    steps, falls = surface[second] - surface[first], level[second] - level[first]
    ridge = parameters.stiffness * np.eye(surface.shape[1])
    weights = np.ones(len(links))
    bend = np.zeros(surface.shape[1])
    for _ in range(2):  # again without the links that do not fit
        weighted = steps * weights[:, np.newaxis]
        bend = np.linalg.solve(weighted.T @ steps + ridge, weighted.T @ falls)
        rest = (falls - steps @ bend) / parameters.row_unrest
        weights = 1 / (1 + rest**2)
    return np.asarray(level - surface @ bend, np.float64)


def _rows(x: Doubles, flat: Doubles, links: Links, parameters: OrderParameters) -> list[list[int]]:
    """The rows, chains of links joined where one continues another, from top to bottom."""
    after = dict(links.tolist())
    chains = []
    for start in sorted(set(range(len(x))) - set(after.values())):
        chain = [start]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        chains.append(chain)
    across, down = x.tolist(), flat.tolist()
    rows: list[list[int]] = []
    for chain in sorted(chains, key=lambda chain: (-len(chain), down[chain[0]])):
        best, least = None, parameters.same_row
        middle, first, last = fmean(down[place] for place in chain), across[chain[0]], across[chain[-1]]
        for row in rows:
            if any(first <= across[place] <= last for place in row):
                continue
            left = [down[place] for place in row if across[place] < first]
            right = [down[place] for place in row if across[place] > last]
            distance = min(abs(fmean(part) - middle) for part in (left, right) if part)
            if distance < least:
                best, least = row, distance
        if best is None:
            rows.append(chain)
        else:
            best += chain
            best.sort(key=lambda place: across[place])
    rows.sort(key=lambda row: median(down[place] for place in row))
    return rows
