"""Glyphs in doubt: pieces of one digit are joined, touching digits are cut, as the network likes it best.

Each group of close glyphs is cut into parts at all its seams; every run of neighboring parts that could be
one digit is classified, and the cheapest path from the first part to the last is taken (as the postal
readers did; see Casey and Lecolinet 1996).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box, union
from digitlens.glyphs.parts import Part, cut_apart, joined
from digitlens.paper.segment import Glyph, weighted_median

Gray = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Classify = Callable[[list[Glyph]], Probabilities]

SURE = 0.9
"""A glyph whose best digit is this probable is not cut, unless it is wide."""
MOST_DOUBTFUL = 200
"""Glyphs in doubt, above which a picture is no writing that is worth the time: gravel, print, weave."""
WIDE = 1.1
"""Of its height: a wider glyph is looked at even if the network is sure of it."""
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


@dataclass
class _Run:
    """Parts from `start` to before `end` that may be one digit: their box, and what it costs to take them.

    Until the network has said what is `likely`, (10,), that is the least it can be. No more than `most` is
    believed of it.
    """

    start: int
    end: int
    box: Box
    cost: float
    most: float = 1.0
    likely: Probabilities | None = None

    def hear(self, likely: Probabilities, none: float) -> None:
        """Take what the network says, `none` being the price of being no digit."""
        self.likely = likely
        self.cost += _doubt(min(float(likely.max()), self.most), none)


@dataclass(frozen=True)
class _Lattice:
    """A group's parts from left to right, and the runs of them that may be one digit."""

    parts: list[Part]
    runs: list[_Run]


@dataclass(frozen=True)
class Resolved:
    """Glyphs that are one sign each, with the probabilities (N, 10) of each.

    `parts` are the pieces that glyphs in doubt were cut into, group by group.
    """

    glyphs: list[Glyph]
    probabilities: Probabilities
    parts: list[list[Glyph]]


def resolve(glyphs: list[Glyph], classify: Classify) -> Resolved:
    """Glyphs as segmented -> glyphs as the network reads them best: joined, cut, or as they were.

    The network is asked of what lies on a cheapest path alone, until it knows all of one: the others are
    dearer even if they should be digits for sure.
    """
    probabilities = classify(glyphs)
    if not glyphs:
        return Resolved([], probabilities, [])
    boxes = np.array([glyph.box for glyph in glyphs], np.int64)
    typical = _typical(boxes)
    best = probabilities.max(axis=1)
    sure = best >= SURE
    doubtful = ~sure | (boxes[:, 2] > WIDE * boxes[:, 3])
    if np.count_nonzero(doubtful) > MOST_DOUBTFUL:
        return Resolved(glyphs, probabilities, [])
    # Among digits a sign in doubt is more likely two that touch than among letters.
    none = NONE + COMPANY * float(np.mean(sure))
    doubts = [_doubt(likely, none) for likely in best.tolist()]
    groups = [
        group
        for group in _groups(boxes, doubtful, typical)
        # What costs less than a single cut or join stays as it is.
        if sum(doubts[index] for index in group) >= EACH or not _are_apart(boxes[group])
    ]
    kept = sorted(set(range(len(glyphs))) - {index for group in groups for index in group})
    lattices = [
        _lattice([(index, glyphs[index]) for index in group], doubtful, sure, typical) for group in groups
    ]
    for lattice in lattices:
        for run in lattice.runs:
            if (index := _only_whole(lattice.parts, run)) is not None:
                run.hear(probabilities[index], none)
    chosen = [
        (lattice, run)
        for lattice, way in zip(lattices, _known_paths(lattices, classify, typical, none), strict=True)
        for run in way
    ]
    likely = [run.likely for _, run in chosen if run.likely is not None]  # of all of them
    return Resolved(
        [glyphs[index] for index in kept] + [_glyph(lattice, run) for lattice, run in chosen],
        np.concatenate([probabilities[kept], *(row[np.newaxis] for row in likely)]),
        [[part.glyph for part in lattice.parts] for lattice in lattices],
    )


def _known_paths(
    lattices: list[_Lattice], classify: Classify, typical: float, none: float
) -> list[list[_Run]]:
    """The cheapest path of each; the network is asked of all of them at once, until it has said enough."""
    paths = [_cheapest(lattice, typical) for lattice in lattices]
    while asked := [(index, run) for index, path in enumerate(paths) for run in path if run.likely is None]:
        scores = classify([_glyph(lattices[index], run) for index, run in asked])
        for (_, run), likely in zip(asked, scores, strict=True):
            run.hear(likely, none)
        for index in {index for index, _ in asked}:
            paths[index] = _cheapest(lattices[index], typical)
    return paths


def _doubt(best: float, none: float) -> float:
    """What a sign costs whose best digit is this probable, `none` being the price of being no digit."""
    return min(-log(max(best, IMPOSSIBLE)), none - log(max(1 - best, IMPOSSIBLE)))


def _are_apart(boxes: npt.NDArray[np.int64]) -> bool:
    """Whether glyphs stand beside each other, and each may be one digit: to leave them so is a path."""
    left, _, width, height = boxes[np.argsort(boxes[:, 0])].T
    return bool((width <= STRETCHED * height).all() and (left[1:] >= (left + width)[:-1]).all())


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


