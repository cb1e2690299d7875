"""What one picture's reading saw, stage by stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Box, Number
from digitlens.core.row_trace import RowTrace


class TracedGlyph(Protocol):
    """A glyph: its box in the picture, and its ink (height, width) uint8, white on black."""

    @property
    def box(self) -> Box: ...  # noqa: D102

    @property
    def ink(self) -> Gray: ...  # noqa: D102


@dataclass(frozen=True)
class Trace:
    """All boxes are in pixels of `gray`, the picture (H, W) as read: gray, reduced or enlarged.

    Args:
        gray: (H, W) uint8.
        ink: (H, W) uint8, 255 where ink is.
        sure_ink: (H, W) uint8, 255 where ink is dark whatever is beside it.
        without_lines: (H, W) uint8, the ink without the paper's lines.
        glyphs: connected ink, as segmented.
        parts: the parts that doubtful glyphs were cut into, by group.
        resolved: the glyphs after cutting and joining.
        crops: (N, 28, 28) uint8, the resolved glyphs as the digit network saw them.
        probabilities: (N, 10) float32, theirs.
        rows: what the row network saw and decided, by row.
        numbers: the reading.
        milliseconds: the time of each stage.
    """

    gray: Gray
    ink: Gray
    sure_ink: Gray
    without_lines: Gray
    glyphs: Sequence[TracedGlyph]
    parts: Sequence[Sequence[TracedGlyph]]
    resolved: Sequence[TracedGlyph]
    crops: Gray
    probabilities: Floats
    rows: tuple[RowTrace, ...]
    numbers: tuple[Number, ...]
    milliseconds: Mapping[str, float]
