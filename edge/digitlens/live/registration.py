"""Where the paper of one picture lies in a later one: corners of its ink found again, and their movement."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.following import FollowParameters
from digitlens.core.arrays import Doubles, Floats, Gray


class Corners(NamedTuple):
    """Points (N, 2) of a picture, x and y; the first `inked` of them are in digits."""

    points: Floats
    inked: int


def corners(gray: Gray, boxes: Doubles, parameters: FollowParameters) -> Corners:
    """Corners of (h, w) uint8 that can be found again: in the boxes (N, 4), and elsewhere.

    Those in digits decide: the background of a sheet in a hand may stand still while the sheet moves.
    """
    inside = np.zeros_like(gray)
    for x, y, width, height in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(inside, (x - 1, y - 1), (x + width, y + height), 255, -1)
    parts = [
        _found(gray, mask, count, parameters)
        for mask, count in (
            (inside, parameters.digit_corners),
            (cv2.bitwise_not(inside).astype(np.uint8, copy=False), parameters.other_corners),
        )
    ]
    return Corners(np.concatenate(parts), len(parts[0]))


def movement(
    before: Gray, known: Corners, after: Gray, start: Doubles, parameters: FollowParameters
) -> Doubles | None:
    """The affine map (2, 3) from (h, w) uint8 to another picture of that size; None if most corners are lost.

    Args:
        before: the picture that the corners are of.
        known: they.
        after: the other picture.
        start: the map (2, 3) from which the search begins.
        parameters: of the search.
    """
    if known.inked < parameters.least_corners:
        return None
    guess = (known.points @ start[:, :2].T + start[:, 2]).astype(np.float32)
    side = parameters.corner_window
    found, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, known.points, guess.copy(), winSize=(side, side), maxLevel=parameters.pyramid_levels,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.03), flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    good = seen.ravel() > 0
    if np.count_nonzero(good) < parameters.least_corners:
        return None
    matrix, fits = cv2.estimateAffine2D(
        known.points[good], found[good], method=cv2.RANSAC, ransacReprojThreshold=parameters.corner_error
    )
    if matrix is None:
        return None
    agreeing = np.zeros(len(good), np.bool_)
    agreeing[good] = fits.ravel() > 0
    inked = int(np.count_nonzero(agreeing[: known.inked]))
    if inked < max(parameters.least_corners, parameters.least_agreement * known.inked):
        return None
    sides = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if sides[0] > parameters.most_zoom or sides[1] < 1 / parameters.most_zoom:
        return None
    return np.asarray(matrix, np.float64)


def _found(gray: Gray, mask: npt.NDArray[np.uint8], count: int, parameters: FollowParameters) -> Floats:
    found = cv2.goodFeaturesToTrack(
        gray, count, parameters.corner_quality, parameters.corner_distance, mask=mask
    )
    return np.zeros((0, 2), np.float32) if found is None else np.asarray(found, np.float32).reshape(-1, 2)
