"""Digits that follow each other: the rows that become numbers."""

from collections.abc import Mapping, Set

import numpy as np

from digitlens.core.boxes import covered
from digitlens.live.evidence import DigitTrack, PairLink


def chain_digits(
    digits: list[DigitTrack],
    links: Mapping[tuple[DigitTrack, DigitTrack], PairLink],
    reported: Set[int],
    max_overlap: float,
) -> tuple[list[list[DigitTrack]], set[DigitTrack]]:
    """Rows of digits that follow each other, and the digits to forget because a stronger one covers them.

    Args:
        digits: all that may belong to a number.
        links: between left and right digits.
        reported: ids of the numbers that were steady once.
        max_overlap: see TrackingParameters; a digit that a stronger one overlaps more is in no row.
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
    pairs = [
        (left, right)
        for (left, right), link in links.items()
        if link.is_joined
        and right.center_x > left.center_x
        and (link.is_decided or not {left.number, right.number} & reported)
    ]
    for left, right in sorted(pairs, key=lambda pair: abs(pair[1].center_x - pair[0].center_x)):
        if left in free and right in free and left not in after and right not in before:
            after[left], before[right] = right, left
    chains = []
    for start in free:
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append(chain)
    return chains, replaced
