"""Where the paper of one picture lies in a later one: by corners of its digits, which are found again."""

import cv2
import numpy as np

from digitlens.config.parameters.following import FollowParameters
from digitlens.core.arrays import Doubles, Floats, Gray

END = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.03)
"""When the search for a corner ends: after steps, a count, or at the last step's length, in pixels."""


def corners(gray: Gray, boxes: Doubles, parameters: FollowParameters) -> Floats:
    """Points (N, 2), x and y, of (h, w) uint8 that can be found again: corners in the boxes (M, 4) of digits.

    Only there: the background of a sheet in a hand may stand still while the sheet moves.
    """
    step = -(-len(boxes) // parameters.most_digits)
    found = [np.zeros((0, 2), np.float32)]
    for x, y, width, height in np.rint(boxes[::step]).astype(int).tolist():
        left, top = max(x - 1, 0), max(y - 1, 0)
        part = gray[top : y + height + 1, left : x + width + 1]
        if not part.size:
            continue
        points = cv2.goodFeaturesToTrack(
            part, parameters.digit_corners, parameters.corner_quality, parameters.corner_distance
        )
        if points is not None:
            found.append(points.reshape(-1, 2) + np.array([left, top], np.float32))
    return np.concatenate(found).astype(np.float32, copy=False)


def movement(
    before: Gray, points: Floats, after: Gray, start: Doubles, parameters: FollowParameters
) -> Doubles | None:
    """The affine map (2, 3) from (h, w) uint8 to another picture; None if most corners are lost.

    Args:
        before: the picture that the corners are of.
        points: the corners (N, 2).
        after: the other picture, of the same size.
        start: the map (2, 3) from which the search begins.
        parameters: of the search.
    """
    if len(points) < parameters.least_corners:
        return None
    guess = (points @ start[:, :2].T + start[:, 2]).astype(np.float32)
    side = parameters.corner_window
    found, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, guess, winSize=(side, side), maxLevel=parameters.pyramid_levels,
        criteria=END, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    good = seen.ravel() > 0
    least = max(parameters.least_corners, parameters.least_agreement * len(points))
    if np.count_nonzero(good) < least:
        return None
    matrix, fits = cv2.estimateAffine2D(
        points[good], found[good], method=cv2.RANSAC, ransacReprojThreshold=parameters.corner_error
    )
    if matrix is None or np.count_nonzero(fits) < least:
        return None
    sides = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if sides[0] > parameters.most_zoom or sides[1] < 1 / parameters.most_zoom:
        return None
    return np.asarray(matrix, np.float64)
