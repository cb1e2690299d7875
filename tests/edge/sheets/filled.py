"""Filled-in forms: as they are printed, digits of MNIST in the cells, a camera above."""

from collections.abc import Mapping

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Gray
from digitlens.models.classifier import Classifier
from digitlens.sheets import printing
from digitlens.sheets.code import Code
from digitlens.sheets.fields import Template
from digitlens.sheets.layout import lay_out

PER_MM = 5
"""Resolution of the flat page, pixels a millimeter."""


def clear_digits(digits: tuple[Gray, Gray]) -> dict[str, Gray]:
    """The surest picture of each digit, (28, 28) uint8."""
    pictures, labels = digits
    right = Classifier.load().probabilities(pictures)[np.arange(len(labels)), labels]
    return {
        str(digit): pictures[np.flatnonzero(labels == digit)[right[labels == digit].argmax()]]
        for digit in range(10)
    }


def page(
    template: Template, texts: Mapping[str, str], hand: Mapping[str, Gray], serial: int = 0, number: int = 1
) -> Gray:
    """A page, flat: a sign of `texts` a cell, a space for nothing, x a mark, # a digit struck out."""
    gray = printing.picture(template, Code(template.name, template.version, number, serial), 10)
    layout = lay_out(template)
    size = tuple(round(side * PER_MM) for side in layout.paper_mm)
    gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    for placed in layout.on_page(number):
        for sign, cell in zip(texts.get(placed.field.name, ""), placed.cells, strict=False):
            x, y, wide, tall = (round(side * PER_MM) for side in cell)
            if sign == "x":
                for ends in (((4, 5), (-4, -5)), ((4, -5), (-4, 5))):
                    (a, b), (c, d) = ends
                    cv2.line(
                        gray,
                        (x + a % wide, y + b % tall),
                        (x + c % wide, y + d % tall),
                        (40,),
                        3,
                        cv2.LINE_AA,
                    )
            elif sign == "#":
                _write(gray, hand["5"], (x, y, wide, tall))
                for down in range(8, tall - 6, 5):
                    cv2.line(gray, (x + 3, y + down), (x + wide - 3, y + down + 4), (30,), 3, cv2.LINE_AA)
            elif sign != " ":
                _write(gray, hand[sign], (x, y, wide, tall))
    return gray


def _write(gray: Gray, digit: Gray, cell: tuple[int, int, int, int]) -> None:
    x, y, wide, tall = cell
    side = round(1.15 * wide)
    ink = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC)
    left, top = x + (wide - side) // 2, y + (tall - side) // 2
    spot = gray[top : top + side, left : left + side]
    np.minimum(spot, 255 - np.minimum(ink, 225), out=spot)


def seen(flat: Gray, corners: Doubles, size: tuple[int, int]) -> Gray:
    """The page with its corners, from the top left around it, at these pixels of a picture of `size`."""
    height, width = flat.shape
    own = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(own, corners.astype(np.float32))
    soft = cv2.GaussianBlur(flat, (0, 0), 0.6)
    table = cv2.warpPerspective(soft, matrix, size, flags=cv2.INTER_AREA, borderValue=(70,))
    return np.asarray(table, np.uint8)


def tilted(flat: Gray) -> Gray:
    """The page as a phone sees it that is held askew."""
    corners = np.array([[70, 60], [900, 20], [960, 1290], [20, 1210]], np.float64)
    return seen(flat, corners, (1000, 1320))
