"""Boxes -> rows, found under skew: each box joins the row whose last box it overlaps most vertically."""

from collections.abc import Iterable
from statistics import median
from typing import Protocol, TypeVar

from digitlens.config.parameters.rows import DEFAULT_ROWS
from digitlens.core.readings import Box


class Boxed(Protocol):
    """Anything with a box."""

    @property
    def box(self) -> Box:
        """Pixels."""


Item = TypeVar("Item", bound=Boxed)


def to_rows(items: Iterable[Item], least_overlap: float = DEFAULT_ROWS.least_overlap) -> list[list[Item]]:
    """Items with a box, in any order -> rows from top to bottom, each from left to right."""
    rows: list[list[Item]] = []
    for item in sorted(items, key=lambda item: item.box[0]):
        # The last box of each row: a skewed row climbs from box to box.
        overlaps = [_overlap(row[-1].box, item.box) for row in rows]
        largest = max(overlaps, default=0.0)
        if largest >= least_overlap:
            rows[overlaps.index(largest)].append(item)
        else:
            rows.append([item])
    rows.sort(key=lambda row: median(item.box[1] + item.box[3] / 2 for item in row))
    return rows


def _overlap(last: Box, box: Box) -> float:
    """The vertical overlap of two boxes, in heights of the lower one; negative where they are apart."""
    _, top, _, height = box
    _, last_top, _, last_height = last
    shared = min(top + height, last_top + last_height) - max(top, last_top)
    return shared / min(height, last_height)
