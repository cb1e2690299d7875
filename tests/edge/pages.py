"""Pages that the tests draw: real digits on paper."""

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box

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


def put(page: Gray, text: str, digits: tuple[Gray, Gray], left: int, top: int, size: int = 60) -> Box:
    """Write `text` on light paper, digits `size` pixels high; the box of its ink."""
    strip = write(text, digits, size, round(size * 1.15), ink=40, paper=255)
    x, y, width, height = ink_box(strip)
    spot = page[top : top + height, left : left + width]
    np.minimum(spot, strip[y : y + height, x : x + width], out=spot)
    return left, top, width, height


def ink_box(page: Gray) -> Box:
    """The box of what is darker than middle gray."""
    rows, columns = (np.flatnonzero((page < 128).any(axis=axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def touch(text: str, digits: tuple[Gray, Gray], which: int, size: int = 60, overlap: int = 2) -> Gray:
    """A gray strip with `text` in real digits that each touch the next; `which` of each value's digits."""
    x, y = digits
    side = round(size * 1.4)
    ink = np.zeros((2 * size, side * len(text) + size), np.float32)
    for sign in text:
        image = x[np.flatnonzero(y == int(sign))[which]].astype(np.float32) / 255
        stroke = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        top = (2 * size - side) // 2
        rows = ink[top : top + side]
        left = size // 2
        if rows.any():
            end = np.where((rows > 0.5).any(axis=1), rows.shape[1] - (rows[:, ::-1] > 0.5).argmax(axis=1), 0)
            start = np.where((stroke > 0.5).any(axis=1), (stroke > 0.5).argmax(axis=1), 10**6)
            left = int(np.max(end - start)) - overlap
        spot = rows[:, left : left + side]
        np.maximum(spot, stroke, out=spot)
    return (220 - 180 * ink).astype(np.uint8)
