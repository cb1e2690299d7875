"""Glyphs in doubt: pieces of one digit are joined, touching digits are cut, as the network likes it best.

Each group of close glyphs is cut into parts at all its seams; every run of neighboring parts that could be
one digit is classified, and the cheapest path from the first part to the last is taken (as the postal
readers did; see Casey and Lecolinet 1996).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

from digitlens import cuts
from digitlens.readings import union
from digitlens.segment import Glyph, weighted_median

Gray = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Classify = Callable[[list[Glyph]], Probabilities]

SURE = 0.9
"""A glyph whose best digit is this probable is not cut, unless it is wide."""
MOST_DOUBTFUL = 200
"""Glyphs in doubt, above which a picture is no writing that is worth the time: gravel, print, weave."""
WIDE = 1.1
"""Of its height: a wider glyph is looked at even if the network is sure of it."""
NARROW = 0.35
"""Of its height: a narrower one is not cut."""
CLOSE = 0.12
"""Of the height: the gap up to which two glyphs may be pieces of one digit."""
PARTS = 10
"""That make one digit at the most."""
WHOLES = 4
"""Glyphs that make one digit at the most, into however many parts they were cut."""
WIDEST = 1.35
"""Of the typical height: a digit's width."""
STRETCHED = 1.8
"""Of its own height: the width up to which a glyph as it was found may be one digit."""
FLAGGED = 2.6
"""The same where the network is sure of it: a 5 with a far flag."""
TALLEST = 2.4
"""Of the typical height: the height of what is joined."""
CUT = 2.0
"""What a cut costs, for each glyph's height of ink that it crosses; the unit is -log of a probability."""
EACH = 0.3
"""What each cut and each join costs besides."""
EVEN = 1.4
"""Of the lower one's height: two digits that touch are not more unlike without a price."""
UNEVEN = 6.0
"""That price, for each factor of e beyond it."""
SKIP = 1.5
"""What it costs to leave a small part out."""
NONE = 1.5
"""What it costs to take parts for a sign that is no digit: the digits of a word must be likelier."""
COMPANY = 1.5
"""What it costs besides where all glyphs are digits for sure; where a part of them is, that part of it."""
SMALL = 0.4
"""Of the typical height: what is lower may be left out."""
SPECK = 0.1
"""How probable it is at the most that so low a part is a digit."""
IMPOSSIBLE = 0.01
"""The least probability that is told from none."""


@dataclass(frozen=True)
class _Part:
    """A piece between seams: its glyph, the number of the glyph it is cut from, the cost of its left seam."""

    glyph: Glyph
    whole: int
    seam: float


@dataclass(frozen=True)
class Resolved:
    """Glyphs that are one sign each, with the probabilities (N, 10) of each.

    `parts` are the pieces that glyphs in doubt were cut into, group by group.
    """

    glyphs: list[Glyph]
    probabilities: Probabilities
    parts: list[list[Glyph]]


def resolve(glyphs: list[Glyph], classify: Classify) -> Resolved:
    """Glyphs as segmented -> glyphs as the network reads them best: joined, cut, or as they were."""
    probabilities = classify(glyphs)
    if not glyphs:
        return Resolved([], probabilities, [])
    boxes = np.array([glyph.box for glyph in glyphs], np.int64)
    typical = _typical(boxes)
    sure = probabilities.max(axis=1) >= SURE
    doubtful = ~sure | (boxes[:, 2] > WIDE * boxes[:, 3])
    if np.count_nonzero(doubtful) > MOST_DOUBTFUL:
        return Resolved(glyphs, probabilities, [])
    groups = _groups(boxes, doubtful, typical)
    kept = sorted(set(range(len(glyphs))) - {index for group in groups for index in group})
    lattices = [_parts([(index, glyphs[index]) for index in group], doubtful) for group in groups]
    runs = [
        (number, start, end)
        for number, parts in enumerate(lattices)
        for start, end in _runs(parts, typical, sure)
    ]
    candidates = [joined([part.glyph for part in lattices[number][start:end]]) for number, start, end in runs]
    scores = classify(candidates)
    numbered: list[dict[tuple[int, int], int]] = [{} for _ in lattices]
    for index, (number, start, end) in enumerate(runs):
        numbered[number][start, end] = index
    # Among digits a sign in doubt is more likely two that touch than among letters.
    none = NONE + COMPANY * float(np.mean(sure))
    chosen = [
        index
        for parts, of_these in zip(lattices, numbered, strict=True)
        for index in _cheapest(parts, of_these, candidates, scores, typical, none)
    ]
    return Resolved(
        [glyphs[index] for index in kept] + [candidates[index] for index in chosen],
        np.concatenate([probabilities[kept], scores[chosen]]),
        [[part.glyph for part in parts] for parts in lattices],
    )


