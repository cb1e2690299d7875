"""CTC decoding: a network's columns -> labelings, by prefix beam search (Graves 2012, Hannun et al. 2014)."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.rows import RowParameters
from digitlens.core.arrays import Doubles, Floats

RESCALE_STEPS = 16
"""Number of columns after which forward variables are rescaled, so that they do not underflow, columns."""


class Sign(NamedTuple):
    """A decoded class, its confidence (0 to 1), and the column where it is most probable.

    `probabilities` (classes,) are over the sign's own columns; what they lack of 1 is blank.
    """

    label: int
    confidence: float
    column: int
    probabilities: Floats


_Prefix = tuple[float, float, tuple[int, ...]]
"""Probabilities of ending in blank and in the last label; the column where each label starts."""


class Labeling(NamedTuple):
    """Labels, left to right, the column where each starts, and the probability, pruned prefixes left out."""

    labels: tuple[int, ...]
    starts: tuple[int, ...]
    probability: float


def search(columns: Floats, blank: int, parameters: RowParameters) -> list[Sign]:
    """Probabilities (T, C), `blank` being CTC's class -> the signs of the best labeling, left to right.

    Blank columns separate searches: the labels between two blank columns do not depend on the rest.
    """
    return signs(n_best(columns, blank, 1, parameters)[0], columns, blank, parameters)


def n_best(columns: Floats, blank: int, count: int, parameters: RowParameters) -> list[Labeling]:
    """Probabilities (T, C) as for `search` -> at least one labeling, at most `count`, best first.

    No two have the same labels.
    """
    best = [Labeling((), (), 1.0)]
    active = columns[:, blank] < parameters.blank_threshold
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).tolist()
    if not edges:
        return best
    class_floor = parameters.class_floor
    follow = columns >= class_floor
    follow[:, blank] = False
    seen = np.logical_or.reduceat(np.concatenate([follow, follow[:1]]), edges)[::2]
    first, several = seen.argmax(axis=1).tolist(), np.count_nonzero(seen, axis=1).tolist()
    for start, end, label, classes in zip(edges[::2], edges[1::2], first, several, strict=True):
        if not classes:
            continue
        stretch = columns[start:end]
        own = None
        if classes == 1:
            one = start + int(follow[start:end, label].argmax())
            own = _one_class(stretch[:, label].tolist(), stretch[:, blank].tolist(), label, one, parameters)
        if own is None:
            own = _search_stretch(stretch, follow[start:end], blank, start, parameters)
        best = _joined(best, own, count)
    return best


def _joined(before: list[Labeling], after: list[Labeling], count: int) -> list[Labeling]:
    """The best `count` of each labeling followed by each other one."""
    if count == 1:
        (one,), other = before, after[0]
        return [
            Labeling(
                one.labels + other.labels, one.starts + other.starts, one.probability * other.probability
            )
        ]
    joined: dict[tuple[int, ...], Labeling] = {}
    for one in before:
        for other in after:
            labels, probability = one.labels + other.labels, one.probability * other.probability
            known = joined.get(labels)
            starts = (
                one.starts + other.starts
                if known is None or probability > known.probability
                else known.starts
            )
            joined[labels] = Labeling(labels, starts, probability + (known.probability if known else 0.0))
    return sorted(joined.values(), key=lambda labeling: -labeling.probability)[:count]


def _one_class(
    probabilities: list[float], blanks: list[float], label: int, start: int, parameters: RowParameters
) -> list[Labeling] | None:
    """The labelings of a stretch in which only one class is followed: that class, or no label.

    None if the class may be there twice.
    """
    class_floor, prefix_floor = parameters.class_floor, parameters.prefix_floor
    empty, once, ended = 1.0, 0.0, 0.0
    for p, blank in zip(probabilities, blanks, strict=True):
        p = p if p >= class_floor else 0.0
        if ended * p > prefix_floor * (once + ended):
            return None
        empty, once, ended = empty * blank, (empty + once) * p, (once + ended) * blank
        total = (empty + once + ended) or 1.0
        empty, once, ended = empty / total, once / total, ended / total
    labelings = [Labeling((label,), (start,), once + ended), Labeling((), (), empty)]
    return labelings if once + ended > empty else labelings[::-1]


def _search_stretch(
    columns: Floats, follow: npt.NDArray[np.bool_], blank: int, start: int, parameters: RowParameters
) -> list[Labeling]:
    """The labelings of a stretch of columns that begins at column `start`, best first."""
    beam_width, prefix_floor = parameters.beam_width, parameters.prefix_floor
    prefixes: dict[tuple[int, ...], _Prefix] = {(): (1.0, 0.0, ())}
    for column, (probabilities, which) in enumerate(zip(columns.tolist(), follow, strict=True), start):
        followed = [(label, probabilities[label]) for label in np.flatnonzero(which).tolist()]
        prefixes = _step(prefixes, followed, probabilities[blank], column, beam_width, prefix_floor)
    # Of equally probable ones the first that was found comes first.
    return sorted(
        (
            Labeling(labels, starts, in_blank + in_label)
            for labels, (in_blank, in_label, starts) in prefixes.items()
        ),
        key=lambda labeling: -labeling.probability,
    )


def _step(
    prefixes: dict[tuple[int, ...], _Prefix],
    followed: Sequence[tuple[int, float]],
    blank: float,
    column: int,
    beam_width: int,
    prefix_floor: float,
) -> dict[tuple[int, ...], _Prefix]:
    """The prefixes after one more column: the best `beam_width`, normalized to sum to 1.

    `followed` are the classes followed in the column with their probabilities, `blank` is blank's.
    """
    # For each prefix: ending in blank, ending in its last label, its most probable path, its label starts.
    grown: dict[tuple[int, ...], list[Any]] = {}
    for labels, (in_blank, in_label, starts) in prefixes.items():
        total = in_blank + in_label
        _add(grown, labels, total * blank, 0.0, starts)
        last = labels[-1] if labels else -1
        for label, p in followed:
            if label == last:
                _add(grown, labels, 0.0, in_label * p, starts)
                _add(grown, (*labels, label), 0.0, in_blank * p, (*starts, column))
            else:
                _add(grown, (*labels, label), 0.0, total * p, (*starts, column))
    ranked = sorted(
        [(in_blank + in_label, labels) for labels, (in_blank, in_label, _, _) in grown.items()], reverse=True
    )
    least = prefix_floor * ranked[0][0]
    kept = [(p, labels) for p, labels in ranked[:beam_width] if p >= least]
    total = sum([p for p, _ in kept]) or 1.0
    found = {}
    for _, labels in kept:
        in_blank, in_label, _, starts = grown[labels]
        found[labels] = in_blank / total, in_label / total, starts
    return found


def _add(
    grown: dict[tuple[int, ...], list[Any]],
    labels: tuple[int, ...],
    in_blank: float,
    in_label: float,
    starts: tuple[int, ...],
) -> None:
    """Add a path to a prefix: its probabilities of ending in blank and in the last label."""
    found = grown.get(labels)
    if found is None:
        grown[labels] = [in_blank, in_label, in_blank + in_label, starts]
        return
    found[0] += in_blank
    found[1] += in_label
    if in_blank + in_label > found[2]:
        found[2:] = in_blank + in_label, starts


def log_likelihoods(
    outputs: Sequence[Floats], labelings: Sequence[Sequence[int]], blank: int, parameters: RowParameters
) -> Doubles:
    """Log-likelihoods of labelings in each output (T, C), T at least 1: (outputs, labelings), nats.

    They are sums over all paths (Graves et al. 2006, the forward variables). Classes from `blank` on all
    count as blank. Consecutive columns that are blank in every output count once.
    """
    blanks = np.stack([output[:, blank:].sum(axis=1) for output in outputs])
    is_blank = (blanks >= parameters.blank_threshold).all(axis=0)
    kept = ~is_blank | ~np.concatenate([[False], is_blank[:-1]])
    lengths = np.array([len(labels) for labels in labelings])
    places = np.full((len(labelings), 2 * int(lengths.max(initial=0)) + 1), blank)
    for labels, own in zip(labelings, places, strict=True):
        own[1 : 2 * len(labels) : 2] = labels
    probabilities = np.stack([output[kept, :blank] for output in outputs])
    probabilities = np.concatenate([probabilities, blanks[:, kept, np.newaxis]], axis=2)
    # (T, outputs, labelings, places)
    floor = parameters.likelihood_floor
    steps = np.maximum(probabilities, floor, dtype=np.float64).transpose(1, 0, 2)[:, :, places]
    # Between equal labels blank may not be skipped.
    skip = np.zeros(places.shape)
    skip[:, 3::2] = places[:, 3::2] != places[:, 1:-2:2]
    # Two more places, always 0, before the first label.
    forward = np.zeros((len(outputs), len(labelings), places.shape[1] + 2))
    forward[..., 2:4] = steps[0, ..., :2]
    stay, one_back, two_back = forward[..., 2:], forward[..., 1:-1], forward[..., :-2]
    log_scale = np.zeros(forward.shape[:2])
    grown, skipped = np.empty_like(stay), np.empty_like(stay)
    for at, step in enumerate(steps[1:], 1):
        np.add(stay, one_back, out=grown)
        np.multiply(skip, two_back, out=skipped)
        np.add(grown, skipped, out=grown)
        np.multiply(grown, step, out=stay)
        if at % RESCALE_STEPS == 0:
            largest = np.maximum(stay.max(axis=2), np.finfo(np.float64).tiny)
            stay /= largest[..., np.newaxis]
            log_scale += np.log(largest)
    each = np.arange(len(labelings))
    found = forward[:, each, 2 * lengths + 2] + forward[:, each, 2 * lengths + 1]
    # A labeling with more labels than there are columns gets the floor at each column and label.
    impossible = (len(steps) + lengths) * log(floor)
    logs = np.log(np.where(found > 0, found, 1.0)) + log_scale
    return np.asarray(np.where(found > 0, logs, impossible))


def peaks(labeling: Labeling, columns: Floats) -> list[int]:
    """The column where each label is most probable, from its start to the next label's."""
    edges = [*labeling.starts, len(columns)]
    return [
        start + int(columns[start:end, label].argmax())
        for label, (start, end) in zip(labeling.labels, pairwise(edges), strict=True)
    ]


