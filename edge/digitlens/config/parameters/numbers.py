"""Parameters of numbers: separators, the class prior, and Roman numerals."""

from dataclasses import dataclass


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
