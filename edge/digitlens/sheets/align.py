"""A picture of a filled-in form -> where each millimeter of the page is in it."""

import cv2
import numpy as np

from digitlens.config.parameters.sheets import AlignmentLevel, AlignmentParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.errors import SheetError
from digitlens.sheets import codes, fiducials
from digitlens.sheets.aligned import Aligned, Form
from digitlens.sheets.blank import BlankPage
from digitlens.sheets.code import Code
from digitlens.sheets.darkness import darkness
from digitlens.sheets.displacement import Displacement, Match, match_blocks
from digitlens.sheets.foreign import FeatureFinder, ForeignPage
from digitlens.sheets.pages import Layout

CORNERS = (0, 2, 7, 5)
"""Of a layout's fiducials those at the corners, around the page from the top left."""


def align(gray: Gray, form: Form, parameters: AlignmentParameters) -> Aligned:
    """Find a form's page in a picture (H, W) uint8, however it is turned.

    Raises:
        SheetError: no page is seen, or it is cut off, blurred, too small or mirrored.
    """
    if form.finder is not None:
        return _foreign(gray, form, form.finder, parameters)
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


def _foreign(gray: Gray, form: Form, finder: FeatureFinder, parameters: AlignmentParameters) -> Aligned:
    """The page of a form that others have made."""
    number, homography = finder.find(gray)
    paper = form.layout.paper_mm
    code = Code(form.template.name, form.template.version, number, 0)
    flat = Aligned(code, homography, Displacement.flat(paper), paper, 0.0)
    if flat.per_mm < parameters.least_per_mm:
        raise SheetError(
            f"the page is too small in the picture, {flat.per_mm:.1f} pixels a millimeter: come closer"
        )
    return _refined(gray, flat, code, form.page(number), parameters)


def _anchors(found: fiducials.Found, layout: Layout, parameters: AlignmentParameters) -> Displacement:
    """The displacement that the fiducials between the corners show."""
    inverse = np.linalg.inv(found.homography)
    flat = cv2.perspectiveTransform(found.seen[np.newaxis], inverse)[0]
    shifts = np.asarray(flat, np.float64) - found.places
    weights = np.tile(np.eye(2), (len(shifts), 1, 1))
    match = Match(found.places, shifts, weights)
    return Displacement.flat(layout.paper_mm).fitted(match, parameters.anchor_stiffness, 1.0)


def _refined(
    gray: Gray, flat: Aligned, code: Code, blank: BlankPage | ForeignPage, parameters: AlignmentParameters
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
    if side:
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
