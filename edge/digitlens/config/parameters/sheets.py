"""Parameters of sheets: how a page is aligned, what is ink in a cell, and what the rules are worth."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RuleParameters:
    """What the decision on a form's fields goes by."""

    slip: float = 5e-4
    """Chance that a cell's probabilities are wrong, and any digit stands there; set by hand; probability."""
    wrong_count: float = 0.01
    """Chance that a writer leaves a gap, or writes too few digits; set by hand; probability."""
    wrong_range: float = 0.005
    """Chance that a writer writes a value out of range, or no date; set by hand; probability."""
    wrong_check: float = 0.01
    """Chance that a writer writes a number with a wrong check digit; set by hand; probability."""
    wrong_list: float = 0.01
    """Chance that a writer writes a number that is not in its list; set by hand; probability."""
    wrong_sum: float = 0.03
    """Chance that a writer breaks a rule over several fields; set by hand; probability."""
    sure: float = 0.95
    """Confidence from which a field is sure; chosen on generated sheets of hands that the networks have not
    learnt, for at most one wrong of 500 sure ones; probability."""
    least_reading: float = 1e-6
    """Readings of a field this much less likely than its likeliest are dropped; set by hand; ratio."""
    most_readings: int = 2000
    """Readings of a field that are kept; set by hand; readings."""
    most_values: int = 200
    """Values of a field that rules over several fields are asked of; set by hand; values."""
    least_state: float = 1e-9
    """Partial assignments this much less likely than the likeliest are dropped; set by hand; ratio."""
    most_states: int = 600
    """Partial assignments that are kept; set by hand; assignments."""


@dataclass(frozen=True, slots=True)
class CellParameters:
    """The ink of a form's cells."""

    margin: float = 2.2
    """Width of the paper around a field on which its ink may lie, too; set by hand; millimeters."""
    edge: float = 0.4
    """Darkness at which ink begins, PaperParameters.edge; darkness of the field's ink."""
    faintest: float = 0.1
    """Smallest darkness of ink; set by hand; darkness, 1 being black."""
    noises: float = 4.0
    """Smallest darkness of ink; set by hand; standard deviations of bare paper's."""
    paler: float = 0.6
    """Darkness at which the edge of ink may begin that is darker than `faintest` elsewhere; set by hand;
    parts of `faintest` and `noises`."""
    palest: float = 0.4
    """Smallest darkness of a cell's ink; set by hand; parts of that of its field's ink."""
    surroundings: float = 1.0
    """Width of the paper around a field on which pieces of ink are seen in full; set by hand; heights of a
    cell."""
    least_ink: float = 0.6
    """Area of dark pixels from which a field's ink has a darkness of its own; set by hand; square
    millimeters."""
    speck: float = 0.7
    """Longer side below which ink is a speck; set by hand; millimeters."""
    beyond: float = 0.3
    """How far beyond its cells the middle of a piece of ink may lie; set by hand; heights of the cells."""
    least_share: float = 0.2
    """Smallest part of a piece of ink for which it is cut off as another cell's; set by hand; fraction."""
    least_reach: float = 0.35
    """Smallest width of such a part; set by hand; widths of a cell."""
    widest_digit: float = 1.2
    """Width up to which ink is one digit, wherever it lies; set by hand; widths of a cell."""
    cut_reach: float = 0.3
    """Largest distance of a cut from the line between two cells; set by hand; widths of a cell."""
    print_blurs: tuple[float, ...] = (0.05, 0.08, 0.13, 0.2, 0.3, 0.45, 0.65)
    """Standard deviations of the blur of print in a picture, of which the best is taken; set by hand;
    millimeters."""
    unexplained: float = 0.04
    """Darkness beside the print up to which print beside its place explains it; set by hand; darkness."""
    print_margin: float = 0.15
    """Distance by which print may lie beside its place; set by hand; millimeters."""
    least_light: float = 0.25
    """Smallest part of the light that is taken to pass a printed line; set by hand; fraction."""
    least_blur: float = 0.8
    """Standard deviation of the blur from which ink is sharpened; set by hand; pixels of the flat page."""
    sharpenings: int = 4
    """Rounds of that; set by hand; rounds."""
    solid_print: float = 0.75
    """Darkness of print on which no ink is seen; set by hand; darkness."""
    cell_digits_weight: float = 0.5
    """Weight of the digit network for cells beside the one for all paper; set by hand; a fraction."""
    sure_view: float = 0.99
    """Probability of its best digit from which a cell is looked at once; set by hand; probability."""
    view_shear: float = 0.15
    """Slant of the further views; set by hand; pixels across for each down."""
    struck_odds: float = 0.2
    """Odds of ink that is no digit, parts of those on the sheets that `cells` learnt, of whose cells one in
    40 is struck out: people strike out one in 200; set by hand; a ratio."""
    row_doubt: float = 0.98
    """Probability of a cell's best digit, by its least view, below which the row network is asked of its
    comb; set by hand; probability."""
    row_weight: float = 0.3
    """Exponent of the row network's probabilities of a digit; chosen on generated sheets of hands that the
    networks have not learnt."""
    strip_gap: float = 0.25
    """Widest gap between two digits of a comb as the row network gets them; set by hand; heights of a
    digit."""
    small_ink: float = 0.35
    """Height below which a cell's ink is not counted among the digits of a comb; set by hand; parts of the
    tallest."""
    doubled_ink: float = 0.97
    """Probability of its best digit from which a cell's ink is not taken for two digits; set by hand;
    probability."""
    mark_margin: float = 0.6
    """Width of a marked cell's border on which ink does not count; set by hand; millimeters."""
    black_amounts: tuple[float, float] = (0.5, 0.8)
    """Ink up to which a mark is one, and from which it may be taken back; set by hand; fractions."""
    per_mm: tuple[float, float] = (4.0, 6.0)
    """Least and largest resolution at which a page is read; set by hand; pixels a millimeter."""


