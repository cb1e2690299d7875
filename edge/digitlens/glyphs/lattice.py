"""The segmentation lattice: touching digits are cut, pieces of one digit are joined.

Each group of close glyphs is cut into parts at all its seams. Every run of neighboring parts that could be
one digit is a candidate, and the cheapest path of candidates from the first part to the last is taken
(Casey and Lecolinet 1996).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.glyphs import GlyphParameters, LatticeParameters
from digitlens.core.arrays import Floats
from digitlens.core.readings import Box, union
from digitlens.glyphs.parts import Part, cut_apart, joined
from digitlens.paper.page import Glyph, local_heights

DEFAULT = LatticeParameters()
DEFAULT_SEAMS = GlyphParameters()

Classify = Callable[[list[Glyph]], Floats]
"""N glyphs -> (N, 10) float32, the probability of each digit."""


@dataclass
class _Candidate:
    """Parts from `start` to before `end` that may be one digit: their box and cost.

    Until the network has given `probabilities` (10,), the cost is a lower bound. `limit` caps what the
    network's best digit counts for.
    """

    start: int
    end: int
    box: Box
    cost: float
    limit: float = 1.0
    probabilities: Floats | None = None


@dataclass(frozen=True)
class Resolved:
    """Glyphs that are one sign each, with the probabilities (N, 10) of each.

    `parts` are the pieces that doubtful glyphs were cut into, group by group.
    """

    glyphs: list[Glyph]
    probabilities: Floats
    parts: list[list[Glyph]]


def resolve(
    glyphs: list[Glyph],
    classify: Classify,
    parameters: LatticeParameters = DEFAULT,
    seams: GlyphParameters = DEFAULT_SEAMS,
) -> Resolved:
    """Glyphs as segmented -> glyphs joined, cut or unchanged, whichever the network finds most probable.

    Only candidates on a cheapest path are classified, until all on one are: other paths cost more even if
    their candidates were certain digits.
    """
    probabilities = classify(glyphs)
    if not glyphs:
        return Resolved([], probabilities, [])
    boxes = np.array([glyph.box for glyph in glyphs], np.int64)
    heights = local_heights(boxes)
    best = probabilities.max(axis=1)
    sure = best >= parameters.sure_probability
    doubtful = ~sure | (boxes[:, 2] > parameters.doubtful_aspect * boxes[:, 3])
    if np.count_nonzero(doubtful) > parameters.most_doubtful:
        return Resolved(glyphs, probabilities, [])
    # Among digits a doubtful sign is more likely two that touch than among letters.
    non_digit = parameters.non_digit_cost + parameters.company_cost * float(np.mean(sure))
    costs = [_digit_cost(probability, non_digit, parameters) for probability in best.tolist()]
    groups = [
        group
        for group in _groups(boxes, doubtful, heights, parameters)
        # What costs less than a single cut or join stays unchanged.
        if sum(costs[index] for index in group) >= parameters.step_cost
        or not _are_apart(boxes[group], parameters)
    ]
    kept = sorted(set(range(len(glyphs))) - {index for group in groups for index in group})
    lattices = [
        _Lattice(
            cut_apart([(index, glyphs[index]) for index in group], doubtful, seams),
            sure,
            float(heights[group].max()),
            non_digit,
            parameters,
        )
        for group in groups
    ]
    for lattice in lattices:
        for candidate in lattice.candidates:
            if (index := lattice.uncut_glyph(candidate)) is not None:
                lattice.score(candidate, probabilities[index])
    chosen = [
        (lattice, candidate)
        for lattice, path in zip(lattices, _scored_paths(lattices, classify), strict=True)
        for candidate in path
    ]
    rows = [candidate.probabilities for _, candidate in chosen if candidate.probabilities is not None]
    return Resolved(
        [glyphs[index] for index in kept] + [lattice.glyph(candidate) for lattice, candidate in chosen],
        np.concatenate([probabilities[kept], *(row[np.newaxis] for row in rows)]),
        [[part.glyph for part in lattice.parts] for lattice in lattices],
    )


class _Lattice:
    """A group's parts from left to right, and its candidates.

    `typical` is the height of the writing around it, pixels; `non_digit` a non-digit's cost in nats.
    """

    def __init__(
        self,
        parts: list[Part],
        sure: npt.NDArray[np.bool_],
        typical: float,
        non_digit: float,
        parameters: LatticeParameters,
    ) -> None:
        self.parts = parts
        self._sure, self._typical, self._non_digit, self._parameters = sure, typical, non_digit, parameters
        self.candidates = []
        for (start, end), box in sorted(self._runs().items()):
            low = box[3] < parameters.low_part * typical and end - start < len(parts)
            cost = self._cut_cost(start) + self._join_cost(start, end)
            self.candidates.append(_Candidate(start, end, box, cost, parameters.low_digit if low else 1.0))

    def glyph(self, candidate: _Candidate) -> Glyph:
        """A candidate's parts as one glyph."""
        return joined([part.glyph for part in self.parts[candidate.start : candidate.end]])

    def score(self, candidate: _Candidate, probabilities: Floats) -> None:
        """Add the cost of what the network says about a candidate, (10,)."""
        candidate.probabilities = probabilities
        best = min(float(probabilities.max()), candidate.limit)
        candidate.cost += _digit_cost(best, self._non_digit, self._parameters)

    def uncut_glyph(self, candidate: _Candidate) -> int | None:
        """The index of the glyph that a candidate consists of, if that is all of one glyph."""
        start, end = candidate.start, candidate.end
        own = {part.glyph_index for part in self.parts[start:end]}
        if len(own) > 1 or own & {part.glyph_index for part in self.parts[:start] + self.parts[end:]}:
            return None
        return own.pop()

    def cheapest_path(self) -> list[_Candidate]:
        """The candidates along the cheapest path through the parts."""
        parts, candidates, parameters = self.parts, self.candidates, self._parameters
        into: list[list[int]] = [[] for _ in range(len(parts) + 1)]
        for index, candidate in enumerate(candidates):
            into[candidate.end].append(index)
        # After each part: by the candidate taken last (None where a low part is left out), cost and path.
        paths: list[dict[int | None, tuple[float, tuple[int, ...]]]] = [{} for _ in range(len(parts) + 1)]
        paths[0][None] = 0.0, ()
        for end in range(1, len(parts) + 1):
            for index in into[end]:
                candidate = candidates[index]
                if not paths[candidate.start]:
                    continue
                is_cut = self._is_cut(candidate.start)
                cost, before = min(
                    (
                        cost
                        + (
                            _uneven(candidates[last].box, candidate.box, parameters)
                            if is_cut and last is not None
                            else 0
                        ),
                        taken,
                    )
                    for last, (cost, taken) in paths[candidate.start].items()
                )
                paths[end][index] = cost + candidate.cost, (*before, index)
            if parts[end - 1].glyph.box[3] < parameters.low_part * self._typical and paths[end - 1]:
                cost, before = min(paths[end - 1].values())
                paths[end][None] = cost + parameters.skip_cost, before
        return [candidates[index] for index in min(paths[-1].values())[1]]

    def _runs(self) -> dict[tuple[int, int], Box]:
        """The runs of neighboring parts that may be one digit, with their boxes."""
        parts, parameters = self.parts, self._parameters
        glyph_of = [part.glyph_index for part in parts]
        edges = [0, *(k for k in range(1, len(parts)) if not self._is_cut(k)), len(parts)]
        runs: dict[tuple[int, int], Box] = {}
        for start in range(len(parts)):
            runs[start, start + 1] = box = parts[start].glyph.box
            height = box[3]
            for end in range(start + 2, min(start + parameters.most_parts, len(parts)) + 1):
                last = parts[end - 1].glyph.box
                box, height = union((box, last)), max(height, last[3])
                if self._is_digit_size(box, height):
                    runs[start, end] = box
        # However many parts a glyph was cut into, it may be one digit uncut.
        for first, start in enumerate(edges[:-1]):
            for count, end in enumerate(edges[first + 1 : first + 1 + parameters.most_glyphs]):
                box, tallest = self._extent(start, end)
                is_sure = self._sure[glyph_of[start]]
                widest = parameters.widest_sure_glyph if is_sure else parameters.widest_glyph
                if self._is_digit_size(box, tallest) if count else box[2] <= widest * box[3]:
                    runs[start, end] = box
        # So may glyphs one above the other, whose parts alternate from left to right.
        ends = {index: at + 1 for at, index in enumerate(glyph_of)}
        order = list(dict.fromkeys(glyph_of))
        for one, index in enumerate(order):
            for other in range(one + 2, min(one + parameters.most_glyphs, len(order)) + 1):
                together = order[one:other]
                start, end = glyph_of.index(index), max(ends[index] for index in together)
                if (start, end) in runs or set(glyph_of[start:end]) != set(together):
                    continue
                box, tallest = self._extent(start, end)
                if self._is_digit_size(box, tallest):
                    runs[start, end] = box
        return runs

    def _extent(self, start: int, end: int) -> tuple[Box, int]:
        """The box around parts, and the height of the tallest."""
        boxes = [part.glyph.box for part in self.parts[start:end]]
        return union(boxes), max(box[3] for box in boxes)

    def _is_digit_size(self, box: Box, tallest: int) -> bool:
        """Whether parts with this box, the tallest of this height, are no larger than a digit."""
        parameters, typical = self._parameters, self._typical
        fits_across = box[2] <= parameters.widest_join * max(box[3], typical)
        return fits_across and box[3] <= parameters.tallest_join * max(tallest, typical)

    def _is_cut(self, start: int) -> bool:
        """Whether a glyph is cut before this part."""
        return start > 0 and self.parts[start].glyph_index == self.parts[start - 1].glyph_index

    def _cut_cost(self, start: int) -> float:
        """The cost of beginning a digit at this part: of the ink that is cut."""
        if not self._is_cut(start):
            return 0.0
        return self._parameters.step_cost + self._parameters.cut_cost * self.parts[start].seam_cost

    def _join_cost(self, start: int, end: int) -> float:
        """The cost of taking parts of several glyphs for one digit."""
        return self._parameters.step_cost * (len({part.glyph_index for part in self.parts[start:end]}) - 1)


