"""Parameters of numbers: separators, the class prior, and Roman numerals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrderParameters:
    """The reading order; set by hand on generated tables, turned and curved; lengths in digit heights."""

    largest_skew: float = 20.0
    """Largest angle of rows that are looked for, in degrees."""
    skew_penalty: float = 0.05
    """Loss of an angle, which breaks ties, in nats per radian and number."""
    digit_unrest: float = 0.15
    """Standard deviation of a digit's middle from its number's baseline."""
    row_unrest: float = 0.25
    """Standard deviation of a number's middle from its row's."""
    neighbors: int = 4
    """Nearest numbers on the right that tell of the skew, a count."""
    neighbor_weight: float = 4.0
    """Gain of a neighbor that is level and touches, in nats."""
    rounds: int = 3
    """Times that neighbors are linked and the page is flattened by these links."""
    column: float = 1.0
    """Largest horizontal distance of the middles of numbers that stand below each other."""
    least_leading: float = 0.6
    """Smallest distance of rows."""
    leading_share: float = 0.5
    """Largest vertical distance of neighbors in a row, as a fraction of that to the row below or above."""
    reach: float = 1.0
    """Largest vertical distance of neighbors in a row, on the flattened page."""
    least_reach: float = 0.3
    """Vertical distance within which numbers are neighbors however close the rows are."""
    height_cost: float = 8.0
    """Distance along the row that a vertical distance of one digit height is worth."""
    stiffness: float = 0.05
    """Weight of the squared bends of the page, in squared digit heights."""
    same_row: float = 0.6
    """Vertical distance within which parts of a row continue each other."""


@dataclass(frozen=True, slots=True)
class NumberParameters:
    """Decimal separators, and what a page says about a doubtful digit."""

    wide_step: float = 1.6
    """Distance of two digits' centers above which they may be of two numbers; set by hand; the row's usual
    distances."""
    least_step: float = 0.6
    """Smallest usual distance of a row; set by hand; digit heights."""
    wide_gap: float = 0.8
    """Gap between two digits above which they may be of two numbers; set by hand; digit heights."""
    lone_step: float = 2.5
    """Distance of the centers of two lone digits above which each is a number; set by hand; digit heights."""
    table_cell: float = 1.5
    """Distance of upright lines above which they are a table's, squared paper's being closer; set by hand;
    digit heights."""
    separator_drop: float = 0.3
    """Largest distance of a separator's middle from the digits' feet; set by hand; digit heights."""
    separator_overlap: float = 0.4
    """Largest overlap of a separator's middle with a digit beside it; set by hand; digit widths."""

    prior_non_digits: float = 0.06
    """Prior fraction of non-digits among a page's glyphs; set by hand; probability."""
    prior_weight: float = 0.7
    """Weight of that prior against a page's glyphs; set by hand; glyphs."""
    page_weight: float = 2.0
    """Weight of the page's fraction against a number's glyphs; set by hand; glyphs."""
    em_rounds: int = 12
    """Largest number of rounds of expectation maximization; set by hand; rounds."""
    em_tolerance: float = 1e-9
    """Change of the fraction below which the rounds end; set by hand; probability."""
    least_fraction: float = 1e-3
    """Smallest fraction of either class; set by hand; probability."""

    least_numerals: int = 3
    """Smallest number of Roman numerals in a row, for 1 and 11 may be numbers; set by hand; numerals."""
    slim_bar: float = 0.45
    """Largest width of a numeral's bar, a 1 with a long upstroke being wider; set by hand; bar heights."""
