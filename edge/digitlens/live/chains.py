"""Digits that follow each other: the rows that become numbers."""

from collections.abc import Mapping, Set

import numpy as np

from digitlens.core.boxes import covered
from digitlens.live.evidence import DigitTrack, PairLink

COVERED = 0.6
"""Of the smaller box, from which two boxes are in each other's way."""


def chained(
    digits: list[DigitTrack], links: Mapping[tuple[DigitTrack, DigitTrack], PairLink], told: Set[int]
) -> tuple[list[list[DigitTrack]], set[DigitTrack]]:
    """Digits as rows of what follows what, and those to be forgotten, for a stronger one is in their place.

    What stands in the way of a stronger one is in no row. `told` are the numbers that were steady once.
    """
    real = sorted(digits, key=lambda one: (one.settled, one.lead), reverse=True)
    crowded: set[int] = set()
    spare: set[DigitTrack] = set()
    if len(real) > 1:
        boxes = np.array([one.box for one in real])
        shared = covered(boxes, boxes)
        for weaker, stronger in np.argwhere(np.tril(shared, -1) > COVERED).tolist():
            if stronger not in crowded:
                crowded.add(weaker)
                if real[stronger].missed == 0:
                    spare.add(real[weaker])
                    real[stronger].number = real[stronger].number or real[weaker].number
    free = dict.fromkeys(one for place, one in enumerate(real) if place not in crowded)
    after: dict[DigitTrack, DigitTrack] = {}
    before: dict[DigitTrack, DigitTrack] = {}
    # The nearest first: what stands between two digits of a number is between them in the chain, too.
    # A steady number takes no other digit until that is decided.
    pairs = [
        (left, right)
        for (left, right), link in links.items()
        if link.joined
        and right.middle > left.middle
        and (link.decided or not {left.number, right.number} & told)
    ]
    for left, right in sorted(pairs, key=lambda pair: abs(pair[1].middle - pair[0].middle)):
        if left in free and right in free and left not in after and right not in before:
            after[left], before[right] = right, left
    chains = []
    for start in free:
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append(chain)
    return chains, spare
