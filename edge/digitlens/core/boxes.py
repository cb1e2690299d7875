"""Arrays of boxes: what they share, and how alike they are."""

import numpy as np

from digitlens.core.arrays import Doubles


def intersections(boxes: Doubles, others: Doubles) -> Doubles:
    """Pixels that each box (N, 4) shares with each of the others (M, 4): (N, M); x, y, width, height."""
    x, y, width, height = boxes.T[..., np.newaxis]
    a, b, wide, high = others.T
    across = np.minimum(x + width, a + wide) - np.maximum(x, a)
    down = np.minimum(y + height, b + high) - np.maximum(y, b)
    return np.asarray(np.maximum(across, 0) * np.maximum(down, 0), np.float64)


def iou(boxes: Doubles, others: Doubles) -> Doubles:
    """Intersection over union of each box (N, 4) with each of the others (M, 4): (N, M)."""
    shared = intersections(boxes, others)
    areas = boxes[:, 2] * boxes[:, 3]
    joined = np.maximum(areas[:, np.newaxis] + others[:, 2] * others[:, 3] - shared, 1e-9)
    return np.asarray(shared / joined, np.float64)


def covered(boxes: Doubles, others: Doubles) -> Doubles:
    """Of the smaller of each two boxes, the part that they share: (N, M), 0 to 1."""
    areas = (boxes[:, 2] * boxes[:, 3])[:, np.newaxis]
    return np.asarray(
        intersections(boxes, others) / np.minimum(areas, others[:, 2] * others[:, 3]), np.float64
    )
