"""Runs the network `ink` in bands: its large layers see few pixels around each, and take most of its memory.

Of the interpreter's memory a picture of 1280 x 720 pixels takes 12 MB in bands instead of 25 at once, with
the same outputs to the bit.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.models.interpreter import Network

PARTS = "down", "inside", "up"
"""Signatures of the network's parts: to an eighth of the picture's size, from there to there, and back."""
STEP = 2
"""Pixels of the picture, across and down, for one of the output."""
WINDOW = 3
"""Side of the window of the network's first layer, pixels."""
UNIT = 8
"""Pixels of the picture, down, for a row between the parts."""
BAND = 24 * 1280
"""Pixels of the picture for which a band is run at most, for each of UNIT rows of them."""
DOWN_MARGINS = 1, 2
UP_MARGINS = 1, 1
"""Rows between the parts above and below a band that its outputs depend on."""

Values = npt.NDArray[Any]


class Bands:
    """A network with the three parts; one picture at a time."""

    def __init__(self, network: Network) -> None:
        self._down, self._inside, self._up = (network.part(name) for name in PARTS)

    def run(self, framed: Gray) -> Values:
        """(H, W) uint8, multiples of 32 -> the network's outputs (H / STEP, W / STEP, classes)."""
        rows, width = framed.shape[0] // UNIT, framed.shape[1]
        count = -(-rows * width // BAND)
        between: list[Values] = []  # at a half, a quarter and an eighth of the picture's size
        for start, end, first, last in _bands(rows, count, DOWN_MARGINS):
            # The windows of the last row reach into the one below.
            pixels = windows(framed[start * UNIT : end * UNIT + STEP])[: (end - start) * UNIT // STEP]
            for place, part in enumerate(self._down(pixels[np.newaxis])):
                each = part.shape[1] // (end - start)
                if len(between) == place:
                    between.append(np.empty((1, rows * each, *part.shape[2:]), part.dtype))
                between[place][:, first * each : last * each] = _cut(part, each, start, first, last)
        half, quarter, eighth = between
        (eighth,) = self._inside(eighth)
        found: list[Values] = []
        for start, end, first, last in _bands(rows, count, UP_MARGINS):
            around = ((half, 4), (quarter, 2), (eighth, 1))
            (part,) = self._up(*(values[:, start * each : end * each] for values, each in around))
            found.append(_cut(part, 4, start, first, last)[0])
        return found[0] if count == 1 else np.concatenate(found)


def windows(framed: Gray) -> Gray:
    """(H, W) uint8, H and W even -> (H / STEP, W / STEP, WINDOW ** 2): the pixels that an output sees first.

    Each window begins at its own pixel and reaches WINDOW - 1 pixels beyond, where 0 stands outside.
    """
    height, width = framed.shape
    wide = cv2.copyMakeBorder(framed, 0, 1, 0, 1, cv2.BORDER_CONSTANT, value=(0,))
    even, odd = (np.ascontiguousarray(wide[:, start::STEP]) for start in (0, 1))
    columns = even[:, : width // STEP], odd, even[:, 1:]
    places = [column[top : top + height : STEP] for top in range(WINDOW) for column in columns]
    return cv2.merge(places).astype(np.uint8, copy=False)


def _cut(part: Values, each: int, start: int, first: int, last: int) -> Values:
    """The rows `first` to `last` of a band that begins at `start`, `each` rows of the part for one."""
    return part[:, (first - start) * each : (last - start) * each]


def _bands(rows: int, count: int, margins: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """So many bands that cover the rows: where each starts and ends, and the rows of it that are right.

    All have one size, for which the interpreter is prepared once.
    """
    above, below = margins
    size = min(rows, above + -(-rows // count) + below)
    done = 0
    while done < rows:
        start = min(max(0, done - above), rows - size)
        end = start + size
        last = rows if end == rows else end - below
        yield start, end, done, last
        done = last
