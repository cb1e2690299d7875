"""Signs -> rows, found under skew: each sign joins the row whose last sign it overlaps most in height."""

from collections.abc import Iterable
from statistics import median
from typing import Protocol, TypeVar

from digitlens.core.readings import Box

OVERLAP = 0.4
"""Of the lower one's height, that two neighbors of one row overlap at the least."""


class Boxed(Protocol):
    """Whatever stands in a box."""

    @property
    def box(self) -> Box:
        """Pixels."""


Sign = TypeVar("Sign", bound=Boxed)


def to_rows(signs: Iterable[Sign]) -> list[list[Sign]]:
    """Digits, or whatever has a box, in any order -> rows from top to bottom, each from left to right."""
    rows: list[list[Sign]] = []
    for sign in sorted(signs, key=lambda sign: sign.box[0]):
        # The row whose last sign it overlaps most; a skewed row climbs from sign to sign.
        shares = [_overlap(row[-1].box, sign.box) for row in rows]
        most = max(shares, default=0.0)
        if most >= OVERLAP:
            rows[shares.index(most)].append(sign)
        else:
            rows.append([sign])
    rows.sort(key=lambda row: median(sign.box[1] + sign.box[3] / 2 for sign in row))
    return rows


def _overlap(last: Box, box: Box) -> float:
    """How much of the lower one's height a sign shares with the row's last, in parts of it."""
    _, top, _, height = box
    _, last_top, _, last_height = last
    shared = min(top + height, last_top + last_height) - max(top, last_top)
    return shared / min(height, last_height)
