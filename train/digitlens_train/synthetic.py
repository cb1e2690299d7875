"""Synthetic pages with ground truth: numbers in any hand; words, scribbles and blank sheets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens_train import negatives, page_photos, strokes

Kind = Literal["numbers", "words", "scribbles", "empty", "ruled", "squared", "table"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHEETS: dict[Kind, page_photos.Kind] = {
    "empty": "plain",
    "ruled": "ruled",
    "squared": "squared",
    "table": "table",
}
"""The kinds without any writing."""
SIZES = ((1280, 720), (960, 720), (640, 480), (800, 1100))
STRIPS = (180, 900), (2.5, 8.0)
"""Ranges of a strip's width, in pixels, and of its width / height; a strip is one row cut out of a page."""
EDGE = 0.04
"""Margin on all sides, as a fraction of the page's width; perspective crops there."""
TURNS = 14, 40
"""Range of a scribble's turns; with fewer it may look like a digit."""
INK = 0.3
"""Least ink, 0 to 1, of a pixel that belongs to a character."""


@dataclass(frozen=True)
class PageHand:
    """How a page is written: digit height and pen in pixels, mean gap as a fraction of the height."""

    height: float
    pen: float
    gap: float
    unrest: float

    @classmethod
    def draw(cls, random: np.random.Generator, page_height: int) -> "PageHand":
        """A random hand: from tiny to a sixth of the page, hairline to marker, wide to touching."""
        height = float(np.exp(random.uniform(np.log(16), np.log(page_height / 6))))
        pen = float(np.clip(height * np.exp(random.uniform(np.log(0.04), np.log(0.16))), 1.4, 24))
        return cls(height, pen, random.uniform(-0.06, 0.45), random.uniform(0.2, 1.0))


def page(
    kind: Kind,
    digits: tuple[Sequence[Gray], Gray],
    letters: Sequence[Gray],
    random: np.random.Generator,
    strip: bool = False,
) -> tuple[Pixels, list[str]]:
    """A page (H, W, 3) uint8 BGR and its rows of digits, none for the kinds without numbers.

    Args:
        kind: one of KINDS.
        digits: N pictures (h, w) uint8, white on black, and their labels (N,).
        letters: pictures of letters for the words; without any, a page of words has scribbles.
        random: the same generator state gives the same page.
        strip: a single row, which fills most of the picture's height.
    """
    if strip:
        width, times = random.uniform(*STRIPS[0]), random.uniform(*STRIPS[1])
        size = round(width), max(40, round(width / times))
        hand = PageHand.draw(random, 6 * size[1])
        hand = replace(hand, height=size[1] * random.uniform(0.35, 0.7), pen=min(hand.pen, 0.06 * size[1]))
    else:
        size = SIZES[int(random.integers(len(SIZES)))]
        hand = PageHand.draw(random, size[1])
    step = hand.height * random.uniform(0.5, 2.2)
    kinds: tuple[page_photos.Kind, ...] = ("plain", "plain", "ruled", "squared", "table")
    sheet_kind = SHEETS.get(kind) or kinds[int(random.integers(5))]
    blank = page_photos.sheet(size, sheet_kind, max(12.0, step), random)
    ink = np.zeros((size[1], size[0]), np.float32)
    rows: list[str] = []
    if kind == "numbers":
        rows = _numbers(ink, hand, digits, random)
    elif kind == "words" and len(letters):
        _words(ink, hand, letters, random)
    elif kind in ("words", "scribbles"):
        _scribbles(ink, hand, random)
    return page_photos.photograph(page_photos.write(blank, ink, random), random), rows


def _numbers(
    ink: Floats, hand: PageHand, digits: tuple[Sequence[Gray], Gray], random: np.random.Generator
) -> list[str]:
    images, labels = digits
    rows = []
    for top in _row_tops(ink, hand, random):
        text = ""
        left = _margin(ink) + random.uniform(0.2, 2) * hand.height
        for _ in range(int(random.integers(1, 4))):
            chosen = [int(random.integers(len(labels))) for _ in range(int(random.integers(1, 7)))]
            for index in chosen:
                end = _write_character(ink, images[index], hand, (left, top), random)
                if end is None:
                    break
                text += str(int(labels[index]))
                left = end + (hand.gap + random.normal(0, 0.04)) * hand.height
            left += random.uniform(1.2, 2.5) * hand.height
        if text:
            rows.append(text)
    return rows


def _words(ink: Floats, hand: PageHand, letters: Sequence[Gray], random: np.random.Generator) -> None:
    for top in _row_tops(ink, hand, random):
        left = _margin(ink) + random.uniform(0.2, 2) * hand.height
        for _ in range(int(random.integers(1, 4))):
            for _ in range(int(random.integers(2, 9))):
                letter = letters[int(random.integers(len(letters)))]
                end = _write_character(ink, letter, hand, (left, top), random)
                if end is None:
                    break
                left = end + 0.5 * hand.gap * hand.height
            left += random.uniform(0.6, 1.5) * hand.height


def _scribbles(ink: Floats, hand: PageHand, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(3, 15))):
        side = max(12, round(hand.height * random.uniform(1, 4)))
        stroke = cv2.resize(negatives.scribble(random, *TURNS), (side, side), interpolation=cv2.INTER_AREA)
        left, top = (int(random.integers(0, max(1, room - side))) for room in ink.shape[::-1])
        part = ink[top : top + side, left : left + side]
        np.maximum(part, stroke[: part.shape[0], : part.shape[1]], out=part)


def _margin(ink: Floats) -> float:
    """The margin on all sides, in pixels; smaller on a strip, which is far wider than high."""
    return EDGE * min(ink.shape[1], 3 * len(ink))


def _row_tops(ink: Floats, hand: PageHand, random: np.random.Generator) -> list[float]:
    leading = hand.height * random.uniform(1.5, 2.6)
    most = int((len(ink) - 2 * _margin(ink) - hand.height) / leading)
    count = int(random.integers(1, max(2, min(most, 7) + 1)))
    margin = min(_margin(ink) + 0.2 * hand.height, (len(ink) - hand.height) / 2)
    first = random.uniform(margin, max(margin + 1, len(ink) - margin - (count - 0.4) * leading))
    return [first + row * leading for row in range(count)]


def _write_character(
    ink: Floats, picture: Gray, hand: PageHand, corner: tuple[float, float], random: np.random.Generator
) -> float | None:
    """Write a character with its left end at `corner`; returns its right end, None where it does not fit."""
    stroke = strokes.bend(
        strokes.repen(strokes.enlarge(picture), hand.pen * strokes.INNER / hand.height),
        random,
        0.7 * hand.unrest,
    )
    side = max(8, round(hand.height * strokes.SIDE / strokes.INNER * random.normal(1, 0.06)))
    small = cv2.resize(stroke, (side, side), interpolation=cv2.INTER_AREA)
    columns = np.flatnonzero((small > INK).any(axis=0))
    rows = np.flatnonzero((small > INK).any(axis=1))
    if not columns.size:
        return corner[0]
    small = small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    left = round(corner[0])
    top = round(corner[1] + (hand.height - len(small)) / 2 + random.normal(0, 0.05) * hand.height)
    bottom, right = top + len(small), left + small.shape[1]
    margin = _margin(ink)
    if min(left, top) < margin or right > ink.shape[1] - margin or bottom > len(ink) - margin:
        return None
    part: npt.NDArray[np.float32] = ink[top : top + len(small), left : left + small.shape[1]]
    np.maximum(part, small, out=part)
    return float(right)
