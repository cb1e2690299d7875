"""The gray picture at the scale that it is read at: reduced, or enlarged where its writing is low."""

from collections.abc import Callable
from statistics import median

import cv2
import numpy as np

from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.arrays import Gray, Pixels
from digitlens.core.errors import PictureError
from digitlens.paper.page import Glyph, Page


def to_gray(image: Pixels) -> Gray:
    """(H, W, 3) uint8 BGR or (H, W) uint8 gray -> gray.

    Raises:
        PictureError: another shape or dtype.
    """
    if image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 3:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    raise PictureError(f"a picture must be (H, W) or (H, W, 3) uint8, not {image.shape} {image.dtype}")


def reduced(gray: Gray, limits: ReaderParameters) -> Gray:
    """The picture, its longer side reduced to the longest that is read."""
    height, width = gray.shape
    shrink = limits.longest_side / max(gray.shape)
    if shrink >= 1:
        return gray
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def better_scale(original: Gray, gray: Gray, glyphs: list[Glyph], limits: ReaderParameters) -> float:
    """The factor by which the picture as read should be enlarged or reduced for its writing; 1 if it is well.

    Where strokes are two pixels wide, ink is a matter of parts of a pixel; a pen wider than the network's
    view is a dark panel.
    """
    digits = [glyph for glyph in glyphs if glyph.classes[0] >= limits.min_digit_ink] or glyphs
    if not digits:
        # Nothing at all: writing so large that no stroke was seen as one?
        return limits.coarser if min(gray.shape) >= limits.high_writing else 1.0
    heights = sorted(glyph.box[3] for glyph in digits)
    if heights[len(heights) // 2] > limits.high_writing:
        return limits.high_writing / 2 / heights[len(heights) // 2]
    height = heights[len(heights) * 3 // 10]
    area = max(limits.enlarged_area, min(limits.largest_area, original.size))
    scale = min(limits.largest_scale, limits.enlarged_height / height, (area / gray.size) ** 0.5)
    return scale if height < limits.low_writing and scale >= limits.smallest_scale else 1.0


def enlarged(gray: Gray, glyphs: list[Glyph], limits: ReaderParameters) -> Gray | None:
    """The picture with low writing enlarged; None if it is not low, or the picture too large.

    Where strokes are two pixels wide, ink is a matter of parts of a pixel.
    """
    height = median(glyph.box[3] for glyph in glyphs) if glyphs else limits.low_writing
    scale = min(
        limits.largest_scale, limits.enlarged_height / height, (limits.enlarged_area / gray.size) ** 0.5
    )
    if height >= limits.low_writing or scale < limits.smallest_scale:
        return None
    size = round(gray.shape[1] * scale), round(gray.shape[0] * scale)
    return cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def find_scaled(original: Gray, find: Callable[[Gray], Page], limits: ReaderParameters) -> tuple[Gray, Page]:
    """A gray picture at the scale that its writing is read at, and the page that `find` finds on it."""
    gray = reduced(original, limits)
    page = find(gray)
    scale = better_scale(original, gray, page.glyphs, limits)
    if scale == 1:
        return gray, page
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    method = cv2.INTER_CUBIC if size[0] > original.shape[1] else cv2.INTER_AREA
    other = cv2.resize(original, size, interpolation=method).astype(np.uint8, copy=False)
    return other, find(other)
