"""Prefix beam search: a network's columns -> the most probable row of signs (Graves 2012, Hannun 2014)."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

WIDTH = 6
"""Prefixes that are followed at once."""
LEAST = 0.04
"""The probability in a column, below which a class is not followed there."""
NEGLIGIBLE = 5e-3
"""Of the most probable prefix: what is less probable is not followed."""
SILENT = 0.95
"""Of nothing, in a column: there nothing else is looked for."""
IMPOSSIBLE = 1e-6
"""The least probability of a sign that is told from none."""
RESCALED = 16
"""Columns after which what is so improbable that it might be taken for 0 is made larger."""


class Sign(NamedTuple):
    """A class, its confidence (0 to 1), the column where it is most probable, and how probable each class is.

    `shares` (classes,) of the sign's own columns sum to 1 at the most; what they lack is nothing at all.
    """

    label: int
    confidence: float
    column: int
    shares: Floats


_Prefix = tuple[float, float, tuple[int, ...]]
"""How probable it is if it ends in nothing, and if in its last sign; where each of its signs began."""


class Labeling(NamedTuple):
    """Labels, left to right, the column where each begins, and how probable they are, rows left out apart."""

    labels: tuple[int, ...]
    starts: tuple[int, ...]
    chance: float


def search(columns: Floats, nothing: int, width: int = WIDTH) -> list[Sign]:
    """Probabilities (T, C), of which class `nothing` is CTC's blank -> the row's signs, left to right.

    Between columns of nothing a stretch of others is searched alone: what is read in it does not depend on
    what is read elsewhere.
    """
    return signs(rows(columns, nothing, 1, width)[0], columns, nothing)


def rows(columns: Floats, nothing: int, most: int, width: int = WIDTH) -> list[Labeling]:
    """Probabilities (T, C) as for `search` -> what may stand there, at least one row and at most so many.

    The most probable comes first. Rows differ in their labels, not only in where these begin.
    """
    spoken = columns[:, nothing] < SILENT
    edges = np.flatnonzero(np.diff(spoken, prepend=False, append=False)).tolist()
    found = [Labeling((), (), 1.0)]
    if not edges:
        return found
    follow = columns >= LEAST
    follow[:, nothing] = False
    heard = np.logical_or.reduceat(np.concatenate([follow, follow[:1]]), edges)[::2]
    first, several = heard.argmax(axis=1).tolist(), np.count_nonzero(heard, axis=1).tolist()
    for start, end, label, count in zip(edges[::2], edges[1::2], first, several, strict=True):
        if not count:
            continue
        likely = columns[start:end]
        own = None
        if count == 1:
            one = start + int(follow[start:end, label].argmax())
            own = _only(likely[:, label].tolist(), likely[:, nothing].tolist(), label, one)
        if own is None:
            own = _stretch(likely, follow[start:end], nothing, start, width)
        found = _joined(found, own, most)
    return found


def _joined(before: list[Labeling], after: list[Labeling], most: int) -> list[Labeling]:
    """Each followed by each, the most probable so many."""
    if most == 1:
        (one,), other = before, after[0]
        return [Labeling(one.labels + other.labels, one.starts + other.starts, one.chance * other.chance)]
    ways: dict[tuple[int, ...], Labeling] = {}
    for one in before:
        for other in after:
            labels, chance = one.labels + other.labels, one.chance * other.chance
            known = ways.get(labels)
            starts = one.starts + other.starts if known is None or chance > known.chance else known.starts
            ways[labels] = Labeling(labels, starts, chance + (known.chance if known else 0.0))
    return sorted(ways.values(), key=lambda row: -row.chance)[:most]


def _only(said: list[float], silence: list[float], label: int, start: int) -> list[Labeling] | None:
    """A stretch of columns, where nothing but one class is followed: that class, or nothing at all.

    None if it may be that class twice.
    """
    empty, once, ended = 1.0, 0.0, 0.0
    for p, quiet in zip(said, silence, strict=True):
        p = p if p >= LEAST else 0.0
        if ended * p > NEGLIGIBLE * (once + ended):
            return None
        empty, once, ended = empty * quiet, (empty + once) * p, (once + ended) * quiet
        whole = (empty + once + ended) or 1.0
        empty, once, ended = empty / whole, once / whole, ended / whole
    rows = [Labeling((label,), (start,), once + ended), Labeling((), (), empty)]
    return rows if once + ended > empty else rows[::-1]


def _stretch(
    columns: Floats, follow: npt.NDArray[np.bool_], nothing: int, start: int, width: int
) -> list[Labeling]:
    """What may stand in a stretch of columns from `start` on, the most probable first."""
    prefixes: dict[tuple[int, ...], _Prefix] = {(): (1.0, 0.0, ())}
    for column, (likely, which) in enumerate(zip(columns.tolist(), follow, strict=True), start):
        followed = [(label, likely[label]) for label in np.flatnonzero(which).tolist()]
        prefixes = _step(prefixes, followed, likely[nothing], column, width)
    # Of equal ones the first that was found comes first.
    return sorted(
        (Labeling(labels, starts, silent + said) for labels, (silent, said, starts) in prefixes.items()),
        key=lambda row: -row.chance,
    )


def likelihoods(looks: Sequence[Floats], rows: Sequence[Sequence[int]], nothing: int) -> Scores:
    """How probable each look (T, C) at a strip, T at least 1, makes each row of labels.

    Classes from `nothing` on all count as nothing: only what stands in the row is asked, not what parts it.
    Columns that are nothing in all looks and follow each other count once (Graves et al. 2006, the forward
    variables). (looks, rows), natural logarithms.
    """
    silence = np.stack([look[:, nothing:].sum(axis=1) for look in looks])
    silent = (silence >= SILENT).all(axis=0)
    kept = ~silent | ~np.concatenate([[False], silent[:-1]])
    lengths = np.array([len(row) for row in rows])
    places = np.full((len(rows), 2 * int(lengths.max(initial=0)) + 1), nothing)
    for row, own in zip(rows, places, strict=True):
        own[1 : 2 * len(row) : 2] = row
    chances = np.stack([look[kept, :nothing] for look in looks])
    chances = np.concatenate([chances, silence[:, kept, np.newaxis]], axis=2)
    # (T, looks, rows, places)
    steps = np.maximum(chances, IMPOSSIBLE, dtype=np.float64).transpose(1, 0, 2)[:, :, places]
    # Equal neighbors must have nothing between them.
    leap = np.zeros(places.shape)
    leap[:, 3::2] = places[:, 3::2] != places[:, 1:-2:2]
    # Two places more before the first sign, that nothing comes from.
    so_far = np.zeros((len(looks), len(rows), places.shape[1] + 2))
    so_far[..., 2:4] = steps[0, ..., :2]
    stay, before, far = so_far[..., 2:], so_far[..., 1:-1], so_far[..., :-2]
    taken = np.zeros(so_far.shape[:2])
    grown, leapt = np.empty_like(stay), np.empty_like(stay)
    for at, step in enumerate(steps[1:], 1):
        np.add(stay, before, out=grown)
        np.multiply(leap, far, out=leapt)
        np.add(grown, leapt, out=grown)
        np.multiply(grown, step, out=stay)
        if at % RESCALED == 0:
            most = np.maximum(stay.max(axis=2), np.finfo(np.float64).tiny)
            stay /= most[..., np.newaxis]
            taken += np.log(most)
    each = np.arange(len(rows))
    found = so_far[:, each, 2 * lengths + 2] + so_far[:, each, 2 * lengths + 1]
    # Where there are not even columns enough, it is as if none of them fitted.
    impossible = (len(steps) + lengths) * log(IMPOSSIBLE)
    told = np.log(np.where(found > 0, found, 1.0)) + taken
    return np.asarray(np.where(found > 0, told, impossible))


def _step(
    prefixes: dict[tuple[int, ...], _Prefix],
    followed: Sequence[tuple[int, float]],
    silence: float,
    column: int,
    width: int,
) -> dict[tuple[int, ...], _Prefix]:
    """What the prefixes become by one more column; the most probable `width` of them, made to sum to 1.

    `followed` are the classes that are followed there and how likely each is, `silence` how likely nothing.
    """
    # Of each that comes of it: ends in nothing, ends in its last sign, the way that most came by, starts.
    grown: dict[tuple[int, ...], list[Any]] = {}
    for labels, (silent, spoken, starts) in prefixes.items():
        total = silent + spoken
        _add(grown, labels, total * silence, 0.0, starts)
        last = labels[-1] if labels else -1
        for label, p in followed:
            if label == last:
                _add(grown, labels, 0.0, spoken * p, starts)
                _add(grown, (*labels, label), 0.0, silent * p, (*starts, column))
            else:
                _add(grown, (*labels, label), 0.0, total * p, (*starts, column))
    ranked = sorted([(silent + said, labels) for labels, (silent, said, _, _) in grown.items()], reverse=True)
    least = NEGLIGIBLE * ranked[0][0]
    kept = [(p, labels) for p, labels in ranked[:width] if p >= least]
    whole = sum([p for p, _ in kept]) or 1.0
    found = {}
    for _, labels in kept:
        silent, said, _, starts = grown[labels]
        found[labels] = silent / whole, said / whole, starts
    return found


def _add(
    grown: dict[tuple[int, ...], list[Any]],
    labels: tuple[int, ...],
    silent: float,
    said: float,
    starts: tuple[int, ...],
) -> None:
    """One more way to these labels: how probable it is if it ends in nothing, and in its last sign."""
    found = grown.get(labels)
    if found is None:
        grown[labels] = [silent, said, silent + said, starts]
        return
    found[0] += silent
    found[1] += said
    if silent + said > found[2]:
        found[2:] = silent + said, starts


def peaks(row: Labeling, columns: Floats) -> list[int]:
    """The column where each label of a row is most probable, between where it and the next one begin."""
    edges = [*row.starts, len(columns)]
    return [
        start + int(columns[start:end, label].argmax())
        for label, (start, end) in zip(row.labels, pairwise(edges), strict=True)
    ]


def signs(row: Labeling, columns: Floats, nothing: int) -> list[Sign]:
    """Each label of a row with its own columns: from where it began to where the next one does."""
    labels, starts, _ = row
    if not labels:
        return []
    edges = [*starts, len(columns)]
    for k, label in enumerate(labels):
        # It began where it was likelier than the one before, not only where it was likeliest to begin.
        least, before = (edges[k - 1] + 1, labels[k - 1]) if k else (0, nothing)
        while edges[k] > least and columns[edges[k] - 1, nothing] < SILENT:
            earlier = columns[edges[k] - 1]
            if k and earlier[label] <= earlier[before]:
                break
            edges[k] -= 1
    ends = []
    for start, end in pairwise(edges):
        silence = np.flatnonzero(columns[start:end, nothing] >= SILENT)
        # What comes after nothing belongs to a sign that was not taken.
        ends.append(start + int(silence[0]) if silence.size and silence[0] else end)
    # The chance that a class is seen in any of the sign's own columns, and that none is.
    within = np.stack([edges[:-1], ends], axis=1).ravel()
    padded = np.concatenate([columns, columns[-1:]]).astype(np.float64)  # an end may be the strip's own
    seen = 1 - np.multiply.reduceat(1 - padded, within)[::2]
    seen[:, nothing] = np.multiply.reduceat(padded[:, nothing], within)[::2]
    shares = (seen / seen.sum(axis=1, keepdims=True)).astype(np.float32)
    shares[:, nothing] = 0.0
    return [
        Sign(label, float(own[label]), start + int(columns[start:end, label].argmax()), own)
        for label, start, end, own in zip(labels, edges, ends, shares, strict=False)
    ]
