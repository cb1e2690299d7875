"""A picture of a filled-in form -> where each millimeter of the page is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digitlens.config.parameters.sheets import AlignmentLevel, AlignmentParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.errors import SheetError
from digitlens.core.readings import Box
from digitlens.sheets import codes, fiducials
from digitlens.sheets.blank import BlankPage
from digitlens.sheets.code import Code
from digitlens.sheets.darkness import darkness
from digitlens.sheets.displacement import Displacement, Match, match_blocks
from digitlens.sheets.fields import Template
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import Layout, MmBox

CORNERS = (0, 2, 7, 5)
"""Of a layout's fiducials those at the corners, around the page from the top left."""
STEP = 8
"""Distance of the points between which a map is interpolated, pixels."""


class Form:
    """A template as it is printed: its layout, and each page drawn once."""

    def __init__(self, template: Template) -> None:
        self.template, self.layout = template, lay_out(template)
        self._pages: dict[int, BlankPage] = {}

    def page(self, page: int) -> BlankPage:
        """A page, from 1."""
        if page not in self._pages:
            self._pages[page] = BlankPage(self.template, self.layout, page)
        return self._pages[page]

    def check(self, code: Code) -> None:
        """Raise SheetError for the code of another form, or of a page that this one has not."""
        own = self.template
        if code.name != own.name:
            raise SheetError(f"it is a page of {code.name}, and the template is {own.name}")
        if code.version != own.version:
            raise SheetError(
                f"it was printed from another version of {own.name}, {code.version}; the template is "
                f"{own.version} now: read it with the template that it was printed from"
            )
        if code.page > self.layout.pages:
            raise SheetError(f"its code says page {code.page}, and {own.name} has {self.layout.pages}")


@dataclass(frozen=True)
class Aligned:
    """A page in a picture.

    Attributes:
        code: what its code says.
        homography: (3, 3), flat millimeters -> pixels of the picture, whose middles are whole numbers.
        displacement: how the paper is bent beside that.
        paper_mm: the page's width and height.
        residual_mm: how far its print still lies beside its place, the 90th percentile.
    """

    code: Code
    homography: Doubles
    displacement: Displacement
    paper_mm: tuple[float, float]
    residual_mm: float

    def in_picture(self, points: Doubles) -> Doubles:
        """Points (N, 2) mm of the page -> (N, 2) pixels."""
        moved = points + self.displacement.at(points)
        return np.asarray(cv2.perspectiveTransform(moved[np.newaxis], self.homography)[0], np.float64)

    @cached_property
    def per_mm(self) -> float:
        """Pixels of the picture a millimeter in the page's middle, the smaller of both directions."""
        middle = np.array(self.paper_mm) / 2
        around = self.in_picture(middle + np.array([[-5, 0], [5, 0], [0, -5], [0, 5]], np.float64))
        return float(min(np.hypot(*(around[1] - around[0])), np.hypot(*(around[3] - around[2]))) / 10)

    def flattened(self, gray: Gray, per_mm: float) -> Gray:
        """The page alone, upright and flat, (H, W) uint8; light gray beyond the picture."""
        width, height = (round(side * per_mm) for side in self.paper_mm)
        across = (np.arange(0, width + STEP, STEP) + 0.5) / per_mm
        down = (np.arange(0, height + STEP, STEP) + 0.5) / per_mm
        points = np.stack(np.meshgrid(across, down), axis=-1) + self.displacement.on_grid(across, down)
        seen = cv2.perspectiveTransform(points.reshape(1, -1, 2), self.homography)
        seen = seen.reshape(*points.shape).astype(np.float32)
        grow = np.array([[1 / STEP, 0, 0], [0, 1 / STEP, 0]])
        maps = [
            cv2.warpAffine(
                np.ascontiguousarray(seen[..., axis]),
                grow,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            )
            for axis in (0, 1)
        ]
        method = cv2.INTER_CUBIC if self.per_mm < per_mm else cv2.INTER_LINEAR
        flat = cv2.remap(gray, maps[0], maps[1], method, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(flat, np.uint8)

    def boxes(self, boxes: Sequence[MmBox]) -> list[Box]:
        """Boxes of the page -> the upright boxes around them in the picture, pixels."""
        corners = [
            (x + i * wide, y + j * tall)
            for x, y, wide, tall in boxes
            for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
        ]
        seen = self.in_picture(np.array(corners, np.float64).reshape(-1, 2)).reshape(-1, 4, 2)
        low, high = np.floor(seen.min(axis=1)).astype(int), np.ceil(seen.max(axis=1)).astype(int)
        return [
            (x, y, right - x, bottom - y)
            for (x, y), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True)
        ]


