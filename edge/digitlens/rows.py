"""Rows in doubt, read whole: which they are, their strips, and the numbers that the strips say.

Cutting digits apart is exact where they stand apart. Where they touch, are tiny, or the network is not
sure of one of them, the network `numbers` is asked about the row; about the only row of a picture always.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, floor
from statistics import fmean, median
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.beams import Sign
from digitlens.choice import EVIDENCE, Whole, agreed, choose, evidence, joined_text
from digitlens.curves import polynomial
from digitlens.lattice import SURE, WIDE, Resolved
from digitlens.lines import to_numbers, to_rows
from digitlens.readings import Box, Digit, Number, union
from digitlens.segment import Glyph, Segmented
from digitlens.strips import HEIGHT, OTHER, PAD, SEPARATOR, STEP, Strips, to_strip

Gray = npt.NDArray[np.uint8]
Which = Literal["doubtful", "all", "none"]

TINY = 16
"""Pixels of a row's height, below which it is always in doubt."""
CERTAIN = 0.95
"""The confidence of a digit in its number, that is not in doubt."""
APART = 2.2
"""Row heights between two glyphs, above which they are of two rows."""
CLOSE = 1.5
"""The same for parts of such a row, of which only those in doubt are read."""
STRIP_WIDE = 1.6
"""Times its height, the width of a picture that is of a single row."""
STRIP_HIGH = 0.25
"""And the part of its height, that the row's digits have."""
NEWS = 0.2
"""Of the row's height: how far beyond its glyphs there must be ink."""
BESIDE = 0.5
"""Of the row's height: what is read before its first and behind its last glyph."""
LOWEST = 0.45
"""Of a strip's height, that the row's typical glyph has at the least, whatever stands out of the row."""
SKEW = 0.03
"""The slope from which a row is made level first."""
LONG = 3.0
"""Times its height: from this width on a row's slope can be told from its digits' unrest."""
LEAST_DIGIT = 0.35
"""The confidence below which a digit of a strip is left out."""
LEAST_NUMBER = 0.6
"""Of a strip's digits on average: less is a word or a scribble."""
MIXED = 0.3
"""The part of the writing that is no digits, from which numbers need evidence, sure ones, too."""


@dataclass(frozen=True)
class Row:
    """Glyphs that belong together, left to right.

    `sides` are the columns, from and to before, that belong to it whatever glyphs were found there.
    """

    glyphs: list[Glyph]
    sides: tuple[int, int] | None = None

    @cached_property
    def box(self) -> Box:
        """Around all glyphs, and from side to side."""
        x, y, width, height = union(glyph.box for glyph in self.glyphs)
        if self.sides is not None:
            x, width = self.sides[0], self.sides[1] - self.sides[0]
        return x, y, width, height

    @cached_property
    def slope(self) -> float:
        """By which the glyphs' middles climb (down is positive), where they are enough to tell."""
        if len(self.glyphs) < 3:
            return 0.0
        boxes = np.array([glyph.box for glyph in self.glyphs], np.float64)
        x, y = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2
        if x.max() - x.min() < LONG * median(glyph.box[3] for glyph in self.glyphs):
            return 0.0
        return min(max(float(polynomial(x, y, 1)[0]), -0.3), 0.3)

    def parted(self, gap: float) -> list["Row"]:
        """It at its gaps of more than so many heights; it alone where there is none, or it has sides."""
        height = median(glyph.box[3] for glyph in self.glyphs)
        parts: list[list[Glyph]] = [[]]
        end = self.glyphs[0].box[0]
        for glyph in self.glyphs:
            if glyph.box[0] - end > gap * height:
                parts.append([])
            parts[-1].append(glyph)
            end = max(end, glyph.box[0] + glyph.box[2])
        return [self] if len(parts) == 1 or self.sides is not None else [Row(part) for part in parts]


def find(glyphs: list[Glyph], mask: Gray | None = None) -> list[Row]:
    """The rows of a page's glyphs, parted at wide gaps.

    `mask` is the page's ink. A picture that shows little but a single row is all that row's, as far as there
    is ink: its first or last digit may be no glyph, for it is cut off, or hangs together with paper's lines.
    """
    rows = to_rows(glyphs)
    if mask is not None and len(rows) == 1 and (sides := _sides(rows[0], mask)) is not None:
        return [Row(rows[0], sides)]
    return [part for row in rows for part in Row(row).parted(APART)]