def _scored_paths(lattices: list[_Lattice], classify: Classify) -> list[list[_Candidate]]:
    """The cheapest path of each lattice; candidates of all are classified in one batch a round."""
    paths = [lattice.cheapest_path() for lattice in lattices]
    while unscored := [
        (index, candidate)
        for index, path in enumerate(paths)
        for candidate in path
        if candidate.probabilities is None
    ]:
        rows = classify([lattices[index].glyph(candidate) for index, candidate in unscored])
        for (index, candidate), row in zip(unscored, rows, strict=True):
            lattices[index].score(candidate, row)
        for index in {index for index, _ in unscored}:
            paths[index] = lattices[index].cheapest_path()
    return paths


def _digit_cost(best: float, non_digit: float, parameters: LatticeParameters) -> float:
    """The cost in nats of a sign whose best digit has this probability: as that digit or as a non-digit."""
    least = parameters.least_probability
    return min(-log(max(best, least)), non_digit - log(max(1 - best, least)))


def _uneven(first: Box, second: Box, parameters: LatticeParameters) -> float:
    """The cost of cutting a sign into boxes of unequal heights: letters have stems and bellies."""
    return parameters.uneven_cost * max(0.0, abs(log(first[3] / second[3])) - log(parameters.even_ratio))


def _are_apart(boxes: npt.NDArray[np.int64], parameters: LatticeParameters) -> bool:
    """Whether glyphs stand beside each other and each may be one digit, so that none need change."""
    left, _, width, height = boxes[np.argsort(boxes[:, 0])].T
    return bool((width <= parameters.widest_glyph * height).all() and (left[1:] >= (left + width)[:-1]).all())