@dataclass(frozen=True, slots=True)
class AlignmentLevel:
    """One round of finding the print's blocks."""

    per_mm: float
    """Resolution, pixels a millimeter."""
    reach: float
    """How far blocks are looked for, millimeters."""
    stiffness: float
    """How much the field's bending costs."""
    scale: float
    """Deviation that is usual among blocks that fit, millimeters."""
    grid: float = 0.0
    """Distance of blocks all over the page, twice as wide; 0: the combs are looked for; millimeters."""
    margin: float = 0.0
    """Paper around a comb that belongs to its block, millimeters."""
    most_blocks: int = 0
    """Largest number of combs that are looked for."""


@dataclass(frozen=True, slots=True)
class AlignmentParameters:
    """Where a form's page is, and how it is bent; all set by hand on generated sheets."""

    least_per_mm: float = 1.2
    """Smallest resolution of a page that is read, pixels a millimeter."""
    anchor_stiffness: float = 0.01
    """How much bending costs between the fiducials."""
    cap: float = 0.35
    """Darkness above which all print and ink is alike, so that handwriting does not outweigh pale lines."""
    least_blocks: int = 6
    """Smallest number of blocks that must be found."""
    levels: tuple[AlignmentLevel, ...] = (
        AlignmentLevel(1.2, 7.0, 0.1, 1.5, grid=24.0),
        AlignmentLevel(1.5, 4.0, 0.1, 0.8, grid=18.0),
        AlignmentLevel(2.0, 2.0, 0.03, 0.4, grid=15.0),
        AlignmentLevel(4.0, 1.0, 0.03, 0.2, margin=2.0, most_blocks=60),
    )
    """From coarse to fine."""


@dataclass(frozen=True, slots=True)
class ForeignParameters:
    """Finding the page of a form without fiducials, and its print; all set by hand on drawn forms."""

    per_mm: float = 4.0
    """Resolution at which the blank's corners are looked for, pixels a millimeter."""
    longest_side: int = 1700
    """Longer side at which a picture's corners are looked for, pixels."""
    features: int = 4000
    """Corners that are looked for on each."""
    tiles: tuple[int, int] = (4, 3)
    """Rows and columns of the tiles that have as many corners each."""
    ratio: float = 0.8
    """Distance of a corner's description to the nearest, parts of that to the second, to be a match."""
    reach: float = 4.0
    """Deviation up to which matches agree, pixels of the picture at `longest_side`."""
    least_features: int = 20
    """Corners that must agree for a page to be found."""
    rounds: int = 8000
    """Largest number of RANSAC's rounds."""
    steepest: float = 3.0
    """How many times as near as another a corner of a page may be, and as long as another a side of it."""
    line_margin: float = 0.2
    """Distance from print, beyond its blur, up to which ink may be what is left of it; set by hand on blanks
    of three other programs; millimeters."""
    line_reach: float = 0.4
    """How far along print ink belongs to a stroke that comes off it; set by hand on them; millimeters."""
    line_stroke: float = 0.7
    """Width from which ink along print is a stroke; set by hand on them; millimeters."""


@dataclass(frozen=True, slots=True)
class SheetParameters:
    """One of each stage's parameters."""

    alignment: AlignmentParameters = field(default_factory=AlignmentParameters)
    cells: CellParameters = field(default_factory=CellParameters)
    foreign: ForeignParameters = field(default_factory=ForeignParameters)


DEFAULT = SheetParameters()
