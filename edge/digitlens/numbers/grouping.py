"""Digits -> numbers: rows found under skew, split where two neighbors are not of one number."""

import weakref
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.arrays import Floats
from digitlens.core.readings import Box, Digit, Number, number
from digitlens.models.perceptron import Perceptron
from digitlens.numbers import pairs
from digitlens.paper.page import Page
from digitlens.rows.lines import to_rows

DEFAULT_MODEL = "pairs"
DEFAULT = NumberParameters()
LIMITS = ReaderParameters()


class Grouper:
    """Makes numbers of digits; `Grouper.load` takes the shipped network for pairs.

    Args:
        pairs_network: that network.
        comb_prior: log-odds added to those of two digits with a line between, in a row that stands alone.
    """

    def __init__(self, pairs_network: Perceptron, comb_prior: float) -> None:
        self._network, self._comb_prior = pairs_network, comb_prior
        self._page: weakref.ref[Page] | None = None
        self._known: dict[tuple[Box, ...], Floats] = {}  # rows are asked for again by the next score

    @classmethod
    def load(cls, model: str | Path = DEFAULT_MODEL, comb_prior: float = LIMITS.comb_prior) -> Self:
        """A shipped model by name, or an .npz file by path.

        Raises:
            ModelError: no such model, or it does not fit its card.
        """
        return cls(Perceptron.load(model, len(pairs.FEATURES)), comb_prior)

    def __call__(self, digits: Iterable[Digit], page: Page) -> tuple[Number, ...]:
        """Digits in any order -> numbers in reading order: rows top to bottom, each left to right.

        The `page` that they stand on shows the lines and the other writing between them.
        """
        return tuple(number(tuple(part)) for row in to_rows(digits) for part in self._split(row, page))

    def logits(self, row: Sequence[Digit], page: Page) -> Floats:
        """The log-odds (N - 1,) that neighbors in a row of N digits are of one number."""
        if self._page is None or self._page() is not page:
            self._page, self._known = weakref.ref(page), {}
        boxes = tuple(digit.box for digit in row)
        if boxes not in self._known:
            described = pairs.features(boxes, page)
            found = pairs.agreed(described, self._network.logits(described))
            lined = described[:, pairs.FEATURES.index("line between")] > 0
            if lined.any() and pairs.stands_alone(boxes, page):
                found = found + np.float32(self._comb_prior) * lined
            self._known[boxes] = found
        return self._known[boxes]

    def _split(self, row: list[Digit], page: Page) -> list[list[Digit]]:
        """Split a row where two neighbors are of two numbers."""
        parts = [row[:1]]
        if len(row) == 1:
            return parts
        together = self.logits(row, page) > 0
        for digit, joins in zip(row[1:], together.tolist(), strict=True):
            if joins:
                parts[-1].append(digit)
            else:
                parts.append([digit])
        return parts


def separated(
    found: Number, dots: Iterable[Box], sign: str, parameters: NumberParameters = DEFAULT
) -> Number:
    """The number with `sign` in its text where a dot or a comma stands at the feet of two of its digits."""
    texts = [str(found.digits[0].value)]
    dots = list(dots)
    for left, right in pairwise(found.digits):
        height = max(left.box[3], right.box[3])
        feet = (left.box[1] + left.box[3] + right.box[1] + right.box[3]) / 2
        overlap = parameters.separator_overlap
        first, last = left.box[0] + (1 - overlap) * left.box[2], right.box[0] + overlap * right.box[2]
        between = any(
            first < x + width / 2 < last and abs(y + tall / 2 - feet) <= parameters.separator_drop * height
            for x, y, width, tall in dots
        )
        texts.append(f"{sign if between else ''}{right.value}")
    return msgspec.structs.replace(found, text="".join(texts))
