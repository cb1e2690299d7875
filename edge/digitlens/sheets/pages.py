"""Where everything stands on a form's pages, in millimeters: the values that a layout consists of."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from digitlens.sheets.fields import Field, Table

PAPERS = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
"""Width and height of upright paper, millimeters."""
MARGIN = 20.0
"""Distance of everything but the fiducials from the paper's edges, millimeters."""
FIDUCIAL = 9.0
"""Side of a fiducial, millimeters; a fifth of it is a module: black frame, white ring, inner square."""
FIDUCIAL_INSET = 11.5
"""Distance of a fiducial's center from the paper's edges, millimeters."""
CODE = 30.0
"""Side of the code, without its quiet zone, millimeters."""
QUIET = 5.0
"""Width of the code's quiet zone, millimeters."""

MmBox = tuple[float, float, float, float]
"""x and y of the top left corner from the page's, width, height; millimeters."""


def pixels_around(box: MmBox, margin: float, per_mm: float) -> tuple[slice, slice]:
    """Rows and columns of a flat page's picture that a box takes, with so many millimeters around it."""
    x, y, wide, tall = box
    left, top, right, bottom = (
        max(0, round(side * per_mm))
        for side in (x - margin, y - margin, x + wide + margin, y + tall + margin)
    )
    return slice(top, bottom), slice(left, right)


@dataclass(frozen=True, slots=True)
class Fiducial:
    """A mark that is the same on every page: a black frame, and within it a black square or nothing."""

    x: float
    """Of its center, from the page's left, millimeters."""
    y: float
    """Of its center, from the page's top, millimeters."""
    is_open: bool
    """Whether its middle is white. The top left and the middle left one are: no turn or mirroring of the page
    has the same marks open."""


@dataclass(frozen=True, slots=True)
class PlacedField:
    """A field and its place."""

    field: Field
    page: int
    """From 1."""
    box: MmBox
    """Of the comb."""

    @property
    def cells(self) -> tuple[MmBox, ...]:
        """Each cell's box, from the left; together they are the comb's."""
        x, y, width, height = self.box
        step = width / self.field.cells
        return tuple((x + index * step, y, step, height) for index in range(self.field.cells))


@dataclass(frozen=True, slots=True)
class Text:
    """A printed line."""

    page: int
    x: float
    """Of its left end, or of what `align` says, millimeters."""
    y: float
    """Of its baseline, millimeters."""
    text: str
    size: float
    """Points."""
    width: float
    """It is set smaller where it would be wider, millimeters."""
    align: Literal["left", "center", "right"] = "left"
    is_bold: bool = False
    is_pale: bool = False


class Line(NamedTuple):
    """A thin horizontal line."""

    page: int
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A form's pages; all of them have the same fiducials and the code in the same place.

    Of a form that exists already, there are neither fiducials nor texts, and the code's box is empty.
    """

    paper_mm: tuple[float, float]
    """Width and height."""
    pages: int
    fields: dict[str, PlacedField]
    """By name, in the template's order."""
    fiducials: tuple[Fiducial, ...]
    code: MmBox
    """Of the code's modules, without the quiet zone."""
    texts: tuple[Text, ...]
    lines: tuple[Line, ...]

    def on_page(self, page: int) -> list[PlacedField]:
        """The fields of a page, from 1."""
        return [placed for placed in self.fields.values() if placed.page == page]


class LayoutProblem(Exception):  # noqa: N818  # becomes a TemplateError where its line is known
    """A block that has no place, and why."""

    def __init__(self, block: Field | Table, key: str, problem: str) -> None:
        super().__init__(problem)
        self.block, self.key, self.problem = block, key, problem


def fiducials(paper: tuple[float, float]) -> tuple[Fiducial, ...]:
    """The eight marks: corners, and the middles of the sides; from the top left, row by row."""
    width, height = paper
    xs = (FIDUCIAL_INSET, width / 2, width - FIDUCIAL_INSET)
    ys = (FIDUCIAL_INSET, height / 2, height - FIDUCIAL_INSET)
    return tuple(
        Fiducial(x, y, is_open=column == 0 and row < 2)
        for row, y in enumerate(ys)
        for column, x in enumerate(xs)
        if (row, column) != (1, 1)
    )
