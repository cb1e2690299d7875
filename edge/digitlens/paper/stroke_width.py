"""How wide a pen's stroke is."""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]


def stroke_width(ink: Gray) -> float:
    """The mean stroke width of an ink crop (H, W), in its pixels: twice the area over the perimeter."""
    pen = cv2.threshold(ink, 127, 1, cv2.THRESH_BINARY)[1]
    area = cv2.countNonZero(pen)
    if area == 0:
        return 0.0
    pen = cv2.copyMakeBorder(pen, 1, 1, 1, 1, cv2.BORDER_CONSTANT)  # the crop's own border is an edge, too
    edges = cv2.countNonZero(cv2.absdiff(pen[1:], pen[:-1]))
    edges += cv2.countNonZero(cv2.absdiff(pen[:, 1:], pen[:, :-1]))
    # City-block edges are longer than the contour by 4 / pi on average over all directions.
    return 2 * area / (edges * np.pi / 4)
