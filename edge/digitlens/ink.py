"""Gray picture -> ink -> glyphs: what the pen left on the paper, cut into single signs."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CELL = 8
"""The background and the local contrast are estimated on a grid of this many pixels."""
FAINTEST = 8.0
"""Gray levels (of paper at 255) that ink differs from paper at the least, however clean the picture."""

DARKEST_PAPER = 0.4
"""Of the bright paper's level: what is darker is no paper in a shadow but the table behind the sheet."""


@dataclass(frozen=True)
class Ink:
    """What is ink: `mask` (H, W) uint8, 0 or 255; `depth` (H, W) uint8, 255 in the heart of a stroke."""

    mask: Gray
    faint: Gray
    depth: Gray
    contrast: Floats


def find_ink(gray: Gray) -> Ink:
    """Divide the light out, then take as ink what is darker than half of the darkest nearby.

    Half of the local contrast is where a blurred stroke's edge truly lies, for a soft pencil and for a
    marker beside it; the noise measured in this picture sets the least contrast that counts.
    """
    contrast = _contrast(gray)
    strongest = _local_maximum(contrast)
    floor = np.maximum(np.float32(FAINTEST), 5 * _local_noise(contrast))
    half = np.maximum(strongest * np.float32(0.5), floor)
    faint = cv2.compare(contrast, floor, cv2.CMP_GT).astype(np.uint8, copy=False)
    mask = cv2.compare(contrast, half, cv2.CMP_GT).astype(np.uint8, copy=False)
    depth = cv2.divide(contrast, half, scale=127.5)  # 255 at full contrast, 127 at the edge
    return Ink(mask, faint, np.clip(depth, 0, 255).astype(np.uint8), contrast)


def _contrast(gray: Gray) -> Floats:
    """(H, W) float32: how much darker than the paper around it, in gray levels of paper at 255."""
    height, width = gray.shape
    grid = max(1, round(width / CELL)), max(1, round(height / CELL))
    coarse = cv2.resize(gray, grid, interpolation=cv2.INTER_AREA)
    middle = cv2.medianBlur(coarse, 5 if min(grid) > 5 else 3)
    darker, lighter = cv2.subtract(middle, coarse).sum(dtype=np.int64), cv2.subtract(coarse, middle).sum(dtype=np.int64)
    if lighter > darker * 1.5:  # chalk on a blackboard
        gray, coarse = cv2.bitwise_not(gray), cv2.bitwise_not(coarse)
    # Closing fills strokes with the paper beside them: strokes of at most `reach` cells. The border is
    # continued by its own slope, so that a vignette does not end in a dark frame.
    reach = max(3, 2 * round(max(grid) / 40) + 1)
    framed = np.pad(coarse.astype(np.float32), reach, mode="reflect", reflect_type="odd") if min(grid) > reach else coarse.astype(np.float32)
    paper = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    if min(grid) > reach:
        paper = paper[reach:-reach, reach:-reach]
    paper = cv2.blur(paper, (3, 3))
    light = cv2.resize(np.maximum(paper, 1), (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    contrast = np.maximum(255 - cv2.divide(smooth, light, scale=255, dtype=cv2.CV_32F), 0).astype(np.float32)
    sheet = np.percentile(paper, 90)
    contrast[light < DARKEST_PAPER * sheet] = 0  # the table behind the sheet
    return contrast


def _noise(contrast: Floats) -> float:
    """The standard deviation of the paper's own grain: robust, from second differences."""
    rows = contrast[:: max(1, contrast.shape[0] // 200)]
    if rows.shape[1] < 5:
        return 0.0
    difference = np.abs(2 * rows[:, 2:-2] - rows[:, :-4] - rows[:, 4:])
    return float(np.median(difference) / (0.6745 * 6**0.5))


def _local_noise(contrast):
    h,w=contrast.shape
    most = 3 * _noise(contrast) * 2.449
    d = np.abs(2 * contrast[:, 2:-2] - contrast[:, :-4] - contrast[:, 4:])
    d = np.minimum(d, most + 1e-3)
    c = cv2.resize(d, (max(1,w//32), max(1,h//32)), interpolation=cv2.INTER_AREA)
    c = cv2.blur(c, (5,5)) / (0.798*2.449)
    return cv2.resize(c, (w,h), interpolation=cv2.INTER_LINEAR)


def _local_maximum(contrast: Floats) -> Floats:
    """(H, W) -> (H, W): the largest contrast within about three cells, gliding from cell to cell."""
    height, width = contrast.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    padded = cv2.copyMakeBorder(
        contrast, 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_CONSTANT, value=0
    )
    coarse = padded.reshape(rows, CELL, columns, CELL).max(axis=(1, 3))
    coarse = cv2.blur(cv2.dilate(coarse, np.ones((3, 3), np.uint8)), (3, 3))
    spread = cv2.resize(coarse, (columns * CELL, rows * CELL), interpolation=cv2.INTER_LINEAR)
    return spread[:height, :width].astype(np.float32, copy=False)


