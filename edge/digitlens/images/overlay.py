"""(picture, reading) -> the picture with its numbers."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.readings import Reading
from digitlens.core.tracking import Tracked
from digitlens.images import labels


def draw(image: Pixels, reading: Reading) -> Pixels:
    """(H, W) gray or (H, W, 3) BGR -> a new (H, W, 3) BGR with a frame and a label for each number.

    Doubt shows by form and value, see digitlens.images.labels; a legend says so where there is room.
    """
    return draw_tracked(image, labels.still(reading.numbers), reading.size)


def draw_tracked(image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int]) -> Pixels:
    """The same of numbers that are tracked, whose boxes are in a picture of `size` (width, height)."""
    canvas: Pixels = np.array(image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    plan = labels.Planner().plan((canvas.shape[1], canvas.shape[0]), numbers, size, image)
    labels.draw(canvas, plan)
    labels.draw_legend(canvas, plan, image)
    return canvas