def _groups(
    boxes: npt.NDArray[np.int64],
    doubtful: npt.NDArray[np.bool_],
    heights: npt.NDArray[np.float64],
    parameters: LatticeParameters,
) -> list[list[int]]:
    """The indices of doubtful glyphs, each with others that may be pieces of its digit.

    `heights` (N,) are those of the writing around each glyph.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    left, top, width, height = boxes[order].T
    right, bottom, doubt, typical = left + width, top + height, doubtful[order], heights[order]
    reach = right + parameters.join_gap * max(float(height.max()), float(typical.max()))
    # Each glyph with all that begin before it ends: the pairs that may be close.
    count = np.searchsorted(left, reach, side="right") - np.arange(1, len(boxes) + 1)
    first = np.repeat(np.arange(len(boxes)), count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    across = left[second] - np.minimum(right[first], right[second])  # the gap; below 0 they overlap
    down = np.maximum(top[second], top[first]) - np.minimum(bottom[second], bottom[first])
    wide = np.maximum(right[second], right[first]) - left[first]
    high = np.maximum(bottom[second], bottom[first]) - np.minimum(top[second], top[first])
    local = np.maximum(
        np.maximum(height[second], height[first]), np.maximum(typical[second], typical[first]) / 2
    )
    close = (across <= parameters.join_gap * local) & (down <= parameters.join_gap * local)
    close &= wide <= parameters.widest_join * np.maximum(high, local)
    close &= high <= parameters.tallest_join * local
    nested = -across >= parameters.nested_overlap * np.minimum(width[second], width[first])
    close &= doubt[second] | doubt[first] | nested
    group, wanted = np.arange(len(boxes)), doubt.copy()
    for one, other in zip(first[close].tolist(), second[close].tolist(), strict=True):
        group[group == group[other]] = group[one]
        wanted[one] = wanted[other] = True
    found = np.unique(group[wanted])
    return [np.sort(order[group == number]).tolist() for number in found]
