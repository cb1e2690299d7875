"""A field's cells -> the ink that is written in each."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import CellParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.sheets.plate import Plate

Millimeters = tuple[float, float, float, float]
"""x, y of the upper left corner from the page's, width, height."""
Labels = npt.NDArray[np.int32]


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


def read_cells(plate: Plate, cells: Sequence[Millimeters], parameters: CellParameters) -> list[Cell]:
    """The ink of a row of cells, left to right; ink that two cells share is cut between them.

    Ink is looked for beyond the field, too, so that what belongs to a neighbor is seen in full, and left to
    it. Digits of one hand differ in darkness: each cell's ink begins at a part of its own darkness.
    """
    per_mm, height = plate.per_mm, max(cell[3] for cell in cells)
    far = max(parameters.margin, parameters.surroundings * height)
    dark, origin = _strip(plate.written, plate, cells, far)
    beside, _ = _strip(plate.beside, plate, cells, far)
    inner, _ = _strip(plate.written, plate, cells, parameters.margin)
    level = _level(inner, plate, parameters)
    levels = [_own_level(plate, cell, level, parameters) for cell in cells]
    faint = max(parameters.noises * plate.noise, parameters.faintest)
    edges = [cell[0] * per_mm - origin[0] for cell in cells[1:]]
    which = np.searchsorted(edges, np.arange(dark.shape[1]) + 0.5)
    lows = np.maximum(parameters.edge * np.array(levels, np.float32), parameters.paler * faint)
    mask = (dark > lows[which]).astype(np.uint8)
    _, found_labels, found_stats, found_centers = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels, stats = np.asarray(found_labels, np.int32), np.asarray(found_stats, np.int32)
    centers = np.asarray(found_centers, np.float64)
    peaks = np.zeros(len(stats), np.float32)
    inked = labels > 0
    np.maximum.at(peaks, labels[inked], beside[inked])
    stats[peaks < faint, cv2.CC_STAT_AREA] = 0  # nowhere darker than paper, or print a little off, may be
    owners = _owners(labels, stats, centers, cells, origin, per_mm, parameters)
    found = []
    for index, place in enumerate(cells):
        own, least = owners.get(index, []), float(lows[index])
        found.append(_cell(dark, labels, stats, own, place, origin, per_mm, max(levels[index], least)))
    return found


def _strip(
    picture: Floats, plate: Plate, cells: Sequence[Millimeters], margin: float
) -> tuple[Floats, tuple[int, int]]:
    """The paper around a row of cells, and where its upper left corner is, pixels."""
    left, top = cells[0][0] - margin, min(cell[1] for cell in cells) - margin
    right = cells[-1][0] + cells[-1][2] + margin
    bottom = max(cell[1] + cell[3] for cell in cells) + margin
    x, y = max(0, _pixel(left, plate.per_mm)), max(0, _pixel(top, plate.per_mm))
    return picture[y : _pixel(bottom, plate.per_mm), x : _pixel(right, plate.per_mm)], (x, y)


def _own_level(plate: Plate, cell: Millimeters, usual: float, parameters: CellParameters) -> float:
    """The darkness of a cell's ink, not far from what is usual in its field; that where it has too little."""
    dark, _ = _strip(plate.written, plate, [cell], 0.0)
    strong = dark[dark > max(parameters.faintest, parameters.noises * plate.noise)]
    if strong.size < parameters.least_ink * plate.per_mm**2 / 2:
        return usual
    own = _eightieth(strong)
    return float(np.clip(own, parameters.palest * usual, max(usual, own)))


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
    stats: npt.NDArray[np.int32],
    own: Sequence[_Share],
    place: Millimeters,
    origin: tuple[int, int],
    per_mm: float,
    level: float,
) -> Cell:
    """The ink that a cell holds."""
    nothing = Cell(np.zeros((0, 0), np.uint8), place, place)
    if not own:
        return nothing
    left, right = max(0, min(share.start for share in own)), max(share.end for share in own)
    if right <= left:
        return nothing
    spans = stats[[share.label for share in own]]
    top = int(spans[:, cv2.CC_STAT_TOP].min())
    bottom = int((spans[:, cv2.CC_STAT_TOP] + spans[:, cv2.CC_STAT_HEIGHT]).max())
    inside = np.zeros((bottom - top, right - left), np.uint8)
    for share in own:
        start = max(0, share.start)
        part = labels[top:bottom, start : share.end] == share.label
        inside[:, start - left : share.end - left] |= part.view(np.uint8)
    x, y, wide, tall = cv2.boundingRect(inside)
    if not wide:
        return nothing
    part = inside[y : y + tall, x : x + wide]
    x, y = x + left, y + top
    ink = np.clip(dark[y : y + tall, x : x + wide] * np.float32(255 / level), 0, 255) * part
    total = float(part.sum())
    corner = (x + origin[0]) / per_mm, (y + origin[1]) / per_mm
    edges = cv2.countNonZero(cv2.morphologyEx(part, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)))
    return Cell(
        ink.astype(np.uint8),
        (*corner, wide / per_mm, tall / per_mm),
        place,
        amount=total / (place[2] * place[3] * per_mm**2),
        pieces=len({share.label for share in own}),
        spilled=_spilled(part, corner, place, per_mm),
        cut=max(share.cut for share in own),
        level=float(np.median(dark[y : y + tall, x : x + wide][part > 0])),
        pen=2 * total / max(edges, 1) / per_mm,
    )


def measured(ink: Gray, corner: tuple[float, float], place: Millimeters, per_mm: float) -> Cell | None:
    """A cell with the ink in a picture (H, W) uint8 whose upper left is at `corner`, mm; None without ink."""
    x, y, wide, tall = cv2.boundingRect(ink)
    if not wide:
        return None
    part = ink[y : y + tall, x : x + wide]
    corner = corner[0] + x / per_mm, corner[1] + y / per_mm
    inked = (part > 0).astype(np.uint8)
    return Cell(
        part,
        (*corner, wide / per_mm, tall / per_mm),
        place,
        amount=float(inked.sum()) / (place[2] * place[3] * per_mm**2),
        pieces=1,
        spilled=_spilled(inked, corner, place, per_mm),
    )


def _spilled(part: Gray, corner: tuple[float, float], place: Millimeters, per_mm: float) -> float:
    """Part of the ink (H, W), 0 and 1, that lies beyond its cell."""
    x0, y0 = (place[0] - corner[0]) * per_mm, (place[1] - corner[1]) * per_mm
    x1, y1 = x0 + place[2] * per_mm, y0 + place[3] * per_mm
    within = part[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))]
    return 1 - float(within.sum()) / float(part.sum())


def _level(dark: Floats, plate: Plate, parameters: CellParameters) -> float:
    """The darkness of a strip's ink; the page's where the strip has too little of its own."""
    strong = dark[dark > max(parameters.faintest, parameters.noises * plate.noise)]
    if strong.size < parameters.least_ink * plate.per_mm**2:
        return plate.level
    return _eightieth(strong)


def _eightieth(values: Floats) -> float:
    """The 80th percentile; for a few hundred values NumPy's own takes ten times as long."""
    place, between = divmod(0.8 * (len(values) - 1), 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    below, above = np.partition(values, (low, high))[[low, high]].tolist()
    return float(below + between * (above - below))


def _pixel(millimeters: float, per_mm: float) -> int:
    return round(millimeters * per_mm)
