"""A field's cells -> the ink that is written in each, without the form's own print."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Floats, Gray

Millimeters = tuple[float, float, float, float]
"""x, y of the upper left corner from the page's, width, height."""
Labels = npt.NDArray[np.int32]

BARE = 0.02
"""Darkness of the print up to which paper is bare."""
MOST_GRAIN = 0.3
"""Darkness of bare paper up to which it is grain."""
MOST_NOISE = 0.1
"""Largest standard deviation of its darkness that is believed; more is ink."""


@dataclass(frozen=True)
class Cell:
    """What is written in a cell.

    Attributes:
        ink: (H, W) uint8, white ink on black, the bounding box of the ink; empty without ink.
        box: of the ink, millimeters from the page's upper left.
        place: the cell's own box, millimeters.
        amount: the ink's area as a part of the cell's.
        pieces: how many pieces of ink, specks left out.
        spilled: part of the ink that lies beyond the cell.
        cut: part of the ink's height that was cut from a neighboring cell's.
        level: the ink's darkness, 0 to 1.
        pen: width of its strokes, millimeters.
    """

    ink: Gray
    box: Millimeters
    place: Millimeters
    amount: float = 0.0
    pieces: int = 0
    spilled: float = 0.0
    cut: float = 0.0
    level: float = 0.0
    pen: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is no ink at all."""
        return self.ink.size == 0


@dataclass(frozen=True)
class Plate:
    """A flattened page: what is dark on it, and what is printed; (H, W) float32 darkness each.

    Attributes:
        written: darkness beside the print, 0 to 1.
        printed: the blank page's darkness.
        per_mm: pixels a millimeter.
        noise: standard deviation of the darkness of bare paper.
        level: darkness of the page's ink; 0 where there is none.
    """

    written: Floats
    printed: Floats
    per_mm: float
    noise: float
    level: float


def without_print(seen: Floats, blank: Floats, per_mm: float, parameters: CellParameters) -> Plate:
    """A flattened page and the blank one, (H, W) float32 darkness each -> the ink beside the print.

    Light passes ink and the line under it one after the other: dividing by the line's part leaves the ink's.
    """
    soft = cv2.GaussianBlur(blank, (0, 0), max(0.3, parameters.print_blur * per_mm))
    lined = soft > 0.04
    # The light is estimated from the brightest places near: grainy paper is a little darker than that.
    bare = seen[cv2.blur(soft, (5, 5)) < BARE][::7]
    middle, high = np.percentile(bare, (50, 84)) if bare.size else (0.0, 0.0)
    noise = min(float(high - middle), MOST_NOISE)
    if middle < MOST_GRAIN:
        seen = np.maximum(seen - np.float32(middle), 0) * np.float32(1 / (1 - middle))
    gain = 1.0
    if lined.any():
        ratio = seen[lined & (soft < 0.6)] / soft[lined & (soft < 0.6)]
        gain = float(np.clip(np.median(ratio), 0.2, 1.6)) if ratio.size else 1.0
    side = 2 * max(1, round(parameters.print_margin * per_mm)) + 1
    around = cv2.dilate(soft, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    light = np.maximum(1 - gain * around, np.float32(parameters.least_light))
    written = 1 - (1 - seen) / light
    written[around > parameters.solid_print] = 0
    written = np.clip(written, 0, 1).astype(np.float32)
    return Plate(written, np.asarray(around, np.float32), per_mm, noise, 0.0)


def read_cells(plate: Plate, cells: Sequence[Millimeters], parameters: CellParameters) -> list[Cell]:
    """The ink of a row of cells, left to right; ink that two cells share is cut between them."""
    x0, y0 = cells[0][0], min(cell[1] for cell in cells)
    x1 = cells[-1][0] + cells[-1][2]
    y1 = max(cell[1] + cell[3] for cell in cells)
    margin = parameters.margin
    left, top = _pixel(x0 - margin, plate.per_mm), _pixel(y0 - margin, plate.per_mm)
    right, bottom = _pixel(x1 + margin, plate.per_mm), _pixel(y1 + margin, plate.per_mm)
    height, width = plate.written.shape
    dark = plate.written[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    left, top = max(0, left), max(0, top)
    level = _level(dark, plate, parameters)
    least = max(parameters.edge * level, parameters.noises * plate.noise, parameters.faintest)
    mask = (dark > least).astype(np.uint8)
    _, found_labels, found_stats, found_centers = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels, stats = np.asarray(found_labels, np.int32), np.asarray(found_stats, np.int32)
    centers = np.asarray(found_centers, np.float64)
    owners = _owners(labels, stats, centers, cells, (left, top), plate.per_mm, parameters)
    found = []
    for index, place in enumerate(cells):
        own = owners.get(index, [])
        found.append(
            _cell(dark, labels, own, place, (left, top), plate.per_mm, max(level, least), parameters)
        )
    return found


@dataclass(frozen=True)
class _Share:
    """A piece of ink, or the columns of it from `start` to `end`, that belong to a cell."""

    label: int
    start: int
    end: int
    cut: float = 0.0


def _owners(
    labels: Labels,
    stats: npt.NDArray[np.int32],
    centers: npt.NDArray[np.float64],
    cells: Sequence[Millimeters],
    origin: tuple[int, int],
    per_mm: float,
    parameters: CellParameters,
) -> dict[int, list[_Share]]:
    """Which pieces of ink are written in which cell."""
    edges = [cell[0] * per_mm - origin[0] for cell in cells]
    edges.append((cells[-1][0] + cells[-1][2]) * per_mm - origin[0])
    top, bottom = cells[0][1] * per_mm - origin[1], (cells[0][1] + cells[0][3]) * per_mm - origin[1]
    speck = parameters.speck * per_mm
    owners: dict[int, list[_Share]] = {}
    for label in range(1, len(stats)):
        x, y, wide, tall, area = stats[label].tolist()
        if max(wide, tall) < speck or area < 3:
            continue
        middle = centers[label]
        slack = parameters.beyond * (bottom - top)
        if not top - slack / 2 < middle[1] < bottom + slack / 2:
            continue
        ends = edges[0] - slack, edges[-1] + slack
        if not ends[0] < middle[0] < ends[1]:
            continue
        columns = (labels[y : y + tall, x : x + wide] == label).sum(axis=0).astype(np.float64)
        shares = _shares(columns, x, edges, parameters)
        for index, start, end, cut in shares:
            owners.setdefault(index, []).append(_Share(label, start, end, cut / max(1.0, bottom - top)))
    return owners


def _shares(
    columns: npt.NDArray[np.float64], x: int, edges: Sequence[float], parameters: CellParameters
) -> list[tuple[int, int, int, float]]:
    """Cell, first and last column, ink cut through, for a piece whose columns hold so much ink from x."""
    places = x + 0.5 + np.arange(len(columns))
    which = np.clip(np.searchsorted(edges, places) - 1, 0, len(edges) - 2)
    held = np.bincount(which, columns, len(edges) - 1)
    main = int(held.argmax())
    pitch = (edges[-1] - edges[0]) / (len(edges) - 1)
    reach = np.array(
        [np.ptp(places[which == k]) if (which == k).any() else 0.0 for k in range(len(edges) - 1)]
    )
    real = [
        k
        for k in np.flatnonzero(held).tolist()
        if held[k] >= parameters.least_share * columns.sum() and reach[k] >= parameters.least_reach * pitch
    ]
    if len(real) < 2 or len(columns) < parameters.widest_digit * pitch:
        return [(main, x, x + len(columns), 0.0)]
    shares, start, before = [], x, 0.0
    for k in real[:-1]:
        near = np.abs(places - edges[k + 1])
        allowed = near < parameters.cut_reach * pitch
        cost = columns + 0.02 * near
        cost[~allowed] = np.inf
        at = int(np.argmin(cost))
        cut = float(columns[at])
        shares.append((k, start, x + at, max(before, cut)))
        start, before = x + at, cut
    shares.append((real[-1], start, x + len(columns), before))
    return shares


def _cell(
    dark: Floats,
    labels: Labels,
    own: Sequence[_Share],
    place: Millimeters,
    origin: tuple[int, int],
    per_mm: float,
    level: float,
    parameters: CellParameters,
) -> Cell:
    """The ink that a cell holds."""
    nothing = Cell(np.zeros((0, 0), np.uint8), place, place)
    if not own:
        return nothing
    inside = np.zeros(labels.shape, np.uint8)
    for share in own:
        columns = slice(max(0, share.start), share.end)
        inside[:, columns] |= (labels[:, columns] == share.label).astype(np.uint8)
    x, y, wide, tall = cv2.boundingRect(inside)
    if not wide:
        return nothing
    part = inside[y : y + tall, x : x + wide]
    ink = np.clip(dark[y : y + tall, x : x + wide] * np.float32(255 / level), 0, 255) * part
    total = float(part.sum())
    x0, y0 = place[0] * per_mm - origin[0] - x, place[1] * per_mm - origin[1] - y
    x1, y1 = x0 + place[2] * per_mm, y0 + place[3] * per_mm
    within = part[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))]
    edges = cv2.countNonZero(cv2.morphologyEx(part, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)))
    return Cell(
        ink.astype(np.uint8),
        ((x + origin[0]) / per_mm, (y + origin[1]) / per_mm, wide / per_mm, tall / per_mm),
        place,
        amount=total / (place[2] * place[3] * per_mm**2),
        pieces=len({share.label for share in own}),
        spilled=1 - float(within.sum()) / total,
        cut=max(share.cut for share in own),
        level=float(np.median(dark[y : y + tall, x : x + wide][part > 0])),
        pen=2 * total / max(edges, 1) / per_mm,
    )


def _level(dark: Floats, plate: Plate, parameters: CellParameters) -> float:
    """The darkness of a strip's ink; the page's where the strip has too little of its own."""
    strong = dark[dark > max(parameters.faintest, parameters.noises * plate.noise)]
    if strong.size < parameters.least_ink * plate.per_mm**2:
        return plate.level
    return float(np.percentile(strong, 80))


def _pixel(millimeters: float, per_mm: float) -> int:
    return round(millimeters * per_mm)
