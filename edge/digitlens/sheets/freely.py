"""Fields without lines between their cells: numbers written freely into a box."""

from typing import TYPE_CHECKING

import numpy as np

from digitlens.models.classifier import Classifier
from digitlens.sheets.cells import Cell
from digitlens.sheets.decisions import Readings
from digitlens.sheets.pages import MmBox, pixels_around
from digitlens.sheets.plate import Plate

if TYPE_CHECKING:
    from digitlens.reader import Reader

MARGIN = 1.0
"""Paper around a box that may hold its writing, too, millimeters."""
PAPER = 245
"""Brightness of the paper in the picture that is read, gray levels."""

INKED = 0.4
"""Darkness of ink, parts of the page's ink."""
UNREAD, DOUBT = 0.12, 0.9
"""Share of a box's ink that may be no part of the digits that were read, and the confidence where more is."""


class FreeReader:
    """Reads what is written in boxes as `digitlens read` does; it is made when the first box needs it."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._reader: Reader | None = None

    def readings(self, plate: Plate, box: MmBox, cells: list[Cell]) -> Readings:
        """What may be written in a box, with its probability; the rest to 1 is unreadable ink."""
        if all(cell.is_empty for cell in cells):
            return [("", 1.0)]
        if self._reader is None:
            from digitlens.reader import Reader  # few forms have such fields, and it takes memory

            self._reader = Reader(self._classifier, turn=0)
        level = max(plate.level, 0.1)
        dark = np.clip(plate.written[pixels_around(box, MARGIN, plate.per_mm)] / level, 0, 1)
        numbers = self._reader.read(np.asarray(PAPER * (1 - 0.85 * dark), np.uint8)).numbers
        if not numbers:
            return []
        text = "".join(number.text for number in numbers)
        sure = float(np.prod([number.confidence for number in numbers]))
        # A digit that is taken for a sign, or not seen at all, lowers no other digit's confidence.
        left, top, wide, tall = (round(side * plate.per_mm) for side in box)
        y, x = (part.start for part in pixels_around(box, MARGIN, plate.per_mm))
        unread = dark > INKED
        inside = unread[top - y : top - y + tall, left - x : left - x + wide]
        total = int(inside.sum())
        for digit in (digit for number in numbers for digit in number.digits):
            a, b, c, d = digit.box
            unread[max(0, b - 1) : b + d + 1, max(0, a - 1) : a + c + 1] = False
        return [(text, sure if int(inside.sum()) <= UNREAD * total else min(sure, DOUBT))]
