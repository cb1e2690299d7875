"""How far a page is tilted, from its lines or from its rows; and the picture leveled by that much."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.paper import SkewParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.readings import Box
from digitlens.paper.page import Page

DEFAULT = SkewParameters()


@dataclass(frozen=True)
class Leveled:
    """A picture (H, W) uint8 turned by a few degrees, and the affine map (2, 3) of its pixels back."""

    gray: Gray
    back: Doubles

    def boxed_back(self, box: Box) -> Box:
        """A box of the leveled picture -> the upright box around it in the picture before."""
        x, y, width, height = box
        corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64)
        there = corners @ self.back[:, :2].T + self.back[:, 2]
        (left, top), (right, bottom) = there.min(axis=0), there.max(axis=0)
        return round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top))


def level_tilted(gray: Gray, page: Page, parameters: SkewParameters = DEFAULT) -> Leveled | None:
    """The picture leveled, where its page is tilted."""
    degrees = tilt(page, parameters)
    return level(gray, degrees) if parameters.least_tilt <= abs(degrees) <= parameters.largest_tilt else None


def tilt(page: Page, parameters: SkewParameters = DEFAULT) -> float:
    """The angle by which the rows of a page fall to the right, degrees; 0 where nothing tells."""
    by_lines = _by_lines(page.lines, parameters)
    return _by_rows([glyph.box for glyph in page.glyphs], parameters) if by_lines is None else by_lines


def level(gray: Gray, degrees: float) -> Leveled:
    """The picture turned counterclockwise, on a larger canvas."""
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1).astype(np.float64)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix[:, 2] += (wide - width) / 2, (high - height) / 2
    found = cv2.warpAffine(gray, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    return Leveled(found.astype(np.uint8, copy=False), cv2.invertAffineTransform(matrix).astype(np.float64))


def _by_lines(lines: Gray, parameters: SkewParameters) -> float | None:
    """The angle of most of the lines' length, to the nearer axis; None where there are few."""
    least = parameters.line_length * max(lines.shape)
    found = cv2.HoughLinesP(lines, 1, np.pi / 180, round(least / 2), minLineLength=least, maxLineGap=3)
    if found is None or len(found) < parameters.least_lines:
        return None
    x0, y0, x1, y1 = found.reshape(-1, 4).T.astype(np.float64)
    angles = (np.degrees(np.arctan2(y1 - y0, x1 - x0)) + 45) % 90 - 45
    return _mode(angles, np.hypot(x1 - x0, y1 - y0))


def _by_rows(boxes: list[Box], parameters: SkewParameters) -> float:
    """The angle from a glyph's foot to that of its neighbor on the right, of most of them."""
    if len(boxes) < parameters.least_glyphs:
        return 0.0
    x, y, width, height = np.array(boxes, np.float64).T
    middle, foot = x + width / 2, y + height
    across = middle - middle[:, np.newaxis]
    down = foot - foot[:, np.newaxis]
    size = np.maximum(height, height[:, np.newaxis])
    near = (across > 0.3 * size) & (across < 3 * size) & (np.abs(down) < 0.5 * across)
    near &= np.minimum(height, height[:, np.newaxis]) > 0.6 * size
    distance = np.where(near, np.hypot(across, down), np.inf)
    next_one = distance.argmin(axis=1)
    has = np.isfinite(distance[np.arange(len(boxes)), next_one])
    if np.count_nonzero(has) < parameters.least_glyphs:
        return 0.0
    own = np.flatnonzero(has)
    angles = np.degrees(np.arctan2(down[own, next_one[own]], across[own, next_one[own]]))
    return float(np.median(angles))


def _mode(angles: Doubles, weights: Doubles) -> float:
    """The weighted mean of the angles within 2 degrees of the most frequent one."""
    counts: npt.NDArray[np.float64] = np.histogram(angles, 90, (-45, 45), weights=weights)[0]
    middle = float(np.argmax(counts)) - 44.5
    close = np.abs(angles - middle) <= 2
    return float(np.average(angles[close], weights=weights[close])) if close.any() else 0.0
