"""Parameters of rows: finding and cropping them, the row network and its decoding, and the decision."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowParameters:
    """Which rows there are, which are in doubt, and how the row network reads one."""

    # Finding rows
    least_overlap: float = 0.4
    """Smallest vertical overlap of two neighbors in one row; set by hand; heights of the lower one."""
    row_gap: float = 2.2
    """Gap between two glyphs above which they are in two rows; set by hand; glyph heights."""
    part_gap: float = 1.5
    """Gap above which the parts of a row are in doubt, and read, separately; set by hand; glyph heights."""
    single_row_aspect: float = 1.6
    """Width from which a picture may be of a single row; set by hand; picture heights."""
    close_up_height: float = 0.25
    """Median glyph height from which a picture is a close-up of its writing; set by hand; picture heights."""
    unfound_ink: float = 0.2
    """Distance beyond a single row's glyphs from which ink extends the row; set by hand; row heights."""
    slope_length: float = 3.0
    """Distance from the first to the last glyph from which a row has a measurable slope; set by hand; glyph
    heights."""
    slope_glyphs: int = 3
    """Smallest number of glyphs with a measurable slope; set by hand; glyphs."""
    largest_slope: float = 0.3
    """Largest slope of a row, up or down; set by hand; pixels down for each to the right."""

    # Rows in doubt
    tiny_height: int = 16
    """Median glyph height below which a row is always in doubt; set by hand; pixels."""
    sure_digit: float = 0.95
    """Confidence of a digit in its number from which it is not in doubt; set by hand; probability."""
    sure_glyph: float = 0.9
    """Probability of its best digit from which a glyph is not in doubt, unless wide; set by hand;
    probability."""
    wide_glyph: float = 1.1
    """Width above which a glyph may be touching digits, however sure; set by hand; its heights."""

    tall_one: float = 1.12
    """Height from which a 1 is in doubt, for it may be a slash; set by hand; heights of its number's other
    digits."""

    # The crop
    crop_margin: float = 0.5
    """Width of the paper that a crop shows left and right of its row; set by hand; row heights."""
    least_glyph_height: float = 0.45
    """Smallest typical glyph height in a crop, whatever sticks out of the row; set by hand; row heights."""
    least_slope: float = 0.03
    """Slope from which a row is leveled before it is cropped; set by hand; pixels down for each to the
    right."""

    # The network
    blank_penalty: float = 0.75
    """Amount that blank's logit is lowered by, for CTC networks over-predict blank on unfamiliar glyphs;
    chosen on the validation sets; nats."""
    augmentation_shear: float = -0.25
    """Shear of the first test-time augmentation; set by hand; pixels to the right for each pixel up."""
    augmentation_stretch: float = 1.1
    """Vertical stretch of the second test-time augmentation; set by hand; factor."""
    augmentation_shift: float = 1.5
    """Upward shift of the third test-time augmentation; set by hand; pixels of the crop."""

    # Prefix beam search
    beam_width: int = 6
    """Largest number of prefixes kept at each column; set by hand; prefixes."""
    class_floor: float = 0.04
    """Probability below which no prefix is extended by a class; set by hand; probability."""
    prefix_floor: float = 5e-3
    """Probability below which a prefix is dropped; set by hand; fraction of the best prefix's."""
    blank_threshold: float = 0.95
    """Probability of blank from which a column separates two searches; set by hand; probability."""
    likelihood_floor: float = 1e-6
    """Smallest probability of a class in a column, when texts are scored; set by hand; probability."""

    # Numbers of the decoded signs
    widest_digit: float = 1.1
    """Largest width of a digit; set by hand; crop heights."""
    least_sign: float = 0.35
    """Smallest confidence of a decoded digit; set by hand; probability."""
    least_number: float = 0.6
    """Smallest mean confidence of a number's digits, words and scribbles having less; set by hand;
    probability."""

    sign_reach: float = 1.2
    """Greatest distance between a sign and the digit that it belongs to; set by hand; digit heights."""
    least_point: float = 0.4
    """Probability from which a sign is a decimal point, which joins digits; set by hand; probability."""
    point_reach: float = 0.8
    """Greatest distance between a decimal point and the digits that it joins; set by hand; digit heights."""

    # Slices
    slants: tuple[float, ...] = (-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6)
    """Shears that are tried to make writing upright; set by hand; pixels to the right for each pixel up."""
    slice_end: int = 20
    """Width of the first slice left of its sign's column, and of the last right of it; set by hand; pixels of
    the crop."""
    slice_margin: float = 0.25
    """Smallest distance of a cut from the two signs beside it; set by hand; distances of the two."""
    slice_ink: tuple[float, float] = (0.6, 1.4)
    """Gray levels of bare paper and of full ink; set by hand; Otsu's thresholds."""
    ink_level: int = 100
    """Gray level above which a slice's pixel belongs to a connected component; set by hand; gray levels."""
    component_area: float = 0.2
    """Area below which a slice's component is a neighbor's or dirt; set by hand; areas of the largest one."""
    component_height: int = 4
    """Height below which a slice's component is a neighbor's or dirt; set by hand; pixels of the crop."""


@dataclass(frozen=True, slots=True)
class DecisionParameters:
    """The decision between the lattice and the row network, and the evidence for numbers."""

    # The decision
    hypotheses: int = 6
    """Largest number of the row network's hypotheses, besides the lattice's; chosen on the validation sets;
    hypotheses."""
    glyph_floor: float = 1e-3
    """Smallest probability of a digit that the digit network is credited with, for a glyph; chosen on the
    validation sets and on generated pages of words and scribbles; probability."""
    slice_floor: float = 0.03
    """Smallest probability of a digit that the digit network is credited with, for a slice; chosen on the
    validation sets; probability."""
    least_probability: float = 0.2
    """Smallest probability of a row's likeliest hypothesis, if it is not the lattice's; set by hand;
    probability."""
    least_among_rows: float = 0.5
    """The same where the lattice finds no digit and the page has other rows; set by hand; probability."""
    least_parting: float = 0.8
    """Confidence of a sign from which it parts a number of which both networks read the same digits; set by
    hand; probability."""

    # Evidence for numbers
    evidence: float = 14.0
    """Log-odds of being numbers that a row's numbers need, times the fraction of the glyphs' area that is no
    digit; set by hand; nats."""
    mixed_page: float = 0.3
    """Fraction of the glyphs' area that is no digit from which all numbers of a page need evidence; set by
    hand; fraction."""
    evidence_range: tuple[float, float] = (0.01, 0.99)
    """Smallest and largest confidence of a digit as evidence; set by hand; probability."""


DEFAULT_ROWS = RowParameters()
DEFAULT_DECISION = DecisionParameters()
