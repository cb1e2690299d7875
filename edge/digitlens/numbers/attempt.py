"""One reading of a picture by one of the fronts, with what it saw on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from digitlens.config.parameters.glyphs import GlyphParameters
from digitlens.core.arrays import Gray
from digitlens.core.readings import Box, Number, moved, scaled
from digitlens.core.row_trace import RowTrace
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved
from digitlens.glyphs.normalize import to_mnist
from digitlens.paper.kinds import kinds
from digitlens.paper.page import Page
from digitlens.paper.witness import Witness


@dataclass(frozen=True)
class Attempt:
    """A reading.

    Args:
        gray: (H, W) uint8, the picture as it was read: gray, resized, turned and leveled.
        page: its page.
        resolved: the glyphs after cutting and joining.
        seen: the numbers, boxes in pixels of `gray`.
        numbers: the numbers, boxes in pixels of the picture.
        rows: what the row network saw and decided, by row.
        milliseconds: the time of each stage.
        whole: the page before any of its glyphs was rejected; None for `page`.
        candidates: all numbers, the improbable too, boxes in pixels of `gray`.
        straight: the picture was neither turned nor leveled.
    """

    gray: Gray
    page: Page
    resolved: Resolved
    seen: tuple[Number, ...]
    numbers: tuple[Number, ...]
    rows: tuple[RowTrace, ...]
    milliseconds: Mapping[str, float]
    whole: Page | None = None
    candidates: tuple[Number, ...] = ()
    straight: bool = True

    def with_numbers(self, numbers: tuple[Number, ...]) -> "Attempt":
        """The same with other numbers, boxes in pixels of `gray`."""
        return replace(self, seen=numbers, numbers=numbers)

    def moved(self, back: Callable[[Box], Box], size: tuple[int, int], picture: tuple[int, int]) -> "Attempt":
        """The same with its numbers' boxes in pixels of the picture.

        Args:
            back: a box of `gray` in the picture of `size` (width, height) before it was turned and leveled.
            size: of that picture.
            picture: the size of the picture before it was resized.
        """
        return replace(self, numbers=moved(self.seen, lambda box: scaled(back(box), size, picture)))

    def unreduced(self, picture: tuple[int, int]) -> "Attempt":
        """The same with its numbers' boxes in pixels of the picture, which was only resized."""
        height, width = self.gray.shape
        return self.moved(lambda box: box, (width, height), picture)

    def fit(self, witness: Witness, scale: float) -> float:
        """How well its digits fit what the network sees of the picture resized by `scale`, 0 to 1."""
        digits = [digit for number in self.numbers for digit in number.digits]
        boxes = [tuple(round(side * scale) for side in digit.box) for digit in digits]
        return witness.fit(
            [(x, y, width, height) for x, y, width, height in boxes], [digit.confidence for digit in digits]
        )

    def trace(self, milliseconds: dict[str, float], parameters: GlyphParameters) -> Trace:
        """What each stage saw; the time of each is handed on."""
        page, resolved = self.page, self.resolved
        return Trace(
            gray=self.gray,
            ink=page.ink,
            kinds=kinds(page),
            digit_ink=page.mask,
            glyphs=page.glyphs,
            parts=resolved.parts,
            resolved=resolved.glyphs,
            crops=to_mnist(resolved.glyphs, parameters),
            probabilities=resolved.probabilities,
            rows=self.rows,
            numbers=self.seen,
            milliseconds=milliseconds,
        )