def _typical(boxes: npt.NDArray[np.int64]) -> float:
    """The height of most of the writing: the median over area."""
    heights = boxes[:, 3].astype(np.float64)
    return weighted_median(heights, boxes[:, 2] * heights)


def _groups(boxes: npt.NDArray[np.int64], doubtful: npt.NDArray[np.bool_], typical: float) -> list[list[int]]:
    """The glyphs to be looked at again, those together that may be pieces of one digit."""
    order = np.argsort(boxes[:, 0], kind="stable")
    left, top, width, height = boxes[order].T
    right, bottom, doubt = left + width, top + height, doubtful[order]
    reach = right + CLOSE * max(float(height.max()), typical)
    # Each with those that begin before it ends: the pairs that may be close.
    count = np.searchsorted(left, reach, side="right") - np.arange(1, len(boxes) + 1)
    first = np.repeat(np.arange(len(boxes)), count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    across = left[second] - np.minimum(right[first], right[second])  # the gap; below 0 they overlap
    down = np.maximum(top[second], top[first]) - np.minimum(bottom[second], bottom[first])
    wide = np.maximum(right[second], right[first]) - left[first]
    high = np.maximum(bottom[second], bottom[first]) - np.minimum(top[second], top[first])
    local = np.maximum(np.maximum(height[second], height[first]), min(typical, float(height.max())) / 2)
    close = (across <= CLOSE * local) & (down <= CLOSE * local)
    close &= (wide <= WIDEST * np.maximum(high, local)) & (high <= TALLEST * local)
    nested = -across >= 0.3 * np.minimum(width[second], width[first])
    close &= doubt[second] | doubt[first] | nested
    group, wanted = np.arange(len(boxes)), doubt.copy()
    for one, other in zip(first[close].tolist(), second[close].tolist(), strict=True):
        group[group == group[other]] = group[one]
        wanted[one] = wanted[other] = True
    found = np.unique(group[wanted])
    return [np.sort(order[group == number]).tolist() for number in found]


def _parts(group: list[tuple[int, Glyph]], doubtful: npt.NDArray[np.bool_]) -> list[_Part]:
    """The group's glyphs, cut at all their seams, from left to right."""
    parts = []
    for index, glyph in group:
        left, top, width, height = glyph.box
        found = cuts.seams(glyph.ink) if doubtful[index] and width >= NARROW * height else []
        costs = [0.0, *(seam.cost for seam in found)]
        inks = cuts.split(glyph.ink, found) if found else [glyph.ink]
        seam = 0.0
        for ink, cost in zip(inks, costs, strict=True):
            seam = max(seam, cost)
            part = _trimmed(ink, (left, top))
            if part is not None:
                parts.append(_Part(part, index, seam))
                seam = 0.0
    return sorted(parts, key=lambda part: part.glyph.box[0] + part.glyph.box[2] / 2)


def _trimmed(ink: Gray, corner: tuple[int, int]) -> Glyph | None:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    own = np.ascontiguousarray(ink[top : rows[-1] + 1, left : columns[-1] + 1])
    return Glyph((corner[0] + left, corner[1] + top, own.shape[1], own.shape[0]), own)


def joined(glyphs: list[Glyph]) -> Glyph:
    """The glyphs, at least one, as one: the box around them all and their ink."""
    if len(glyphs) == 1:
        return glyphs[0]
    box = union([glyph.box for glyph in glyphs])
    ink = np.zeros((box[3], box[2]), np.uint8)
    for glyph in glyphs:
        x, y, w, h = glyph.box[0] - box[0], glyph.box[1] - box[1], glyph.box[2], glyph.box[3]
        spot = ink[y : y + h, x : x + w]
        np.maximum(spot, glyph.ink, out=spot)
    return Glyph(box, ink)


def _runs(parts: list[_Part], typical: float, sure: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Which neighboring parts may be one digit: few together of a digit's size, or whole glyphs."""
    whole = [part.whole for part in parts]
    edges = [0, *(k for k in range(1, len(parts)) if whole[k] != whole[k - 1]), len(parts)]
    runs = {
        (start, end)
        for start in range(len(parts))
        for end in range(start + 1, min(start + PARTS, len(parts)) + 1)
        if end == start + 1 or _is_possible(parts[start:end], typical)
    }
    # However many parts a glyph was cut into, it may be one as it was found.
    for start, end in pairwise(edges):
        box = union([part.glyph.box for part in parts[start:end]])
        if box[2] <= (FLAGGED if sure[whole[start]] else STRETCHED) * box[3]:
            runs.add((start, end))
    runs |= {
        (edges[first], edges[last])
        for first in range(len(edges))
        for last in range(first + 2, min(first + WHOLES, len(edges) - 1) + 1)
        if _is_possible(parts[edges[first] : edges[last]], typical)
    }
    # And so may those one above the other, whose parts take turns from left to right.
    last = {name: at for at, name in enumerate(whole)}
    begin = {name: whole.index(name) for name in last}
    names = sorted(begin, key=lambda name: begin[name])
    for one in range(len(names)):
        for other in range(one + 1, min(one + WHOLES, len(names))):
            together = names[one : other + 1]
            start, end = begin[names[one]], max(last[name] for name in together) + 1
            if set(whole[start:end]) == set(together) and _is_possible(parts[start:end], typical):
                runs.add((start, end))
    return sorted(runs)


def _is_possible(parts: list[_Part], typical: float) -> bool:
    """Whether the parts together have a digit's size."""
    box = union([part.glyph.box for part in parts])
    height = max(part.glyph.box[3] for part in parts)
    return box[2] <= WIDEST * max(box[3], typical) and box[3] <= TALLEST * max(height, typical)


def _cheapest(
    parts: list[_Part],
    runs: dict[tuple[int, int], int],
    candidates: list[Glyph],
    scores: Probabilities,
    typical: float,
    none: float,
) -> list[int]:
    """The candidates along the cheapest path through one group's parts."""
    into: list[list[tuple[int, int]]] = [[] for _ in range(len(parts) + 1)]
    for (start, end), index in runs.items():
        into[end].append((start, index))
    # A way ends after a part, with the candidate taken last (None where a small part is left out).
    ways: list[dict[int | None, tuple[float, tuple[int, ...]]]] = [{} for _ in range(len(parts) + 1)]
    ways[0][None] = 0.0, ()
    for end in range(1, len(parts) + 1):
        for start, index in into[end]:
            if not ways[start]:
                continue
            best = float(scores[index].max())
            if candidates[index].box[3] < SMALL * typical and (start, end) != (0, len(parts)):
                best = min(best, SPECK)  # whatever it looks like
            own = min(-log(max(best, IMPOSSIBLE)), none - log(max(1 - best, IMPOSSIBLE)))
            own += _seam(parts, start) + _bridges(parts[start:end])
            is_cut = start > 0 and parts[start].whole == parts[start - 1].whole
            cost, before = min(
                (
                    cost
                    + (_uneven(candidates[last], candidates[index]) if is_cut and last is not None else 0),
                    taken,
                )
                for last, (cost, taken) in ways[start].items()
            )
            ways[end][index] = cost + own, (*before, index)
        if parts[end - 1].glyph.box[3] < SMALL * typical and ways[end - 1]:
            cost, before = min(ways[end - 1].values())
            ways[end][None] = cost + SKIP, before
    return list(min(ways[-1].values())[1])


def _uneven(first: Glyph, second: Glyph) -> float:
    """What it costs to cut a sign into these two by their heights: letters have stems and bellies."""
    return UNEVEN * max(0.0, abs(log(first.box[3] / second.box[3])) - log(EVEN))


def _seam(parts: list[_Part], start: int) -> float:
    """What it costs to begin a digit at this part: the ink that is cut."""
    if start == 0 or parts[start].whole != parts[start - 1].whole:
        return 0.0
    return EACH + CUT * parts[start].seam


def _bridges(parts: list[_Part]) -> float:
    """What it costs to take parts for one digit that are not connected."""
    return EACH * (len({part.whole for part in parts}) - 1)
