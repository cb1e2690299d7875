"""Two readings of one page merged: where they differ, the one with more digits probably right stands."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import msgspec

from digitlens.core.readings import Box, Digit, Number, moved, number
from digitlens.numbers.order import in_reading_order
from digitlens.paper.page import Page

Group = Callable[[Sequence[Digit], Page], tuple[Number, ...]]


def regrouped(
    numbers: Iterable[Number], page: Page, move: Callable[[Box], Box], group: Group
) -> tuple[Number, ...]:
    """The digits of numbers of another picture, moved onto a page and grouped by what stands on it."""
    return group([digit for number in moved(numbers, move) for digit in number.digits], page)


def parted(numbers: Iterable[Number], page: Page, group: Group) -> tuple[Number, ...]:
    """Numbers that stand on a page, split where their digits are of two; what is apart stays apart.

    What a decimal point joins, at any height, stays one.
    """
    parts: list[Number] = []
    for found in numbers:
        first = len(parts)
        for part in group(found.digits, page):
            if len(parts) > first and _is_point_between(parts[-1].box, part.box, page.dots):
                parts[-1] = number((*parts[-1].digits, *part.digits))
            else:
                parts.append(part)
    return tuple(parts)


def _is_point_between(left: Box, right: Box, dots: Iterable[Box]) -> bool:
    """Whether a dot stands between two boxes side by side, and as high as they do."""
    top, bottom = min(left[1], right[1]), max(left[1] + left[3], right[1] + right[3])
    start, end = left[0] + left[2], right[0]
    return any(
        start <= x + width / 2 <= end and top <= y + height / 2 <= bottom for x, y, width, height in dots
    )


def partitioned(numbers: Sequence[Number], least_shared: float) -> tuple[Number, ...]:
    """The numbers such that no two of them hold the same ink, in any order.

    Of two that share digits, read alike, one is made. Where they read the ink differently, it is the surer
    number's; of the other stands what is left, if that is half of it at least.

    Args:
        numbers: of one picture.
        least_shared: the part of the smaller of two digits' boxes from which they are the same ink.
    """
    kept: list[Number] = []
    read_twice = False
    for found in sorted(numbers, key=lambda one: -one.confidence):
        near = [other for other in kept if shared(found.box, other.box)]
        pairs = [
            (k, at, digit.value == taken.value)
            for k, digit in enumerate(found.digits)
            for at, other in enumerate(near)
            for taken in other.digits
            if shared(digit.box, taken.box) >= least_shared
        ]
        doubles = {k for k, _, _ in pairs}
        own = [digit for k, digit in enumerate(found.digits) if k not in doubles]
        read_twice |= bool(doubles)
        if not doubles:
            kept.append(found)
        elif len({at for _, at, _ in pairs}) == 1 and all(alike for _, _, alike in pairs):
            other = near[pairs[0][1]]
            if own:
                joined = number(tuple(sorted((*other.digits, *own), key=lambda one: one.box[0])))
                sure = min(found.confidence, other.confidence)
                kept = [one for one in kept if one is not other]
                kept.append(msgspec.structs.replace(joined, confidence=sure))
        elif 2 * len(doubles) <= len(found.digits):
            kept.append(msgspec.structs.replace(number(tuple(own)), confidence=found.confidence))
    return tuple(kept) if read_twice else tuple(numbers)


def merged(first: Sequence[Number], second: Sequence[Number], least_shared: float) -> tuple[Number, ...]:
    """The numbers of either in reading order, confidence being the probability that a number is right.

    Numbers of both that share ground are alternatives, as are those which share it with those: the side with
    more digits probably right, less those probably wrong, stands; the first where both are alike.

    Args:
        first: numbers in reading order, boxes in pixels of one picture.
        second: likewise.
        least_shared: part of the smaller box from which two share ground.
    """
    parents = list(range(len(first) + len(second)))

    def root(k: int) -> int:
        while parents[k] != k:
            parents[k] = parents[parents[k]]
            k = parents[k]
        return k

    for k, one in enumerate(first):
        for j, other in enumerate(second, len(first)):
            if shared(one.box, other.box) >= least_shared:
                parents[root(j)] = root(k)
    sides: dict[int, tuple[list[Number], list[Number]]] = {}
    for k, one in enumerate((*first, *second)):
        sides.setdefault(root(k), ([], []))[k >= len(first)].append(one)
    found = [
        number
        for one, other in sides.values()
        for number in (other if not one or (other and _worth(other) > _worth(one)) else one)
    ]
    return in_reading_order(found)


def are_close(numbers: Iterable[Number], gap: float) -> bool:
    """Whether no gap between two digits of a number is wider than `gap`, in heights of the digits."""
    return all(
        other.box[0] - one.box[0] - one.box[2] <= gap * max(one.box[3], other.box[3])
        for number in numbers
        for one, other in pairwise(number.digits)
    )


def _worth(numbers: Iterable[Number]) -> float:
    """Digits that are probably right, less those that are probably wrong."""
    return sum(len(number.digits) * (2 * number.confidence - 1) for number in numbers)


def shared(one: Box, other: Box) -> float:
    """The part of the smaller box that both cover."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min(one[2] * one[3], other[2] * other[3])
