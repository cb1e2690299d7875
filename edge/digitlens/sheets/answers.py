"""What the networks say of the ink in a form's combs: digit by digit, and of the comb as a row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.glyphs.normalize import normalized
from digitlens.models.classifier import Classifier
from digitlens.rows.recognizer import RowRecognizer
from digitlens.sheets.cells import Cell
from digitlens.sheets.combed import parted, row_digits, strip_of

NOT_ASKED, MISCOUNTED, READ, PARTED = range(4)
"""What the row network says of a cell: it was not asked, it reads another number of digits in the comb, it
reads a digit there, or it reads one where two digits were in one cell and have been parted."""


@dataclass(frozen=True)
class Networks:
    """The networks that are asked.

    Attributes:
        digits: the digit network for all paper.
        cell_digits: the one for cells.
        rows: the row network.
    """

    digits: Classifier
    cell_digits: Classifier
    rows: RowRecognizer


@dataclass(frozen=True)
class Answer:
    """What the networks say of a cell's ink.

    Attributes:
        each: (2, 10), each digit network's probabilities.
        views: (V, 10), their weighted mean for each view of the ink, the first of which is the ink itself.
        row: (10,), the row network's; ones where it says nothing.
        asked: NOT_ASKED, MISCOUNTED, READ or PARTED.
    """

    each: Doubles
    views: Doubles
    row: Doubles
    asked: int = NOT_ASKED

    @property
    def least(self) -> float:
        """The probability of the best digit in the view that has the least of it."""
        best = int(self.views.mean(axis=0).argmax())
        return float(self.views[:, best].min())


Comb = list[tuple[Cell, Answer | None]]
"""A field's cells, left to right; None is said of one without ink."""


def answered(
    networks: Networks, combs: Sequence[Sequence[Cell]], per_mm: float, parameters: CellParameters
) -> list[Comb]:
    """What the networks say of a page's combs.

    The row network is asked of combs with a doubtful digit. Where it reads one digit more than there are
    cells with ink, and two of them in one cell beside an empty one, that cell's ink is parted between them.
    """
    networks.rows.next_frame()  # rows of the page before are forgotten
    inks = [cell.ink for comb in combs for cell in comb if not cell.is_empty]
    answers = iter(_digits(networks, inks, parameters))
    found = [[(cell, None if cell.is_empty else next(answers)) for cell in comb] for comb in combs]
    parts: list[tuple[int, int]] = []
    for number, comb in enumerate(found):
        if min((one.least for _, one in comb if one is not None), default=1.0) < parameters.row_doubt:
            found[number], changed = _with_row(networks.rows, comb, per_mm, parameters)
            parts += [(number, place) for place in changed]
    again = _digits(networks, [found[number][place][0].ink for number, place in parts], parameters)
    for (number, place), fresh in zip(parts, again, strict=True):
        cell, old = found[number][place]
        if old is not None:
            fresh = replace(fresh, row=old.row, asked=old.asked)
        found[number][place] = cell, fresh
    return found


def _with_row(
    recognizer: RowRecognizer, comb: Comb, per_mm: float, parameters: CellParameters
) -> tuple[Comb, list[int]]:
    """A comb with what the row network says, and the places of cells whose ink has changed."""
    inked = [place for place, (_, answer) in enumerate(comb) if answer is not None]
    tallest = max(comb[place][0].box[3] for place in inked)
    counted = [place for place in inked if comb[place][0].box[3] >= parameters.small_ink * tallest]
    strip = strip_of([comb[place][0] for place in counted], per_mm, parameters)
    digits = row_digits(strip, recognizer)
    found, changed, asked = list(comb), list[int](), dict.fromkeys(counted, READ)
    if len(digits.columns) == len(counted) + 1:
        weakest = _doubled(comb, counted, parameters)
        if weakest is not None:
            number, into = weakest
            here = counted[number]
            cell, answer = comb[here]
            column = strip.column_between(number, digits)
            both = parted(cell, column, comb[into][0].place, per_mm)
            if both is not None:
                changed = sorted((here, into))
                for part, place in zip(both, changed, strict=True):
                    found[place], asked[place] = (part, answer), PARTED
                counted = sorted({*counted, into})
    is_read = len(digits.columns) == len(counted)
    for number, place in enumerate(counted):
        cell, answer = found[place]
        if answer is not None:
            row = digits.probabilities[number] if is_read else answer.row
            found[place] = cell, replace(answer, row=row, asked=asked[place] if is_read else MISCOUNTED)
    return found, changed


def _doubled(comb: Comb, counted: Sequence[int], parameters: CellParameters) -> tuple[int, int] | None:
    """Which of the cells that count most likely holds two digits, and the empty cell that one belongs to.

    It is the one whose best digit is the least likely of those beside an empty cell, or beside one that holds
    a speck; None where there is none.
    """
    candidates = []
    for number, place in enumerate(counted):
        cell, answer = comb[place]
        if answer is None or (best := float(answer.views.mean(axis=0).max())) >= parameters.doubled_ink:
            continue
        leans = cell.box[0] + cell.box[2] / 2 - cell.place[0] - cell.place[2] / 2
        beside = (place + 1, place - 1) if leans > 0 else (place - 1, place + 1)
        into = next((k for k in beside if 0 <= k < len(comb) and k not in counted), None)
        if into is not None:
            candidates.append((best, number, into))
    return min(candidates)[1:] if candidates else None


def _digits(networks: Networks, inks: Sequence[Gray], parameters: CellParameters) -> list[Answer]:
    """What the digit networks say of inks; doubtful ones are looked at in several views."""
    if not inks:
        return []
    each = _asked(networks, inks)
    first = _together(each, parameters)
    views = [one[np.newaxis] for one in first]
    unsure = np.flatnonzero(first.max(axis=1) < parameters.sure_view).tolist()
    if unsure:
        further = [view for k in unsure for view in _views(inks[k], parameters)]
        more = _together(_asked(networks, further), parameters).reshape(len(unsure), -1, 10)
        for k, others in zip(unsure, more, strict=True):
            views[k] = np.concatenate([views[k], others])
    return [Answer(each[:, k], views[k], np.ones(10)) for k in range(len(inks))]


def _asked(networks: Networks, inks: Sequence[Gray]) -> Doubles:
    """Each digit network's answer to each ink, (2, N, 10)."""
    pictures = normalized(inks)
    both = networks.digits, networks.cell_digits
    return np.array([one.probabilities(pictures) for one in both], np.float64)


def _together(each: Doubles, parameters: CellParameters) -> Doubles:
    """The networks' weighted mean, (N, 10)."""
    weight = parameters.cell_digits_weight
    return np.asarray((1 - weight) * each[0] + weight * each[1], np.float64)


def _views(ink: Gray, parameters: CellParameters) -> list[Gray]:
    """The ink slanted to either side, and by a thicker pen."""
    height, width = ink.shape
    room = int(np.ceil(parameters.view_shear * height / 2)) + 1
    framed = cv2.copyMakeBorder(ink, 0, 0, room, room, cv2.BORDER_CONSTANT, value=(0,))
    found = []
    for shear in (-parameters.view_shear, parameters.view_shear):
        matrix = np.array([[1.0, shear, -shear * (height - 1) / 2], [0.0, 1.0, 0.0]])
        found.append(np.asarray(cv2.warpAffine(framed, matrix, (width + 2 * room, height)), np.uint8))
    thick = cv2.dilate(
        cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), np.ones((2, 2), np.uint8)
    )
    found.append(np.asarray(thick, np.uint8))
    return found
