"""Parameters of the paper: where ink begins, and which connected ink may be a digit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaperParameters:
    """The edge of the ink, and the pieces that become glyphs."""

    least_range: int = 6
    """Range of the brightness around a place up to which nothing is there; set by hand; gray levels."""
    inked_margin: int = 32
    """Width of the paper around everything that the network sees, too; set by hand; pixels."""
    least_change: int = 4
    """Change of a film's brightness up to which nothing has changed; set by hand; gray levels."""
    changed_margin: int = 64
    """Width of the paper around a change that is looked at anew, and of as much again that the network sees,
    too; set by hand; pixels."""
    most_changed: float = 0.6
    """Part of a frame that must be looked at anew from which all of it is; set by hand; fraction."""
    edge: float = 0.4
    """Contrast at which ink begins; set by hand; contrasts of the ink nearby."""
    faintest: float = 10.0
    """Smallest contrast of ink; set by hand; gray levels of paper at 255."""
    longest_scrap: float = 0.8
    """Longer side up to which ink of a line that touches a stroke is the stroke's; set by hand; heights of
    the stroke."""
    uprights: tuple[float, float] = (0.6, 1.4)
    """Least and largest height of an upright piece of a line that may be a 1; set by hand; heights of the
    writing beside it."""
    least_upright: int = 6
    """Height of such a piece, and area of the writing beside it, below which it is a speck; set by hand;
    pixels."""
    smallest_area: int = 8
    """Area below which connected ink is a speck; set by hand; pixels."""
    least_digit: float = 0.05
    """Smallest probability that connected ink is a digit's, what is doubtful being left to the networks that
    read; set by hand; probability."""
    low_piece: float = 0.7
    """Height below which a piece may be a part of a neighbor above or below; set by hand; heights of the
    writing."""
    join_gap: float = 0.15
    """Largest gap between such parts; set by hand; heights of the writing."""
    tallest_sign: float = 1.4
    """Largest height and width of such parts together; set by hand; heights of the writing."""
    least_height: int = 6
    """Smallest height of a glyph; set by hand; pixels."""
    least_part: float = 0.3
    """Smallest height of a glyph, a dot or a dash being lower; set by hand; heights of the writing."""
    widest: float = 12.0
    """Largest width of a glyph, of touching digits; set by hand; its heights."""
    largest_dot: float = 0.3
    """Longer side of a dot or a comma; set by hand; heights of the writing."""
    most_glyphs: int = 1500
    """Largest number of glyphs of a picture, gravel having more; set by hand; glyphs."""
    block: float = 0.1
    """Side of the square whose mean brightness an adaptive threshold takes for the paper's, for models
    without a front of their own; set by hand; the picture's shorter sides."""
    offset: float = 12.0
    """Contrast to that mean at which their ink begins; set by hand; gray levels."""


@dataclass(frozen=True, slots=True)
class SkewParameters:
    """From what, and when, a tilted page is leveled."""

    least_tilt: float = 8.0
    """Tilt from which a page is leveled, rows being found under less; set by hand; degrees."""
    largest_tilt: float = 25.0
    """Largest tilt that is believed; set by hand; degrees."""
    line_length: float = 0.15
    """Smallest length of a line that tells the tilt; set by hand; the picture's longer sides."""
    least_lines: int = 4
    """Smallest number of such lines; set by hand; lines."""
    least_glyphs: int = 5
    """Smallest number of glyphs with a neighbor that tell the tilt; set by hand; glyphs."""
