"""What the row network reads in a row: its crop -> signs -> numbers with boxes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

import numpy as np

from digitlens.config.parameters.rows import RowParameters
from digitlens.core.arrays import Gray
from digitlens.core.readings import Box, Digit, Number, number
from digitlens.paper.page import Page
from digitlens.rows import ctc
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.ctc import Sign
from digitlens.rows.kept_signs import RowSign
from digitlens.rows.recognizer import (
    NETWORK_BLANK,
    POINT,
    SEPARATOR,
    STEP,
    RowOutput,
    RowRecognizer,
    rescaled,
)
from digitlens.rows.row import Row
from digitlens.rows.slices import Classify, Slices
from digitlens.rows.view import RowView

Group = Callable[[Sequence[Digit], Page], tuple[Number, ...]]
"""Digits of a row, and the page that they stand on -> numbers."""


@dataclass(frozen=True)
class RowReading:
    """The row network's reading of a row, and what rescoring asks for.

    Args:
        numbers: the reading.
        output: the network's.
        signs: the output's, without improbable digits.
        crop: (CROP_HEIGHT, w) uint8, what the network was given.
        slices: makes the slices of the crop; None where there are none.
        to_numbers: makes numbers of signs.
        position: the pixel across the crop where a digit of the lattice is.
        list_signs: finds the signs that are no digits, and their boxes in the picture.
    """

    numbers: list[Number]
    output: RowOutput
    signs: list[Sign] = field(default_factory=list)
    crop: Gray = field(default_factory=lambda: np.zeros((CROP_HEIGHT, 0), np.uint8))
    slices: Callable[[], Slices] | None = None
    to_numbers: Callable[[list[Sign]], list[Number]] = field(default=lambda signs: [])
    position: Callable[[Digit], float] = field(default=lambda digit: 0.0)
    list_signs: Callable[[], list[RowSign]] = field(default=list)


def read_row(
    row: Row,
    page: Page,
    recognizer: RowRecognizer,
    classify: Classify,
    group: Group,
    parameters: RowParameters,
) -> RowReading:
    """Read a row of a page with the row network; `classify` is the digit network, for slices."""
    view = RowView.around(row.glyphs, row.box, row.slope, parameters)
    crop = view.crop(page.contrast)
    output = recognizer.read(crop)
    signs = [
        sign for sign in output.signs if sign.label >= SEPARATOR or sign.confidence >= parameters.least_sign
    ]

    def to_numbers(signs: list[Sign], least: float = 0.0) -> list[Number]:
        return _numbers(signs, view, page, group, least, parameters)

    return RowReading(
        to_numbers(signs, parameters.least_number),
        output,
        signs,
        crop,
        lambda: Slices(crop if page.bare is None else view.crop(page.bare), classify, parameters),
        to_numbers,
        lambda digit: view.crop_x(digit.box),
        lambda: _row_signs(output, view, page, parameters),
    )


def _row_signs(output: RowOutput, view: RowView, page: Page, parameters: RowParameters) -> list[RowSign]:
    found = ctc.search(output.network_columns, NETWORK_BLANK, parameters)
    return [
        RowSign(sign.label, view.ink_box(start, end, page.ink))
        for sign, (start, end) in _with_room(rescaled(found, output.narrowing), parameters.widest_digit)
        if sign.label >= POINT
    ]


def _numbers(
    signs: list[Sign], view: RowView, page: Page, group: Group, least: float, parameters: RowParameters
) -> list[Number]:
    """The numbers of signs, split where a sign is no digit, with a mean confidence of at least `least`."""
    runs: list[list[Digit]] = [[]]
    points: list[Box] = []
    for sign, (start, end) in _with_room(signs, parameters.widest_digit):
        if is_point(sign, parameters.least_point):
            points.append(view.ink_box(start, end, page.ink))
        elif sign.label >= SEPARATOR:
            runs.append([])
        else:
            runs[-1].append(Digit(sign.label, sign.confidence, view.ink_box(start, end, page.mask)))
    return [
        found
        for run in runs
        if run
        for found in _joined(list(group(run, page)), points, parameters.point_reach)
        if fmean(digit.confidence for digit in found.digits) >= least
    ]


def is_point(sign: Sign, least: float) -> bool:
    """Whether a sign may be a decimal point at mid-height, which looks like a colon's or a short dash."""
    return sign.label >= SEPARATOR and float(sign.probabilities[SEPARATOR]) >= least


def _joined(numbers: list[Number], points: list[Box], reach: float) -> list[Number]:
    """The numbers, joined where a decimal point stands between two of them, at any height."""
    joined = numbers[:1]
    for after in numbers[1:]:
        before = joined[-1]
        left, right = before.box[0] + before.box[2], after.box[0]
        most = reach * max(before.box[3], after.box[3])
        if any(0 <= x - left <= most and 0 <= right - x - width <= most for x, _, width, _ in points):
            joined[-1] = number((*before.digits, *after.digits))
        else:
            joined.append(after)
    return joined


def _with_room(signs: list[Sign], widest: float) -> Iterator[tuple[Sign, tuple[float, float]]]:
    """Each sign, and the columns between which it stands: halfway to its neighbors, or as wide as a digit."""
    middles = [sign.column + 0.5 for sign in signs]
    edges = [-np.inf, *((one + other) / 2 for one, other in pairwise(middles)), np.inf]
    reach = CROP_HEIGHT * (widest / 2) / STEP
    for sign, middle, (before, after) in zip(signs, middles, pairwise(edges), strict=bool(signs)):
        yield sign, (max(before, middle - reach), min(after, middle + reach))
