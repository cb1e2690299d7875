"""The learnt scores of the network's front: which glyphs are digits, of which number, and what stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.readings import Number
from digitlens.numbers.grouping import DEFAULT_MODEL as PAIRS
from digitlens.numbers.grouping import Grouper
from digitlens.numbers.merging import merged
from digitlens.numbers.plausibility import DEFAULT_MODEL as PLAUSIBILITY
from digitlens.numbers.plausibility import Plausibility, compared, features
from digitlens.numbers.rejection import DEFAULT_MODEL as REJECTION
from digitlens.numbers.rejection import Rejection
from digitlens.paper.page import Page

NAMES = (REJECTION, PAIRS, PLAUSIBILITY)
"""The shipped networks."""


@dataclass(frozen=True)
class Scores:
    """Small networks, asked one after the other.

    Args:
        reject: glyphs that are no handwritten digits.
        group: digits into numbers.
        plausible: the numbers that stand.
    """

    reject: Rejection
    group: Grouper
    plausible: Plausibility

    @classmethod
    def load(cls, limits: ReaderParameters, folder: Path | None = None) -> Self:
        """The shipped networks, or those of a folder, NAME.npz each.

        Raises:
            ModelError: one is missing, or does not fit its card.
        """
        rejection, pairs, plausibility = (
            name if folder is None else folder / f"{name}.npz" for name in NAMES
        )
        return cls(
            Rejection.load(limits.least_digit, rejection),
            Grouper.load(pairs, limits.comb_prior),
            Plausibility.load(limits.least_plausible, plausibility),
        )

    def stand(self, numbers: Sequence[Number], page: Page) -> tuple[Number, ...]:
        """The numbers of a page that are plausible, with the probability that each is right."""
        return self.plausible(numbers, features(numbers, page, self.group))

    def better(
        self, numbers: Sequence[Number], page: Page, others: Sequence[Number], whole: Page, shared: float
    ) -> tuple[Number, ...]:
        """The better of two fronts' numbers, each judged with what the other has at its place.

        Args:
            numbers: of the network's front.
            page: the page without what it rejects.
            others: of the front of rules, boxes in pixels of the same page.
            whole: the page with everything.
            shared: part of the smaller box from which two numbers are alternatives.
        """
        mine = compared(features(numbers, page, self.group), numbers, others)
        theirs = compared(features(others, whole, self.group, by_rules=True), others, numbers)
        return merged(self.plausible(numbers, mine), self.plausible(others, theirs), shared)
