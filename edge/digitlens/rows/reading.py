"""Rows in doubt, read whole: which they are, their strips, and the numbers that the strips say.

Cutting digits apart is exact where they stand apart. Where they touch, are tiny, or the network is not
sure of one of them, the network `numbers` is asked about the row; about the only row of a picture always.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean, median

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.settings import RowNetworkUse
from digitlens.core.readings import Box, Digit, Number, joined_text, union
from digitlens.glyphs.lattice import DEFAULT as LATTICE
from digitlens.glyphs.lattice import Resolved
from digitlens.paper.curves import polynomial
from digitlens.paper.segment import Glyph, Points, Segmented
from digitlens.rows.ctc import Sign
from digitlens.rows.decision import EVIDENCE, agreed, choose, evidence
from digitlens.rows.lines import to_rows
from digitlens.rows.recognizer import HEIGHT, OTHER, SEPARATOR, STEP, RowRecognizer
from digitlens.rows.rescoring import RowReading
from digitlens.rows.slices import Ask, Slices
from digitlens.rows.view import RowView

Gray = npt.NDArray[np.uint8]
Group = Callable[[Sequence[Digit], Sequence[Points]], tuple[Number, ...]]
"""Digits of a row, and the upright lines of the page's tables -> numbers."""

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
    return any(glyph.box not in sure or glyph.box[2] > LATTICE.wide * glyph.box[3] for glyph in row.glyphs)


def reread(
    numbers: tuple[Number, ...],
    page: Segmented,
    resolved: Resolved,
    strips: RowRecognizer,
    which: RowNetworkUse,
    ask: Ask,
    group: Group,
) -> tuple[Number, ...]:
    """The numbers of a page, those of its rows in doubt (or of all rows) as the strip network reads them.

    `ask` is the network of single digits, `group` makes numbers of a row's digits.
    """
    if which == "none":
        return numbers
    seen = {glyph.box: p for glyph, p in zip(resolved.glyphs, resolved.probabilities, strict=True)}
    # In its number's company a digit may be beyond doubt that was not alone.
    sure = {digit.box for number in numbers for digit in number.digits if digit.confidence >= CERTAIN}
    best = resolved.probabilities.max(axis=1, initial=0)
    sure |= {glyph.box for glyph, p in zip(resolved.glyphs, best, strict=True) if p >= LATTICE.sure}
    found = find(page.glyphs, page.mask)
    alone, near = len(found) == 1, _is_near(page)
    parts = [part for row in found for part in row.parted(CLOSE)]
    read: dict[int, RowReading] = {}  # by the id of what was read
    left = list(numbers)
    for part in parts:
        if which == "all" or alone or doubtful(part, sure):
            read[id(part)] = whole = read_row(part, page, strips, ask, group)
            own = _of(left, part)
            chosen = choose(own, whole, seen, alone, near)
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
        if evidence(own, heard or read_row(row, page, strips, ask, group)) < (
            EVIDENCE * others if mixed else 0.0
        ):
            left = _without(left, own)
    for part in parts:
        if id(part) in read:
            own = _of(left, part)
            left = _without(left, own) + agreed(own, read[id(part)].numbers)
    return tuple(found for line in to_rows(left) for found in line)


def _is_near(page: Segmented) -> bool:
    """Whether the picture is of little but the writing."""
    heights = [glyph.box[3] for glyph in page.glyphs]
    return bool(heights) and median(heights) >= STRIP_HIGH * len(page.mask)


def _of(numbers: list[Number], row: Row) -> list[Number]:
    return [number for number in numbers if _is_in(number.box, row)]


def _without(numbers: list[Number], gone: list[Number]) -> list[Number]:
    return [number for number in numbers if all(number is not other for other in gone)]


def _area(boxes: Iterable[Box]) -> int:
    return sum(width * height for _, _, width, height in boxes)


def read_row(row: Row, page: Segmented, strips: RowRecognizer, ask: Ask, group: Group) -> RowReading:
    """The row's numbers as the strip network reads them, each digit with its box."""
    view = RowView.around(row.glyphs, row.box, row.slope)
    heard = strips.read(view.strip(page.ink.contrast))
    signs = [sign for sign in heard.signs if sign.label >= SEPARATOR or sign.confidence >= LEAST_DIGIT]

    def numbers_of(signs: list[Sign]) -> list[Number]:
        return _numbers(signs, view, page, group)

    return RowReading(
        numbers_of(signs),
        heard,
        signs,
        lambda: Slices(view.strip(_without_lines(page)), ask),
        numbers_of,
        lambda digit: view.across(digit.box),
    )


def _without_lines(page: Segmented) -> Gray:
    """How much darker than its paper a pixel is, the paper's own lines being paper."""
    lines = cv2.dilate(cv2.subtract(page.ink.mask, page.mask), np.ones((3, 3), np.uint8))
    return cv2.subtract(page.ink.contrast, cv2.subtract(lines, page.mask)).astype(np.uint8, copy=False)


def _numbers(signs: list[Sign], view: RowView, page: Segmented, group: Group) -> list[Number]:
    """Those of a strip's signs: what is no digit parts them; a word or a scribble is left out."""
    runs: list[list[Digit]] = [[]]
    for sign, (before, after) in _with_neighbors(signs):
        if sign.label == OTHER:
            runs.append([])
        elif sign.label != SEPARATOR:
            runs[-1].append(Digit(sign.label, sign.confidence, view.box(before, after, page.mask)))
    return [
        number
        for run in runs
        if run
        for number in group(run, page.borders)
        if fmean(digit.confidence for digit in number.digits) >= LEAST_NUMBER
    ]


def _with_neighbors(signs: list[Sign]) -> Iterator[tuple[Sign, tuple[float, float]]]:
    """Each sign, and the columns where its own room begins and ends: half way to its neighbors."""
    middles = [sign.column + 0.5 for sign in signs]
    edges = [-np.inf, *((one + other) / 2 for one, other in pairwise(middles)), np.inf]
    reach = HEIGHT * 0.55 / STEP  # no digit is wider
    for sign, middle, (before, after) in zip(signs, middles, pairwise(edges), strict=bool(signs)):
        yield sign, (max(before, middle - reach), min(after, middle + reach))


def _is_in(box: Box, row: Row) -> bool:
    """Whether a number's middle is in the row."""
    x, y, width, height = row.box
    middle_x, middle_y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return x <= middle_x <= x + width and y <= middle_y <= y + height
