"""The notebook's reader, the baseline for the reader's time.

Gray, blur, a fixed threshold of 90, external contours, a square around each, 28 x 28, and one
model.predict a digit.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from digitlens_train.networks import to_input


def read(path: Path, model: Any) -> list[int]:
    """The digits of a photo, in the order of OpenCV's contours."""
    image = cv2.imread(str(path))
    if image is None:
        return []
    gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (5, 5), 0)
    _, ink = cv2.threshold(gray, 90, 255, cv2.THRESH_BINARY_INV)
    contours, _ = cv2.findContours(ink.copy(), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    digits = []
    for x, y, width, height in map(cv2.boundingRect, contours):
        side = int(height * 1.6)
        top, left = max(0, y + height // 2 - side // 2), max(0, x + width // 2 - side // 2)
        roi = ink[top : top + side, left : left + side]
        if not roi.size:
            continue
        square = cv2.dilate(
            cv2.resize(roi, (28, 28), interpolation=cv2.INTER_AREA), np.ones((3, 3), np.uint8)
        )
        batch = to_input(square[np.newaxis].astype(np.uint8, copy=False))
        digits.append(int(model.predict(batch, verbose=0).argmax()))
    return digits
