"""Digits that follow each other: the rows that become numbers."""

from collections.abc import Mapping, Set

import numpy as np

from digitlens.core.arrays import Doubles
from digitlens.core.boxes import covered
from digitlens.live.evidence import DigitTrack, PairLink

Links = Mapping[tuple[DigitTrack, DigitTrack], PairLink]
"""Of each digit to the one that is read after it."""
Direction = tuple[int, int]
"""Steps across and down the picture, 0, 1 or -1, in which a row is read."""
ACROSS: Direction = (1, 0)
"""The direction on a page that stands upright."""


def reading_direction(links: Links) -> Direction:
    """The direction in which most digits follow each other: on a turned page it is another one."""
    joined = [pair for pair, link in links.items() if link.is_joined]
    if not joined:
        return ACROSS
    steps = _centers([right for _, right in joined]) - _centers([left for left, _ in joined])
    longer = np.abs(steps) == np.abs(steps).max(axis=1, keepdims=True)
    across, down = (np.sign(steps) * longer).sum(axis=0).tolist()
    if abs(across) >= abs(down):
        return (-1, 0) if across < 0 else ACROSS
    return (0, -1) if down < 0 else (0, 1)


def _centers(digits: list[DigitTrack]) -> Doubles:
    """(N, 2): x and y of the boxes' middles, pixels."""
    boxes = np.array([one.box for one in digits], np.float64).reshape(-1, 4)
    return boxes[:, :2] + boxes[:, 2:] / 2


def chain_digits(
    digits: list[DigitTrack],
    links: Links,
    reported: Set[int],
    max_overlap: float,
    direction: Direction = ACROSS,
) -> tuple[list[list[DigitTrack]], set[DigitTrack]]:
    """Rows of digits that follow each other, and the digits to forget because a stronger one covers them.

    Args:
        digits: all that may belong to a number.
        links: between digits.
        reported: ids of the numbers that were steady once.
        max_overlap: see TrackingParameters; a digit that a stronger one overlaps more is in no row.
        direction: in which a row is read.
    """
    ranked = sorted(digits, key=lambda one: (one.is_settled, one.lead), reverse=True)
    crowded: set[int] = set()
    replaced: set[DigitTrack] = set()
    if len(ranked) > 1:
        boxes = np.array([one.box for one in ranked])
        overlaps = covered(boxes, boxes)
        for weaker, stronger in np.argwhere(np.tril(overlaps, -1) > max_overlap).tolist():
            if stronger not in crowded:
                crowded.add(weaker)
                if ranked[stronger].missed == 0:
                    replaced.add(ranked[weaker])
                    ranked[stronger].number = ranked[stronger].number or ranked[weaker].number
    free = dict.fromkeys(one for rank, one in enumerate(ranked) if rank not in crowded)
    after: dict[DigitTrack, DigitTrack] = {}
    before: dict[DigitTrack, DigitTrack] = {}
    # The nearest first: a digit between two others of a number is between them in the chain, too.
    # A steady number takes no other digit until that link is decided.
    along = dict(zip(free, (_centers(list(free)) @ direction).tolist(), strict=True))
    pairs = [
        (left, right)
        for (left, right), link in links.items()
        if link.is_joined
        and left in free
        and right in free
        and along[right] > along[left]
        and (link.is_decided or not {left.number, right.number} & reported)
    ]
    for left, right in sorted(pairs, key=lambda pair: along[pair[1]] - along[pair[0]]):
        if left not in after and right not in before:
            after[left], before[right] = right, left
    chains = []
    for start in free:
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append(chain)
    return chains, replaced
