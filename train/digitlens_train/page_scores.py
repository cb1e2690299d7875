"""How pages are drawn for the learnt scores, and examples of what is found on them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats
from digitlens.numbers import pairs, plausibility, rejection
from digitlens.numbers.grouping import DEFAULT_MODEL as PAIRS
from digitlens.numbers.plausibility import DEFAULT_MODEL as PLAUSIBILITY
from digitlens.numbers.rejection import DEFAULT_MODEL as REJECTION

Part = Literal["learnt", "held_out"]
FEATURES = {
    REJECTION: rejection.FEATURES,
    PAIRS: pairs.FEATURES,
    PLAUSIBILITY: plausibility.FEATURES,
}
"""The inputs of the networks by name."""


@dataclass(frozen=True)
class ScoresConfig:
    """Everything that determines the networks, besides the networks that the Reader reads with.

    Attributes:
        pages: to learn from.
        held_out_pages: by other hands and fonts, and of held-out layouts, too, for the figures.
        heights: least and largest height of the writing, drawn log-uniformly, pixels.
        rows: least and largest height of a page, pixels; even.
        columns: the same of its width.
        small: share of pictures that end right around a row, a cell or a digit.
        small_sides: their least and largest width and height, drawn log-uniformly, pixels.
        neat: share of pages that are written with care; the others hold what is hard to read, too.
        shown: share of pages in any light, before any camera; the others are photographed well.
        held_out_layouts: each held-out layout's weight; those of all others together are 1.
        hidden: sizes of the hidden layers.
        decay: weight of the squared weights in the loss; chosen with half of the pages left out in turn,
            because the examples of a page are alike.
    """

    pages: int = 1500
    held_out_pages: int = 400
    seed: int = 2026
    heights: tuple[float, float] = (14.0, 70.0)
    rows: tuple[int, int] = (260, 900)
    columns: tuple[int, int] = (300, 1000)
    small: float = 0.1
    small_sides: tuple[float, float] = (100.0, 700.0)
    neat: float = 0.7
    shown: float = 0.25
    held_out_layouts: float = 0.03
    hidden: tuple[int, ...] = (32, 16)
    decay: float = 1.0
    batch: int = 128
    learning_rate: float = 2e-3
    epochs: int = 15

    def count(self, part: Part) -> int:
        """The pages of a part."""
        return self.pages if part == "learnt" else self.held_out_pages


@dataclass(frozen=True)
class Examples:
    """The inputs of one of the networks, (N, features), the right answers, and where they stand, (N,)."""

    inputs: Floats
    answer: npt.NDArray[np.bool_]
    layout: npt.NDArray[np.str_]
    page: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[tuple[Floats, bool]], features: int, layout: str, page: int) -> Self:
        """The examples of one page."""
        return cls(
            np.array([inputs for inputs, _ in found], np.float32).reshape(-1, features),
            np.array([answer for _, answer in found], bool),
            np.full(len(found), layout, "U32"),
            np.full(len(found), page, np.int64),
        )

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Examples":
        """Some of them, by a mask (N,)."""
        return Examples(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Examples"]) -> Self:
        """Those of all pages, in their order."""
        return cls(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class Found:
    """The examples of some pages; how many numbers were written on them and how many were read right."""

    examples: dict[str, Examples]
    written: int
    right: int

    @classmethod
    def joined(cls, parts: Sequence["Found"]) -> Self:
        """Those of all pages, in the order of the parts."""
        names = list(parts[0].examples)
        return cls(
            {name: Examples.joined([part.examples[name] for part in parts]) for name in names},
            sum(part.written for part in parts),
            sum(part.right for part in parts),
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{len(each.answer):,} of {name}" for name, each in self.examples.items())
        read = (
            f"; {self.right:,} of {self.written:,} numbers read right"
            if PLAUSIBILITY in self.examples
            else ""
        )
        return f"{counts}{read}"
