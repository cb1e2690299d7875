"""The parameters of each stage of the reading path, with their defaults; imports core alone.

Every field says its quantity, the set that it was chosen on, and its unit.
"""

from dataclasses import dataclass, field

from digitlens.config.parameters.glyphs import (
    GlyphParameters,
    LatticeParameters,
    OrientationParameters,
)
from digitlens.config.parameters.numbers import NumberParameters
from digitlens.config.parameters.paper import PaperParameters, SkewParameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.config.parameters.rows import DecisionParameters, RowParameters


@dataclass(frozen=True, slots=True)
class Parameters:
    """One of each stage's parameters, as the Reader hands them down."""

    reader: ReaderParameters = field(default_factory=ReaderParameters)
    paper: PaperParameters = field(default_factory=PaperParameters)
    skew: SkewParameters = field(default_factory=SkewParameters)
    glyphs: GlyphParameters = field(default_factory=GlyphParameters)
    orientation: OrientationParameters = field(default_factory=OrientationParameters)
    lattice: LatticeParameters = field(default_factory=LatticeParameters)
    rows: RowParameters = field(default_factory=RowParameters)
    decision: DecisionParameters = field(default_factory=DecisionParameters)
    numbers: NumberParameters = field(default_factory=NumberParameters)


DEFAULT = Parameters()
