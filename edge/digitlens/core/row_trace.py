"""What the row network saw of a row, its hypotheses with their scores, and the decision with its reason."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Box


@dataclass(frozen=True)
class HypothesisTrace:
    """A possible text of a row: its source, its score in nats (None if unscored), whether it was chosen."""

    text: str
    source: str
    score: float | None
    chosen: bool


@dataclass(frozen=True, eq=False)
class RowTrace:
    """A row that the network read: `lattice` and `row_network` are the readings, `chosen` the row's result.

    Args:
        box: around the row, in pixels of the picture as it was read: gray, reduced or enlarged.
        crop: (32, w) uint8, bright ink.
        columns: (T, 13) float32, the probabilities of the network's columns, 2 pixels of the crop each.
        list_hypotheses: lists the hypotheses, best first; called once, when they are asked for.
    """

    box: Box
    crop: Gray = field(repr=False)
    columns: Floats = field(repr=False)
    lattice: str
    row_network: str
    chosen: str
    reason: str
    list_hypotheses: Callable[[], tuple[HypothesisTrace, ...]] = field(repr=False)

    @cached_property
    def hypotheses(self) -> tuple[HypothesisTrace, ...]:
        """Best first."""
        return self.list_hypotheses()