def _sides(row: list[Glyph], mask: Gray) -> tuple[int, int] | None:
    """The columns from the first ink to the last; None where the picture is no strip, or that is no news."""
    height, width = mask.shape
    if width < STRIP_WIDE * height or median(glyph.box[3] for glyph in row) < STRIP_HIGH * height:
        return None
    x, y, wide, high = union(glyph.box for glyph in row)
    left, _, inked, _ = cv2.boundingRect(mask[y : y + high])
    news = NEWS * high
    return (left, left + inked) if left < x - news or left + inked > x + wide + news else None


def doubtful(row: Row, sure: set[Box]) -> bool:
    """Whether it is tiny, or has a glyph that is wide or none of the `sure` boxes."""
    if median(glyph.box[3] for glyph in row.glyphs) < TINY:
        return True
    return any(glyph.box not in sure or glyph.box[2] > WIDE * glyph.box[3] for glyph in row.glyphs)


def reread(
    numbers: tuple[Number, ...], page: Segmented, resolved: Resolved, strips: Strips, which: Which
) -> tuple[Number, ...]:
    """The numbers of a page, those of its rows in doubt (or of all rows) as the strip network reads them."""
    if which == "none":
        return numbers
    seen = {glyph.box: p for glyph, p in zip(resolved.glyphs, resolved.probabilities, strict=True)}
    # In its number's company a digit may be beyond doubt that was not alone.
    sure = {digit.box for number in numbers for digit in number.digits if digit.confidence >= CERTAIN}
    best = resolved.probabilities.max(axis=1, initial=0)
    sure |= {glyph.box for glyph, p in zip(resolved.glyphs, best, strict=True) if p >= SURE}
    found = find(page.glyphs, page.mask)
    alone = len(found) == 1
    parts = [part for row in found for part in row.parted(CLOSE)]
    read: dict[int, Whole] = {}  # by the id of what was read
    left = list(numbers)
    for part in parts:
        if which == "all" or alone or doubtful(part, sure):
            read[id(part)] = whole = read_row(part, page, strips)
            own = _of(left, part)
            chosen = choose(own, whole, seen, alone)
            if chosen is not own:
                left = _without(left, own) + list(chosen)
    others = 1 - _area(digit.box for number in left for digit in number.digits) / max(
        1, _area(glyph.box for glyph in page.glyphs)
    )
    mixed = others >= MIXED
    for row in found if mixed else parts:
        own, heard = _of(left, row), read.get(id(row))
        # Where both readings are alike there is evidence; of a lone digit, the other network knows more.
        apart = heard is not None and len(text := joined_text(own)) > 1 and text != joined_text(heard.numbers)
        if not own or not (mixed or apart):
            continue
        if evidence(own, heard or read_row(row, page, strips)) < (EVIDENCE * others if mixed else 0.0):
            left = _without(left, own)
    for part in parts:
        if id(part) in read:
            own = _of(left, part)
            left = _without(left, own) + agreed(own, read[id(part)].numbers)
    return tuple(found for line in to_rows(left) for found in line)


def _of(numbers: list[Number], row: Row) -> list[Number]:
    return [number for number in numbers if _is_in(number.box, row)]


def _without(numbers: list[Number], gone: list[Number]) -> list[Number]:
    return [number for number in numbers if all(number is not other for other in gone)]


def _area(boxes: Iterable[Box]) -> int:
    return sum(width * height for _, _, width, height in boxes)


def read_row(row: Row, page: Segmented, strips: Strips) -> Whole:
    """The row's numbers as the strip network reads them, each digit with its box."""
    strip, view = _view(row, page)
    heard = strips.read(strip)
    runs: list[list[Digit]] = [[]]
    for sign, (before, after) in _with_neighbors(heard.signs):
        if sign.label == OTHER:
            runs.append([])
        elif sign.label != SEPARATOR and sign.confidence >= LEAST_DIGIT:
            box = view.box(before, after, page.mask)
            runs[-1].append(Digit(sign.label, sign.confidence, box))
    numbers = [
        number
        for run in runs
        if run
        for number in to_numbers(run, page.borders)
        if fmean(digit.confidence for digit in number.digits) >= LEAST_NUMBER
    ]
    return Whole(numbers, heard)


