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
    """All boxes are in pixels of `gray`, the picture (H, W) as read: gray, resized and turned.

    Args:
        gray: (H, W) uint8.
        ink: (H, W) uint8, 255 where ink is.
        kinds: (H, W) uint8, whose ink it is: 1 a handwritten digit's, 2 other writing's, 3 print's, 4 a
            line's; 0 where there is none.
        digit_ink: (H, W) uint8, 255 where ink is that may be a digit's.
        glyphs: connected ink that may be digits'.
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
    kinds: Gray
    digit_ink: Gray
    glyphs: Sequence[TracedGlyph]
    parts: Sequence[Sequence[TracedGlyph]]
    resolved: Sequence[TracedGlyph]
    crops: Gray
    probabilities: Floats
    rows: tuple[RowTrace, ...]
    numbers: tuple[Number, ...]
    milliseconds: Mapping[str, float]