def align(gray: Gray, form: Form, parameters: AlignmentParameters) -> Aligned:
    """Find a form's page in a picture (H, W) uint8, however it is turned.

    Raises:
        SheetError: no page is seen, or it is cut off, blurred, too small or mirrored.
    """
    layout = form.layout
    marks = fiducials.find_marks(gray)
    places = np.array([(mark.x, mark.y) for mark in layout.fiducials])
    is_open = [mark.is_open for mark in layout.fiducials]
    found = fiducials.match(marks, places, is_open, CORNERS)
    if found is None:
        raise SheetError(codes.why_not(gray, len(marks)))
    if found.is_mirrored:
        raise SheetError("the page is mirrored: take the picture from the front, and let no app mirror it")
    anchors = _anchors(found, layout, parameters)
    flat = Aligned(Code("", "", 1, 0), found.homography, anchors, layout.paper_mm, 0.0)
    code = codes.read(gray, flat, layout.code, form)
    if flat.per_mm < parameters.least_per_mm:
        raise SheetError(
            f"the page is too small in the picture, {flat.per_mm:.1f} pixels a millimeter: come closer"
        )
    form.check(code)
    return _refined(gray, flat, code, form.page(code.page), parameters)


def _anchors(found: fiducials.Found, layout: Layout, parameters: AlignmentParameters) -> Displacement:
    """The displacement that the fiducials between the corners show."""
    inverse = np.linalg.inv(found.homography)
    flat = cv2.perspectiveTransform(found.seen[np.newaxis], inverse)[0]
    shifts = np.asarray(flat, np.float64) - found.places
    weights = np.tile(np.eye(2), (len(shifts), 1, 1))
    match = Match(found.places, shifts, weights)
    return Displacement.flat(layout.paper_mm).fitted(match, parameters.anchor_stiffness, 1.0)


def _refined(
    gray: Gray, flat: Aligned, code: Code, blank: BlankPage, parameters: AlignmentParameters
) -> Aligned:
    """The same page with its displacement fitted to its print."""
    layout = blank.layout
    found = Aligned(code, flat.homography, flat.displacement, layout.paper_mm, 0.0)
    residual = 0.0
    modules = code.modules
    for level in parameters.levels:
        per_mm = level.per_mm
        points, blocks = _blocks(layout, code.page, level)
        seen = np.minimum(darkness(found.flattened(gray, per_mm), per_mm), parameters.cap)
        printed = np.minimum(blank.darkness(per_mm, modules), parameters.cap)
        match = match_blocks(printed, seen, points, blocks, level.reach, per_mm)
        if len(match.points) < parameters.least_blocks and level is parameters.levels[0]:
            raise SheetError("its print is too blurred or too pale to be aligned: take the picture again")
        displacement = found.displacement.fitted(match, level.stiffness, level.scale)
        beside = match.shifts + found.displacement.at(match.points) - displacement.at(match.points)
        residual = _beside(beside, match.weights)
        found = Aligned(code, flat.homography, displacement, layout.paper_mm, residual)
    return found


def _blocks(layout: Layout, page: int, level: AlignmentLevel) -> tuple[Doubles, list[tuple[float, float]]]:
    """Middles (N, 2) and sizes of what is looked for.

    That is the fiducials, the code, and either a grid of large blocks, or the combs, of long ones both ends.
    """
    points: list[tuple[float, float]] = [(mark.x, mark.y) for mark in layout.fiducials]
    blocks: list[tuple[float, float]] = [(12.0, 12.0)] * len(points)
    x, y, side, _ = layout.code
    points.append((x + side / 2, y + side / 2))
    blocks.append((side + 2, side + 2))
    if level.grid:
        width, height = layout.paper_mm
        across, down = np.arange(level.grid, width, level.grid), np.arange(level.grid, height, level.grid)
        places = [(x, y) for y in down.tolist() for x in across.tolist()]
        return np.array(points + places), blocks + [(2 * level.grid, 1.6 * level.grid)] * len(places)
    combs: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for placed in layout.on_page(page):
        x, y, wide, tall = placed.box
        ends = (
            ((x + wide / 2, wide),) if wide < 36 else ((x + wide / 4, wide / 2), (x + 3 * wide / 4, wide / 2))
        )
        margin = 2 * level.margin
        combs += [((middle, y + tall / 2), (length + margin, tall + margin)) for middle, length in ends]
    step = max(1.0, len(combs) / level.most_blocks)
    for k in range(min(len(combs), level.most_blocks)):
        point, block = combs[int(k * step)]
        points.append(point)
        blocks.append(block)
    return np.array(points), blocks


def _beside(beside: Doubles, weights: Doubles) -> float:
    """The 90th percentile of deviations (N, 2) mm, each along the direction that its weights know best."""
    _, vectors = np.linalg.eigh(weights)
    along = np.einsum("ni,ni->n", beside, vectors[:, :, -1])
    return float(np.percentile(np.abs(along), 90)) if len(along) else 0.0