def signs(labeling: Labeling, columns: Floats, blank: int, parameters: RowParameters) -> list[Sign]:
    """Each label with its own columns, from its start to the next label's."""
    labels, starts, _ = labeling
    if not labels:
        return []
    blank_threshold = parameters.blank_threshold
    edges = [*starts, len(columns)]
    for k, label in enumerate(labels):
        # A label starts where it outdoes the one before, not only at its most probable start.
        least, before = (edges[k - 1] + 1, labels[k - 1]) if k else (0, blank)
        while edges[k] > least and columns[edges[k] - 1, blank] < blank_threshold:
            earlier = columns[edges[k] - 1]
            if k and earlier[label] <= earlier[before]:
                break
            edges[k] -= 1
    ends = []
    for start, end in pairwise(edges):
        blanks = np.flatnonzero(columns[start:end, blank] >= blank_threshold)
        # What follows a blank belongs to a sign that was not decoded.
        ends.append(start + int(blanks[0]) if blanks.size and blanks[0] else end)
    # The probability of a class in any of the sign's own columns, and of blank in all.
    within = np.stack([edges[:-1], ends], axis=1).ravel()
    extended = np.concatenate([columns, columns[-1:]]).astype(np.float64)  # an end may be the last column's
    present = 1 - np.multiply.reduceat(1 - extended, within)[::2]
    present[:, blank] = np.multiply.reduceat(extended[:, blank], within)[::2]
    shares = (present / present.sum(axis=1, keepdims=True)).astype(np.float32)
    shares[:, blank] = 0.0
    return [
        Sign(label, float(own[label]), start + int(columns[start:end, label].argmax()), own)
        for label, start, end, own in zip(labels, edges, ends, shares, strict=False)
    ]