def _glyph(lattice: _Lattice, run: _Run) -> Glyph:
    return joined([part.glyph for part in lattice.parts[run.start : run.end]])


def _lattice(
    group: list[tuple[int, Glyph]],
    doubtful: npt.NDArray[np.bool_],
    sure: npt.NDArray[np.bool_],
    typical: float,
) -> _Lattice:
    parts = cut_apart(group, doubtful)
    runs = []
    for (start, end), box in sorted(_runs(parts, typical, sure).items()):
        low = box[3] < SMALL * typical and end - start < len(parts)
        cost = _seam(parts, start) + _bridges(parts[start:end])
        runs.append(_Run(start, end, box, cost, SPECK if low else 1.0))
    return _Lattice(parts, runs)


def _only_whole(parts: list[Part], run: _Run) -> int | None:
    """The number of the glyph that a run is all of, if it is one."""
    whole = {part.whole for part in parts[run.start : run.end]}
    if len(whole) > 1 or whole & {part.whole for part in parts[: run.start] + parts[run.end :]}:
        return None
    return whole.pop()


def _runs(parts: list[Part], typical: float, sure: npt.NDArray[np.bool_]) -> dict[tuple[int, int], Box]:
    """Which neighboring parts may be one digit, with their box: few of its size together, or whole glyphs."""
    whole = [part.whole for part in parts]
    edges = [0, *(k for k in range(1, len(parts)) if whole[k] != whole[k - 1]), len(parts)]
    runs: dict[tuple[int, int], Box] = {}
    for start in range(len(parts)):
        runs[start, start + 1] = box = parts[start].glyph.box
        height = box[3]
        for end in range(start + 2, min(start + PARTS, len(parts)) + 1):
            last = parts[end - 1].glyph.box
            box, height = union((box, last)), max(height, last[3])
            if _is_possible(box, height, typical):
                runs[start, end] = box
    # However many parts a glyph was cut into, it may be one as it was found.
    for first, start in enumerate(edges[:-1]):
        for count, end in enumerate(edges[first + 1 : first + 1 + WHOLES]):
            box, tallest = _together(parts[start:end])
            if (
                _is_possible(box, tallest, typical)
                if count
                else box[2] <= (FLAGGED if sure[whole[start]] else STRETCHED) * box[3]
            ):
                runs[start, end] = box
    # And so may those one above the other, whose parts take turns from left to right.
    ends = {name: at + 1 for at, name in enumerate(whole)}
    names = list(dict.fromkeys(whole))
    for one, name in enumerate(names):
        for other in range(one + 2, min(one + WHOLES, len(names)) + 1):
            together = names[one:other]
            start, end = whole.index(name), max(ends[name] for name in together)
            if (start, end) in runs or set(whole[start:end]) != set(together):
                continue
            box, tallest = _together(parts[start:end])
            if _is_possible(box, tallest, typical):
                runs[start, end] = box
    return runs


def _together(parts: list[Part]) -> tuple[Box, int]:
    """The box around all the parts, and the height of the tallest."""
    boxes = [part.glyph.box for part in parts]
    return union(boxes), max(box[3] for box in boxes)


def _is_possible(box: Box, tallest: int, typical: float) -> bool:
    """Whether parts that have this box together, and the tallest of them this height, are a digit's size."""
    return box[2] <= WIDEST * max(box[3], typical) and box[3] <= TALLEST * max(tallest, typical)


def _cheapest(lattice: _Lattice, typical: float) -> list[_Run]:
    """The runs along the cheapest path through a group's parts."""
    parts, runs = lattice.parts, lattice.runs
    into: list[list[int]] = [[] for _ in range(len(parts) + 1)]
    for index, run in enumerate(runs):
        into[run.end].append(index)
    # A way ends after a part, with the run taken last (None where a small part is left out).
    ways: list[dict[int | None, tuple[float, tuple[int, ...]]]] = [{} for _ in range(len(parts) + 1)]
    ways[0][None] = 0.0, ()
    for end in range(1, len(parts) + 1):
        for index in into[end]:
            run = runs[index]
            if not ways[run.start]:
                continue
            is_cut = run.start > 0 and parts[run.start].whole == parts[run.start - 1].whole
            cost, before = min(
                (cost + (_uneven(runs[last].box, run.box) if is_cut and last is not None else 0), taken)
                for last, (cost, taken) in ways[run.start].items()
            )
            ways[end][index] = cost + run.cost, (*before, index)
        if parts[end - 1].glyph.box[3] < SMALL * typical and ways[end - 1]:
            cost, before = min(ways[end - 1].values())
            ways[end][None] = cost + SKIP, before
    return [runs[index] for index in min(ways[-1].values())[1]]


def _uneven(first: Box, second: Box) -> float:
    """What it costs to cut a sign into these two by their heights: letters have stems and bellies."""
    return UNEVEN * max(0.0, abs(log(first[3] / second[3])) - log(EVEN))


def _seam(parts: list[Part], start: int) -> float:
    """What it costs to begin a digit at this part: the ink that is cut."""
    if start == 0 or parts[start].whole != parts[start - 1].whole:
        return 0.0
    return EACH + CUT * parts[start].seam


def _bridges(parts: list[Part]) -> float:
    """What it costs to take parts for one digit that are not connected."""
    return EACH * (len({part.whole for part in parts}) - 1)
