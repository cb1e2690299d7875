"""Row crops of drawn pages, and pages read by the lattice and a RowReader, with the shipped networks."""

from functools import cache
from statistics import fmean

import numpy as np

from digitlens import Classifier
from digitlens.config.parameters.rows import DEFAULT_DECISION, DecisionParameters, RowParameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Digit, Number
from digitlens.core.row_trace import RowTrace
from digitlens.glyphs.lattice import resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.numbers.grouping import Grouper
from digitlens.paper.page import Glyph
from digitlens.rows.crop import crop_row
from digitlens.rows.reading import RowReader
from digitlens.rows.recognizer import RowRecognizer
from tests.edge.ink import ink_of, page_of

Digits = tuple[Gray, Gray]
LEAST_CONFIDENCE = 0.75
"""Mean confidence of a number of the lattice, probability."""


def crop_of(page: Gray) -> Gray:
    """All of the picture as one row crop."""
    height, width = page.shape
    return crop_row(ink_of(page).contrast, 0, height, 0, width)


@cache
def classifier() -> Classifier:
    """The shipped digit network."""
    return Classifier.load()


class PageReader:
    """The lattice's reading, then a RowReader's; confidences are the digit network's own."""

    def __init__(
        self,
        recognizer: RowRecognizer | None = None,
        parameters: RowParameters | None = None,
        decision: DecisionParameters = DEFAULT_DECISION,
    ) -> None:
        self._group = Grouper.load()
        self.rows = RowReader(
            recognizer or RowRecognizer.load(), classifier().probabilities, self._group, parameters, decision
        )

    def read(
        self, page: Gray, use: RowNetworkUse = "doubtful"
    ) -> tuple[tuple[Number, ...], tuple[RowTrace, ...]]:
        """The numbers of a page and the traces of its rows."""
        found = page_of(page)
        resolved = resolve(found.glyphs, self._classify)
        best = resolved.probabilities
        digits = [
            Digit(int(row.argmax()), float(row.max()), glyph.box)
            for glyph, row in zip(resolved.glyphs, best, strict=True)
        ]
        numbers = tuple(
            number
            for number in self._group(digits, found)
            if fmean(digit.confidence for digit in number.digits) >= LEAST_CONFIDENCE
        )
        return self.rows.reread(numbers, found, resolved, use)

    def texts(self, page: Gray, use: RowNetworkUse = "doubtful") -> list[str]:
        """The texts of the numbers of a page."""
        return [number.text for number in self.read(page, use)[0]]

    @staticmethod
    def _classify(glyphs: list[Glyph]) -> Floats:
        if not glyphs:
            return np.zeros((0, 10), np.float32)
        return classifier().probabilities(to_mnist(glyphs))
