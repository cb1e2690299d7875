"""Tells a picture that only moved from one that changed: registers it to the one read last, and compares."""

from typing import NamedTuple

import cv2
import numpy as np

from digitlens.config.parameters.following import FollowParameters
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.live.registration import corners, movement

HALF = 2
"""Pixels of the picture, across and down, for one of the picture that is followed."""
LEAST_SIDE = 64
"""Shorter side of a picture from which it is followed, in pixels."""
SMOOTH = 3
"""Side of the mean that is compared, in pixels: it evens out noise, and shifts of less than a pixel."""

BESIDE = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""Pixels around one between whose levels it may lie: the place is known to a part of a pixel."""


class Motion(NamedTuple):
    """How a picture lies over the one that was read.

    `matrix` (2, 3) maps that one's pixels to this one's; `changed` is whether anything but the place, the
    light and the noise differs; `grown` whether paper with ink on it has come in at the edges.
    """

    matrix: Doubles
    changed: bool
    grown: bool


class Follower:
    """Compares frames with the frame that was READ, so that slow changes add up until they are seen."""

    def __init__(self, parameters: FollowParameters | None = None) -> None:
        self._parameters = parameters or FollowParameters()
        self._read: Gray | None = None  # half the size
        self._smooth: Gray | None = None  # it, smooth; made when it is needed
        self._corners: Floats | None = None  # found when they are needed
        self._boxes: Doubles = np.zeros((0, 4))
        self._matrix: Doubles = np.eye(2, 3)  # of the frame before, at half the size

    def keep(self, gray: Gray, boxes: Doubles) -> None:
        """Frames are from now on compared with (h, w) uint8, in which the digits' boxes (N, 4) were read."""
        self._read = _half(gray)
        self._boxes = boxes / HALF
        self._smooth = self._corners = None
        self._matrix = np.eye(2, 3)

    def look(self, gray: Gray) -> Motion | None:
        """Where the paper that was read lies in (h, w) uint8; None if it is not found there."""
        if self._read is None or min(gray.shape) < LEAST_SIDE or not len(self._boxes):
            return None
        now = _half(gray)
        if now.shape != self._read.shape:
            return None
        if self._corners is None:
            self._corners = corners(self._read, self._boxes, self._parameters)
        # In the light of the other one: corners are found again by their levels.
        light = (cv2.mean(self._read)[0] + 1) / (cv2.mean(now)[0] + 1)
        lit = _gray(cv2.convertScaleAbs(now, alpha=light))
        matrix = movement(self._read, self._corners, lit, self._matrix, self._parameters)
        if matrix is None:
            self._matrix = np.eye(2, 3)
            return None
        self._matrix = matrix
        whole = matrix.copy()
        # The middle of a pixel at half the size is the corner between four pixels.
        middle = (HALF - 1) / 2
        whole[:, 2] = HALF * matrix[:, 2] + middle - matrix[:, :2] @ (middle, middle)
        height, width = now.shape
        edges = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)
        ends = edges @ matrix[:, :2].T + matrix[:, 2]
        here = _smooth(now)
        if self._smooth is None:
            self._smooth = _smooth(self._read)
        size = (width, height)
        there = _gray(cv2.warpAffine(self._smooth, matrix, size, borderMode=cv2.BORDER_REPLICATE))
        return Motion(whole, self._differs(here, there, ends), self._has_new_ink(here, ends))

    def _differs(self, here: Gray, there: Gray, ends: Doubles) -> bool:
        """Whether a smooth picture differs from the one that was read, moved so that it lies over it.

        The corners of that one are now at `ends` (4, 2).
        """
        parameters = self._parameters
        there = _lit(there, here, parameters.light_tiles)
        known: Gray = np.zeros(here.shape, np.uint8)
        cv2.fillConvexPoly(known, np.rint(ends).astype(np.int32), (255,))
        known = _gray(
            cv2.erode(known, np.ones((7, 7), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
        )
        change = cv2.absdiff(here, there)
        sample = np.minimum(change[::4, ::4][known[::4, ::4] > 0], np.uint8(8))
        noise = 1.25 * float(sample.mean()) if sample.size else parameters.max_noise
        if noise > parameters.max_noise:
            return True
        low, high = cv2.erode(there, BESIDE), cv2.dilate(there, BESIDE)
        beyond = cv2.max(cv2.subtract(here, high), cv2.subtract(low, here))
        contrast = cv2.subtract(high, low)
        passes = max(parameters.least_difference, parameters.deviations * noise)
        allowed = cv2.convertScaleAbs(contrast, alpha=parameters.contrast_share, beta=passes)
        found = cv2.bitwise_and(cv2.subtract(beyond, allowed), known)
        return cv2.countNonZero(found) >= parameters.least_pixels

    def _has_new_ink(self, here: Gray, ends: Doubles) -> bool:
        """Whether ink has come in at the edges, of a smooth picture."""
        parameters = self._parameters
        height, width = here.shape
        tall = float(np.median(self._boxes[:, 3]))
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = ends.tolist()
        new = (max(x0, x3), width - min(x1, x2), max(y0, y1), height - min(y2, y3))
        depths = [int(depth) for depth in new]
        strips = (
            here[:, : depths[0]], here[:, width - max(depths[1], 0) :],
            here[: depths[2]], here[height - max(depths[3], 0) :],
        )  # fmt: skip
        around = np.ones((5, 5), np.uint8)
        for depth, strip in zip(depths, strips, strict=True):
            if depth <= max(2.0, parameters.new_paper * tall) or not strip.size:
                continue
            ranges = cv2.subtract(cv2.dilate(strip, around), cv2.erode(strip, around))
            if float(ranges.max()) > parameters.new_ink:
                return True
        return False


def _gray(picture: object) -> Gray:
    """OpenCV's result, of which it says less."""
    return np.asarray(picture, np.uint8)


def _half(gray: Gray) -> Gray:
    size = max(1, gray.shape[1] // HALF), max(1, gray.shape[0] // HALF)
    even = gray[: size[1] * HALF, : size[0] * HALF]  # a camera may send a frame of one pixel
    return _gray(cv2.resize(even, size, interpolation=cv2.INTER_AREA))


def _smooth(gray: Gray) -> Gray:
    return _gray(cv2.blur(gray, (SMOOTH, SMOOTH)))


def _lit(picture: Gray, as_is: Gray, tile: int) -> Gray:
    """A picture in the light of another one, tile by tile."""
    rows, columns = picture.shape[0] // tile, picture.shape[1] // tile
    if not rows or not columns:
        return picture
    high, wide = rows * tile, columns * tile  # sums of complete tiles take a fifth of the time
    one, other = (
        cv2.resize(each[:high, :wide], (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
        for each in (picture, as_is)
    )
    gains = np.clip((other + 1) / (one + 1), 0.5, 2.0).astype(np.float32)
    if min(rows, columns) >= 3:
        gains = np.asarray(cv2.medianBlur(gains, 3), np.float32)  # what is new in one tile is no light
    inner = cv2.resize(gains, (wide, high), interpolation=cv2.INTER_LINEAR)
    below, beside = picture.shape[0] - high, picture.shape[1] - wide
    whole = cv2.copyMakeBorder(inner, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    return _gray(cv2.multiply(picture, whole, dtype=cv2.CV_8U))
