"""Where the network is asked: where the picture shows anything, and of a film, where a frame has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.network import CLASSES, MULTIPLE, PAPER, STEP, Logits, PixelClassifier

COARSE = 4
"""Pixels of the picture for one of the coarse look."""
SIZES = 3
"""Sizes of a film's frames of which the last logits are kept; some 2 MB each."""
Region = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last; pixels."""


@dataclass
class _Seen:
    """The coarse picture that the logits are of, and the logits."""

    coarse: Gray
    logits: Logits


class Look:
    """Asks the network for the parts of a picture that need it; one thread at a time.

    Args:
        network: the network `ink`.
        film: successive pictures are frames of one film, and where one has not changed the last one's
            logits stand. Changes add up until they are seen: a place is compared with the frame that it was
            asked for.
    """

    def __init__(self, network: PixelClassifier, parameters: PaperParameters, film: bool = False) -> None:
        self.network = network
        self._parameters, self._film = parameters, film
        self._last: tuple[Gray, Logits] | None = None
        self._seen: dict[tuple[int, ...], _Seen] = {}  # by size: a frame is looked at at several scales

    @property
    def scale(self) -> float:
        """Nats for one step of the logits."""
        return self.network.scale

    def logits(self, gray: Gray) -> Logits:
        """(H, W) uint8 -> the logits of its pixels, two by two; do not write to them."""
        size = max(1, gray.shape[1] // COARSE), max(1, gray.shape[0] // COARSE)
        coarse = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        if not self._film:
            # A picture is looked at twice: as a witness's, and to be read.
            if self._last is None or not np.array_equal(gray, self._last[0]):
                self._last = gray, self._of(gray, _inked(coarse, gray, self._parameters))
            return self._last[1]
        before = self._seen.pop(coarse.shape, None)
        if before is None:
            seen = _Seen(coarse, self._of(gray, _inked(coarse, gray, self._parameters)))
        else:
            seen = self._updated(gray, coarse, before)
        self._seen[coarse.shape] = seen
        if len(self._seen) > SIZES:
            del self._seen[next(iter(self._seen))]
        return seen.logits

    def _of(self, gray: Gray, region: Region | None) -> Logits:
        """The logits of a region, paper elsewhere."""
        height, width = gray.shape
        if region == (0, height, 0, width):
            return self.network.logits(gray)
        found = np.zeros((-(-height // STEP), -(-width // STEP), CLASSES), np.int16)
        found[..., PAPER] = np.int16(np.ceil(20 / self.network.scale))
        if region is not None:
            top, bottom, left, right = region
            part = self.network.logits(np.ascontiguousarray(gray[top:bottom, left:right]))
            found[top // STEP : -(-bottom // STEP), left // STEP : -(-right // STEP)] = part
        return found

    def _updated(self, gray: Gray, coarse: Gray, seen: _Seen) -> _Seen:
        """The last frame's logits, asked for anew where the frame differs from the one they are of."""
        box = cv2.boundingRect(_above(cv2.absdiff(coarse, seen.coarse), self._parameters.least_change))
        if not box[2]:
            return seen
        inner = _region(box, gray, self._parameters.changed_margin)
        outer = _region(box, gray, 2 * self._parameters.changed_margin)
        if _area(outer) > self._parameters.most_changed * gray.size:
            return _Seen(coarse, self._of(gray, _inked(coarse, gray, self._parameters)))
        part = self.network.logits(np.ascontiguousarray(gray[outer[0] : outer[1], outer[2] : outer[3]]))
        found = seen.logits.copy()
        top, bottom, left, right = (side // STEP for side in inner)
        up, back = outer[0] // STEP, outer[2] // STEP
        found[top:bottom, left:right] = part[top - up : bottom - up, left - back : right - back]
        kept = seen.coarse.copy()
        rows, columns = (slice(*(side // COARSE for side in inner[k : k + 2])) for k in (0, 2))
        kept[rows, columns] = coarse[rows, columns]
        return _Seen(kept, found)


def _inked(coarse: Gray, gray: Gray, parameters: PaperParameters) -> Region | None:
    """The region of the picture where anything is darker or lighter than around it; None if there is none."""
    around = np.ones((5, 5), np.uint8)
    ranges = cv2.subtract(cv2.dilate(coarse, around), cv2.erode(coarse, around))
    box = cv2.boundingRect(_above(ranges, parameters.least_range))
    return _region(box, gray, parameters.inked_margin) if box[2] else None


def _above(values: Any, level: int) -> Any:
    """(H, W) uint8, 255 where values are above a level; cv2.compare takes no picture of one pixel."""
    return cv2.threshold(values, level, 255, cv2.THRESH_BINARY)[1]


def _region(box: Sequence[int], gray: Gray, margin: int) -> Region:
    """A box of the coarse picture with a margin of pixels around it, as a region of the picture."""
    x, y, width, height = (side * COARSE for side in box)
    sides = []
    for start, length, most in ((y, height, gray.shape[0]), (x, width, gray.shape[1])):
        first = max(0, start - margin) // MULTIPLE * MULTIPLE
        last = -(-(start + length + margin) // MULTIPLE) * MULTIPLE
        # What the coarse picture leaves over at the end belongs to it.
        sides += [first, most if last > most - MULTIPLE else last]
    return sides[0], sides[1], sides[2], sides[3]


def _area(region: Region) -> int:
    return (region[1] - region[0]) * (region[3] - region[2])