def _with_neighbors(signs: list[Sign]) -> Iterator[tuple[Sign, tuple[float, float]]]:
    """Each sign, and the columns where its own room begins and ends: half way to its neighbors."""
    middles = [sign.column + 0.5 for sign in signs]
    edges = [-np.inf, *((one + other) / 2 for one, other in pairwise(middles)), np.inf]
    reach = HEIGHT * 0.55 / STEP  # no digit is wider
    for sign, middle, (before, after) in zip(signs, middles, pairwise(edges), strict=bool(signs)):
        yield sign, (max(before, middle - reach), min(after, middle + reach))


@dataclass(frozen=True)
class _View:
    """Where a strip is in the picture: its corner, pixels of the picture for one of the strip, its slope."""

    left: float
    top: float
    bottom: float
    scale: float
    slope: float
    anchor: float

    def box(self, before: float, after: float, mask: Gray) -> Box:
        """The box of the ink between two columns of the strip."""
        height, width = mask.shape
        x0 = _within(self.left + before * STEP * self.scale, 0, width - 1)
        x1 = _within(self.left + after * STEP * self.scale, x0 + 1, width)
        lift = self.slope * ((x0 + x1) / 2 - self.anchor)
        y0 = _within(self.top + lift, 0, height - 1)
        y1 = _within(self.bottom + lift, y0 + 1, height)
        left, top, wide, high = cv2.boundingRect(mask[y0:y1, x0:x1])
        if not wide:
            return x0, y0, x1 - x0, y1 - y0
        return x0 + left, y0 + top, wide, high


def _within(place: float, least: int, most: int) -> int:
    return int(min(max(place, least), most))


def _view(row: Row, page: Segmented) -> tuple[Gray, _View]:
    """A row's strip, level, with some paper around it, and where that is."""
    x, _, width, _ = row.box
    anchor = x + width / 2
    contrast = page.ink.contrast
    slope = row.slope if abs(row.slope) >= SKEW else 0.0
    lifts = [slope * (glyph.box[0] + glyph.box[2] / 2 - anchor) for glyph in row.glyphs]
    top = min(glyph.box[1] - lift for glyph, lift in zip(row.glyphs, lifts, strict=True))
    bottom = max(glyph.box[1] + glyph.box[3] - lift for glyph, lift in zip(row.glyphs, lifts, strict=True))
    height = bottom - top
    typical = median(glyph.box[3] for glyph in row.glyphs)
    if typical < LOWEST * height:  # something stands far out of the row
        middle = median(
            glyph.box[1] + glyph.box[3] / 2 - lift for glyph, lift in zip(row.glyphs, lifts, strict=True)
        )
        height = typical / LOWEST
        top, bottom = middle - height / 2, middle + height / 2
    top, bottom = top - PAD * height, bottom + PAD * height
    left, right = x - BESIDE * height, x + width + BESIDE * height
    if slope:
        # No more is made level than the strip can see.
        x0, x1 = max(0, floor(left) - 1), min(contrast.shape[1], ceil(right) + 2)
        y0, y1 = max(0, floor(top) - 1), min(contrast.shape[0], ceil(bottom) + 2)
        part = np.array([[1, 0, x0], [slope, 1, y0 + slope * (x0 - anchor)]])
        level = cv2.warpAffine(
            contrast, part, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        ).astype(np.uint8, copy=False)
        strip = to_strip(level, top - y0, bottom - y0, left - x0, right - x0)
    else:
        strip = to_strip(contrast, top, bottom, left, right)
    scale = (right - left) / strip.shape[1]
    return strip, _View(left, top, bottom, scale, slope, anchor)


def _is_in(box: Box, row: Row) -> bool:
    """Whether a number's middle is in the row."""
    x, y, width, height = row.box
    middle_x, middle_y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return x <= middle_x <= x + width and y <= middle_y <= y + height
