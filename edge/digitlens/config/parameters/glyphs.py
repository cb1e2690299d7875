"""Parameters of glyphs: the 28 x 28 input, the seams, and the segmentation lattice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlyphParameters:
    """Normalization to 28 x 28, and where a glyph may be cut."""

    thinnest_stroke: float = 1.6
    """Stroke width below which ink is thickened, MNIST's mean being 2.4; set by hand; pixels of the 20 x 20
    fit."""
    largest_radius: int = 40
    """Radius above which ink is reduced before it is thickened; set by hand; pixels."""
    narrowest_cut: float = 0.35
    """Width below which a glyph is not cut; set by hand; glyph heights."""
    seam_rows: int = 40
    """Height that a glyph is reduced to before seams are searched; set by hand; pixels."""
    sideways_cost: float = 0.08
    """Cost of a seam's step to a neighboring column, so that it goes straight down white paper; set by hand;
    pixels of ink."""
    seam_distance: float = 0.06
    """Smallest mean distance of two seams; set by hand; glyph heights."""
    seam_cost: float = 0.45
    """Largest length of ink that a seam crosses; set by hand; glyph heights."""
    most_seams: int = 18
    """Largest number of seams of a glyph; set by hand; seams."""
    seam_anchors: tuple[float, ...] = (0.3, 0.5, 0.7)
    """Heights at which locally cheapest seams are searched; set by hand; glyph heights from the top."""


@dataclass(frozen=True, slots=True)
class LatticeParameters:
    """Which glyphs are in doubt, which parts may be one digit, and what each path costs."""

    sure_probability: float = 0.9
    """Probability of its best digit from which a glyph is not in doubt, unless wide; set by hand;
    probability."""
    doubtful_aspect: float = 1.1
    """Width above which a glyph is in doubt though the network is sure of it; set by hand; its heights."""
    most_doubtful: int = 200
    """Doubtful glyphs above which a picture is gravel, print or weave and left as it is; set by hand;
    glyphs."""
    join_gap: float = 0.12
    """Gap up to which two glyphs may be pieces of one digit; set by hand; glyph heights."""
    nested_overlap: float = 0.3
    """Overlap across from which two glyphs are in doubt together; set by hand; widths of the narrower."""
    most_parts: int = 10
    """Largest number of parts that make one digit; set by hand; parts."""
    most_glyphs: int = 4
    """Largest number of uncut glyphs that make one digit; set by hand; glyphs."""
    widest_join: float = 1.35
    """Largest width of joined parts; set by hand; typical heights."""
    widest_glyph: float = 1.8
    """Largest width of an uncut glyph that may be one digit; set by hand; its heights."""
    widest_sure_glyph: float = 2.6
    """The same where the network is sure of it, as of a 5 with a far flag; set by hand; its heights."""
    tallest_join: float = 2.4
    """Largest height of joined parts; set by hand; typical heights."""
    cut_cost: float = 2.0
    """Cost of cutting through one glyph height of ink; set by hand; nats."""
    step_cost: float = 0.3
    """Cost of each cut and each join; set by hand; nats."""
    even_ratio: float = 1.4
    """Ratio of two touching digits' heights up to which cutting them costs no more; set by hand; no unit."""
    uneven_cost: float = 6.0
    """Cost for each factor of e by which their ratio exceeds that; set by hand; nats."""
    skip_cost: float = 1.5
    """Cost of leaving out a low part; set by hand; nats."""
    non_digit_cost: float = 1.5
    """Cost of taking parts for a non-digit: a word's letters must not look like digits; set by hand; nats."""
    company_cost: float = 1.5
    """Cost added to that, times the fraction of sure digits among the glyphs; set by hand; nats."""
    low_part: float = 0.4
    """Height below which a part may be left out; set by hand; typical heights."""
    low_digit: float = 0.1
    """Largest probability that so low a part is a digit; set by hand; probability."""
    least_probability: float = 0.01
    """Probability below which a digit counts as impossible; set by hand; probability."""


@dataclass(frozen=True, slots=True)
class OrientationParameters:
    """Which way is up."""

    sample: int = 24
    """Largest number of glyphs that are looked at; set by hand; glyphs."""
    sure: float = 0.85
    """Geometric mean of the best digits' probabilities from which a page stands upright; set by hand;
    probability."""
    floor: float = 0.02
    """Smallest probability of a digit that a glyph is credited with; set by hand; probability."""
    least_odds: float = 3.0
    """Log-odds over standing upright that a turn needs; set by hand; nats."""
