"""Pages that the tests draw: real digits on paper."""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]


def write(
    text: str, digits: tuple[Gray, Gray], size: int = 60, step: int = 70, ink: int = 40, paper: int = 220
) -> Gray:
    """A gray strip with `text` in real digits, `size` pixels high, one of each value, always the same."""
    x, y = digits
    height, width = 2 * size, step * len(text) + size
    page = np.full((height, width), paper, np.float32)
    side = round(size * 1.4)
    for place, sign in enumerate(text):
        if sign == " ":
            continue
        image = x[np.flatnonzero(y == int(sign))[3]].astype(np.float32) / 255
        stroke = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        top, left = (height - side) // 2, place * step + (size - side) // 2 + size // 4
        left = max(0, left)
        page[top : top + side, left : left + side] += stroke * (ink - paper)
    return page.clip(0, 255).astype(np.uint8)
