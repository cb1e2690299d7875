"""What the tables say: counts, rates, confidences, reasons of failure; one shard in memory at a time."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitlens.batch import tables
from digitlens.batch.crops import Place
from digitlens.batch.manifest import require
from digitlens.batch.rows import FAILED, Columns
from digitlens.core.arrays import Doubles

BINS = 1000
"""Bins of confidences, of equal width."""
LEAST_SURE = 100
"""Rows of the least confidence that are kept."""
EXAMPLES = 4
"""Rows that are kept of a reason."""
REASONS = 200
"""Reasons that are kept apart; the others are counted as one."""
OTHER = "other reasons"


@dataclass(slots=True)
class Unsure:
    """A row among the least sure."""

    confidence: float
    text: str
    place: Place

    def __lt__(self, other: "Unsure") -> bool:
        return self.confidence > other.confidence  # a heap has its least on top: here the surest


@dataclass(slots=True)
class Survey:
    """The sums over a run's tables.

    `confidences` counts rows by confidence, in BINS bins; `sums` adds their confidences up.
    """

    documents: int = 0
    pages: int = 0
    failed: int = 0
    bytes: int = 0
    milliseconds: float = 0.0
    slowest: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    confidences: Doubles = field(default_factory=lambda: np.zeros(BINS))
    sums: Doubles = field(default_factory=lambda: np.zeros(BINS))
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Place]] = field(default_factory=dict)
    least_sure: list[Unsure] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Numbers or fields that were read, with a confidence."""
        return int(self.confidences.sum())


def bin_of(confidence: Doubles) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The bin of each confidence, 0 to 1."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def survey(folder: Path) -> Survey:
    """Sum a run's tables up.

    Raises:
        BatchError: there is no run, or a table cannot be read.
    """
    found = Survey()
    kind = require(folder).format
    for shard in tables.each(folder, kind, "pages", ("last", "milliseconds", "bytes", "error")):
        found.pages += len(shard["last"])
        found.documents += sum(map(bool, shard["last"]))
        found.failed += sum(error is not None for error in shard["error"])
        found.bytes += sum(
            int(size or 0) for size, last in zip(shard["bytes"], shard["last"], strict=True) if last
        )
        times = np.array(shard["milliseconds"], np.float64)
        found.milliseconds += float(times.sum())
        found.slowest = max(found.slowest, float(times.max(initial=0.0)))
    names = ("id", "source", "page", "text", "confidence", "x", "y", "width", "height", "state", "reason")
    for shard in tables.each(folder, kind, "numbers", names):
        _add(found, shard)
    found.least_sure.sort(key=lambda unsure: unsure.confidence)
    return found


def place(shard: Columns, row: int) -> Place:
    """Where a shard's row was read."""
    x, y, width, height = (shard[name][row] for name in ("x", "y", "width", "height"))
    box = None
    if x is not None and y is not None and width is not None and height is not None:
        box = int(x), int(y), int(width), int(height)
    return Place(str(shard["id"][row]), str(shard["source"][row]), int(shard["page"][row] or 1), box)


def _add(found: Survey, shard: Columns) -> None:
    found.states.update(map(str, shard["state"]))
    confidence = np.array([np.nan if value is None else value for value in shard["confidence"]], np.float64)
    rows = np.flatnonzero(np.isfinite(confidence))
    bins = bin_of(confidence[rows])
    found.confidences += np.bincount(bins, minlength=BINS)
    found.sums += np.bincount(bins, confidence[rows], minlength=BINS)
    for row in rows[np.argsort(confidence[rows], kind="stable")[:LEAST_SURE]]:
        unsure = Unsure(float(confidence[row]), str(shard["text"][row] or ""), place(shard, int(row)))
        if len(found.least_sure) < LEAST_SURE:
            heapq.heappush(found.least_sure, unsure)
        elif unsure.confidence < found.least_sure[0].confidence:
            heapq.heapreplace(found.least_sure, unsure)
    for row, (state, reason) in enumerate(zip(shard["state"], shard["reason"], strict=True)):
        if reason is None:
            continue
        text = str(reason) if state == FAILED else f"{state}: {reason}"
        if text not in found.reasons and len(found.reasons) >= REASONS:
            text = OTHER
        found.reasons[text] += 1
        some = found.examples.setdefault(text, [])
        if len(some) < EXAMPLES:
            some.append(place(shard, row))
