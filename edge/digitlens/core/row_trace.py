"""What the row network saw of one row, and the decision."""

from dataclasses import dataclass

from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Box


@dataclass(frozen=True)
class HypothesisTrace:
    """A possible text of a row: where it comes from, and its score in nats; None where it has none."""

    text: str
    source: str
    score: float | None
    chosen: bool


@dataclass(frozen=True)
class RowTrace:
    """A row: its crop (32, w) uint8, and the probabilities (T, 13) float32 of the network's columns.

    `hypotheses` come best first; `lattice` and `row_network` are the two readings, `chosen` the one taken
    for `reason`.
    """

    box: Box
    crop: Gray
    columns: Floats
    hypotheses: tuple[HypothesisTrace, ...]
    lattice: str
    row_network: str
    chosen: str
    reason: str
