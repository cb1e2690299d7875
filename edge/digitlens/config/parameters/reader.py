"""Parameters of the Reader: the size that a picture is read at, and which numbers are reported."""

from dataclasses import dataclass

LEAST_CONFIDENCE = 0.0
"""Confidence below which a number is left out, unless a user chooses another; probability."""


@dataclass(frozen=True, slots=True)
class ReaderParameters:
    """Scaling before segmentation, and the confidences that digits and numbers need."""

    longest_side: int = 1280
    """Longer side above which a picture is reduced first; boxes keep its own scale; set by hand; pixels."""
    low_writing: int = 16
    """Glyph height, three tenths being lower, below which a picture is enlarged and segmented again; set by
    hand; pixels."""
    enlarged_height: int = 32
    """Median glyph height after enlarging, the limits below allowing it; set by hand; pixels."""
    enlarged_area: int = 1_000_000
    """Largest area of an enlarged picture; set by hand; pixels."""
    largest_area: int = 4_000_000
    """Largest area that a larger picture is read at where its writing is low; set by hand; pixels."""
    high_writing: int = 240
    """Median glyph height above which a picture is reduced and segmented again, to half of that; set by hand;
    pixels."""
    coarser: float = 0.25
    """Factor of reducing a picture without any ink, whose pen may be too wide to be seen; set by hand; no
    unit."""
    min_digit_ink: float = 0.5
    """Probability of being a digit's ink from which a glyph counts for the writing's height; set by hand;
    probability."""
    largest_scale: float = 4.0
    """Largest factor of enlarging; set by hand; no unit."""
    smallest_scale: float = 1.3
    """Smallest factor that is worth enlarging; set by hand; no unit."""
    min_confidence: float = 0.75
    """Mean confidence of a number's digits below which it is a word or a scribble; set by hand; probability.

    One doubtful digit among sure ones stays: a number that lacks a digit is worse than one in doubt.
    """
    min_posterior: float = 0.45
    """The same for networks that know non-digits, after the class prior's correction; set by hand;
    probability."""
    min_digit: float = 0.02
    """Probability of being a digit below which a glyph separates two numbers; set by hand; probability."""
    subscript_height: float = 0.75
    """Height below which a digit close behind a letter is its subscript; set by hand; letter heights."""
    subscript_gap: float = 0.35
    """Gap up to which such a digit is close; set by hand; letter heights."""
    least_digit: float = 0.5
    """Probability of being a handwritten digit below which the network's front takes a glyph for a sign, a
    letter or a line; as likely as not; probability."""
    least_plausible: float = 0.12
    """Probability of being a number, and read right, below which the network's reading drops one; chosen on
    papers, the drawn faults not caring; probability."""
    least_shared: float = 0.3
    """Part of the smaller of two numbers' boxes from which two fronts mean the same ink; set by hand; no
    unit."""
    least_side: int = 100
    """Shorter side of a picture from which the network looks at it, too; chosen on single_cells, single_pen,
    lined and tiny strips, photos and papers, where leaving any one out changes nothing; pixels."""
    least_alone: float = 0.5
    """Probability that the network's most plausible number needs where the rules find none: as likely right
    as not, because words and scribbles have less; probability."""
    good_fit: float = 0.8
    """Fit of the digits that the rules find to what the network sees from which they stand; set by hand; no
    unit."""
    upright_line: float = 30.0
    """Length of an upright line, such as a table's, with which `pairs` may split the rules' numbers; without
    one it is not asked where the digits stand close, which saves time; set by hand; pixels."""
    clear_gap: float = 0.75
    """Largest gap between digits that stand close; set by hand; heights of the digits."""
    comb_prior: float = 1.0
    """Log-odds of being one number added for two digits with a line between, in a row that stands alone: a
    comb's boxes are often taken for a table's; chosen on drawn combs; nats."""
    same_ink: float = 0.7
    """Part of the smaller of two digits' boxes from which they are the same ink, read twice; set by hand; no
    unit."""
