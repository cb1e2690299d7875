"""Pages composed of MNIST digits, with their ground truth: paper, light, ruled lines, pen and camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats, Pixels
from digitlens_train.data import Images


@dataclass(frozen=True)
class Paper:
    """How a page looks; sizes in pixels, colors BGR, 0 to 255.

    Attributes:
        size: width and height of the page.
        digit: height of a digit's box, 20 of MNIST's 28 pixels.
        spacing: step between digits.
        leading: step between rows.
        shade: fraction of the light that the darkest corner loses.
        grain: standard deviation of the sensor's noise, in gray levels.
        turn: rotation of the sheet, in degrees.
    """

    size: tuple[int, int] = (1280, 720)
    sheet: tuple[int, int, int] = (225, 235, 238)
    pen: tuple[int, int, int] = (110, 50, 35)
    rule: tuple[int, int, int] | None = (205, 190, 165)
    digit: int = 64
    spacing: int = 70
    leading: int = 120
    shade: float = 0.45
    grain: float = 3.0
    turn: float = 1.2


def compose(
    rows: Sequence[str], images: Images, labels: npt.NDArray[np.uint8], seed: int, paper: Paper
) -> Pixels:
    """Write `rows` (digits and spaces) with digits drawn from (N, 28, 28) images of these labels.

    Returns (height, width, 3) uint8 BGR. The same seed gives the same page.
    """
    random = np.random.default_rng(seed)
    width, height = paper.size
    ink = np.zeros((height, width), np.float32)
    top = (height - (len(rows) - 1) * paper.leading) // 2
    for line, row in enumerate(rows):
        middle = top + line * paper.leading
        left = (width - len(row) * paper.spacing) // 2 + int(random.integers(-60, 60))
        for place, character in enumerate(row):
            if character != " ":
                image = images[random.choice(np.flatnonzero(labels == int(character)))]
                x = left + place * paper.spacing + int(random.integers(-4, 5))
                _write(ink, image, x, middle + int(random.integers(-5, 6)), paper.digit)
    sheet = np.empty((height, width, 3), np.float32)
    sheet[:] = paper.sheet
    if paper.rule is not None:
        for line in range(-1, len(rows) + 1):
            y = top + line * paper.leading + round(paper.digit * 0.75)
            cv2.line(sheet, (0, y), (width, y), paper.rule, 2, cv2.LINE_AA)
    page = sheet + ink[..., np.newaxis] * (np.array(paper.pen, np.float32) - sheet)
    return _photograph(page, random, paper)


def _write(ink: Floats, image: Pixels, x: int, y: int, digit: int) -> None:
    """Add a digit's ink, its 20 x 20 box `digit` pixels high, centered at x, y."""
    side = round(digit * 28 / 20)
    # Enlarging turns an edge into a ramp; a higher contrast around half makes it an edge again.
    large = cv2.resize(image.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_CUBIC)
    stroke = np.clip((cv2.GaussianBlur(large, (0, 0), side / 60) - 0.5) * 4 + 0.5, 0, 1)
    top, left = y - side // 2, x - side // 2
    rows = slice(max(0, top), min(ink.shape[0], top + side))
    columns = slice(max(0, left), min(ink.shape[1], left + side))
    part = stroke[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    ink[rows, columns] = np.maximum(ink[rows, columns], part)


def _photograph(page: Floats, random: np.random.Generator, paper: Paper) -> Pixels:
    """Rotate the sheet, shade it from one corner, blur, add noise."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), paper.turn, 1.02)
    turned = cv2.warpAffine(page, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(x / width, y / height) / np.sqrt(2)
    light = 1 - np.float32(paper.shade) * distance**2
    lit = cv2.GaussianBlur(turned * light[..., np.newaxis], (3, 3), 0)
    noise = random.normal(0, paper.grain, page.shape).astype(np.float32)
    photo: Pixels = np.clip(lit + noise, 0, 255).astype(np.uint8)
    return photo
