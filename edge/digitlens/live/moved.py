"""Numbers and readings moved along with the paper, by an affine map (2, 3) of pixels."""

from collections.abc import Iterable
from functools import partial

import msgspec
import numpy as np

from digitlens.core.arrays import Doubles
from digitlens.core.readings import Box, Reading, moved
from digitlens.core.tracking import Tracked

EDGE_MARGIN = 2
"""Distance from the picture's edge within which a number may be cut, in pixels."""


def moved_box(box: Box, matrix: Doubles) -> Box:
    """A box after the map: its middle moves, its sides keep their directions."""
    x, y, width, height = box
    (a, b, c), (d, e, f) = matrix.tolist()
    scale = abs(a * e - b * d) ** 0.5
    across, down = x + width / 2, y + height / 2
    left, top = a * across + b * down + c - width * scale / 2, d * across + e * down + f - height * scale / 2
    x, y = round(left), round(top)
    return x, y, max(1, round(left + width * scale) - x), max(1, round(top + height * scale) - y)


def moved_numbers(tracked: Iterable[Tracked], matrix: Doubles | None) -> tuple[Tracked, ...]:
    """The numbers where the map takes them; None leaves them in their places."""
    if matrix is None:
        return tuple(tracked)
    move = partial(moved_box, matrix=matrix)
    return tuple(msgspec.structs.replace(one, number=moved((one.number,), move)[0]) for one in tracked)


def moved_reading(reading: Reading, matrix: Doubles | None, time: float) -> Reading:
    """The reading of a frame of another time, where the map takes it."""
    numbers = reading.numbers
    if matrix is not None:
        numbers = moved(numbers, partial(moved_box, matrix=matrix))
    return msgspec.structs.replace(reading, time=time, numbers=numbers)


def crosses_edge(tracked: Iterable[Tracked], matrix: Doubles, size: tuple[int, int]) -> bool:
    """Whether the map takes a number across the edge of a picture of this width and height."""
    return any(
        _is_inside(one.number.box, size) != _is_inside(moved_box(one.number.box, matrix), size)
        for one in tracked
    )


def digit_boxes(reading: Reading) -> Doubles:
    """The boxes (N, 4) of the reading's digits."""
    boxes = [digit.box for number in reading.numbers for digit in number.digits]
    return np.array(boxes, np.float64).reshape(-1, 4)


def resized_map(matrix: Doubles, size: tuple[int, int], wanted: tuple[int, int]) -> Doubles:
    """The map for pictures of this size (width, height) at another size."""
    if size == wanted:
        return matrix
    scale = np.array(wanted, np.float64) / np.array(size, np.float64)
    resized: Doubles = matrix * scale[:, np.newaxis]
    resized[:, :2] /= scale
    return resized


def _is_inside(box: Box, size: tuple[int, int]) -> bool:
    x, y, width, height = box
    return (
        min(x, y) >= EDGE_MARGIN
        and x + width <= size[0] - EDGE_MARGIN
        and y + height <= size[1] - EDGE_MARGIN
    )
