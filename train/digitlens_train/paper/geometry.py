"""Where a camera sees a canvas: turned, in perspective, bent, with the sheet's edge in the picture or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Floats, Gray

T = TypeVar("T")
Size = tuple[int, int]
"""Height and width in px."""

CELL = 8
"""Distance of the points between which a map is interpolated, in px of the picture."""
SHOWN = 77
"""Coverage (0 to 255) of a cell at half resolution from which it has the ink's class."""
RIDGE = 0.6
"""Coverage of a thin line's cells, as a fraction of the largest within one cell."""
FAINTEST = 18
"""Least coverage (0 to 255) of a thin line's cells."""


@dataclass(frozen=True)
class Pose:
    """How freely a camera is held over the canvas; shares are probabilities."""

    turn: float
    """Standard deviation of the turn, in degrees."""
    turned: float
    """Share of turns of up to 20 degrees."""
    perspective: float
    """Standard deviation of the corners' places, as a fraction of the picture's side."""
    bent: float
    """Share of bent sheets."""
    edge: float
    """Share of pictures with the sheet's edge in them."""
    zoom: tuple[float, float]
    """Least and largest size of a canvas pixel, in px of the picture."""


PATCH = Pose(turn=2.2, turned=1 / 6, perspective=0.012, bent=0.25, edge=0.25, zoom=(0.93, 1.08))
CLOSE = Pose(turn=4.0, turned=1 / 6, perspective=0.02, bent=0.15, edge=0.08, zoom=(0.95, 1.05))
SMALL = Pose(turn=1.2, turned=0.02, perspective=0.005, bent=0.1, edge=0.0, zoom=(1.0, 1.0))
SHOWN_PAGE = Pose(turn=1.2, turned=0.0, perspective=0.008, bent=0.2, edge=0.2, zoom=(0.97, 0.99))
PAGE = Pose(turn=0.6, turned=0.0, perspective=0.004, bent=0.15, edge=0.0, zoom=(0.97, 0.99))


@dataclass(frozen=True)
class Bend:
    """A wave in the paper: canvas points move across it, and a third as far along it."""

    along: float
    """Direction in radians."""
    length: float
    """Of a period, in px."""
    depth: float
    """Largest shift in px."""
    phase: float

    @classmethod
    def draw(cls, random: np.random.Generator, size: Size) -> "Bend":
        """A wave of 0.8 to 4 times the picture's side, no steeper than 1 in 6."""
        side = max(size)
        length = side * float(np.exp(random.uniform(np.log(0.8), np.log(4))))
        depth = length / (2 * np.pi) * random.uniform(0.02, 0.16)
        axis = (np.pi / 2 if random.random() < 0.5 else 0.0) + random.normal(0, 0.2)
        return cls(axis, length, depth, random.uniform(0, 2 * np.pi))

    def shift(self, points: Doubles) -> Doubles:
        """The shift (..., 2) of points (..., 2) of the picture."""
        cos, sin = np.cos(self.along), np.sin(self.along)
        wave = 2 * np.pi / self.length * (points[..., 0] * cos + points[..., 1] * sin) + self.phase
        across, forth = self.depth * np.sin(wave), self.depth / 3 * np.sin(2 * wave)
        return np.stack([forth * cos - across * sin, forth * sin + across * cos], -1)


@dataclass(frozen=True)
class View:
    """A picture of `size` (h, w): `homography` (3, 3) takes its points to the canvas, `bend` shifts them."""

    size: Size
    homography: Doubles
    bend: Bend | None
    sheet: tuple[float, float, float, float] | None
    """Left, top, right and bottom of the paper on the canvas; None where no edge is seen."""

    @classmethod
    def draw(
        cls,
        random: np.random.Generator,
        canvas: Size,
        size: Size,
        pose: Pose,
        middle: tuple[float, float] | None = None,
    ) -> "View":
        """A view of a canvas (h, w); `middle` (x, y) is the canvas point in the picture's middle.

        Without `middle` the view lies within the canvas where that is larger, and has an edge in `pose.edge`.
        """
        degrees = random.uniform(-20, 20) if random.random() < pose.turned else random.normal(0, pose.turn)
        zoom = random.uniform(*pose.zoom)
        half = np.array([size[1], size[0]]) / 2
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        strong = pick(random, (0.3, 1.0, 3.0), (0.4, 0.48, 0.12))
        seen = corners / zoom + random.normal(0, pose.perspective * strong, (4, 2)) * half.mean() * 2
        turn = np.deg2rad(degrees)
        seen = seen @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        sheet = None
        if middle is not None:
            seen += middle
        elif random.random() < pose.edge:
            shift, sheet = _at_the_edge(random, canvas, seen)
            seen += shift
        else:
            low, high = -seen.min(0), np.array(canvas[::-1]) - seen.max(0)
            seen += np.where(high > low, random.uniform(np.minimum(low, high), np.maximum(low, high)),
                             (low + high) / 2)  # fmt: skip
        bend = Bend.draw(random, size) if random.random() < pose.bent else None
        matrix = cv2.getPerspectiveTransform(
            (corners + half).astype(np.float32), seen.astype(np.float32)
        ).astype(np.float64)
        return cls(size, matrix, bend, sheet)

    def on_canvas(self, points: Doubles) -> Doubles:
        """Points (..., 2) x, y of the picture -> of the canvas."""
        seen = _project(self.homography, points)
        return seen if self.bend is None else seen + self.bend.shift(points)

    def in_picture(self, points: Doubles) -> Doubles:
        """Points (..., 2) x, y of the canvas -> of the picture."""
        inverse = np.linalg.inv(self.homography)
        found = _project(inverse, points)
        if self.bend is not None:
            for _ in range(6):
                found = _project(inverse, points - self.bend.shift(found))
        return found

    def maps(self) -> tuple[Floats, Floats]:
        """For each pixel (h, w) of the picture, the canvas point's x and y for cv2.remap."""
        height, width = self.size
        rows, columns = -(-height // CELL) + 2, -(-width // CELL) + 2
        places = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1)
        coarse = self.on_canvas((places - 0.5) * CELL) - 0.5  # corners at 0, a pixel's middle at 0.5
        full = []
        for axis in (0, 1):
            plane = np.ascontiguousarray(coarse[..., axis], np.float32)
            large = cv2.resize(plane, (columns * CELL, rows * CELL), interpolation=cv2.INTER_LINEAR)
            full.append(np.ascontiguousarray(large[CELL : CELL + height, CELL : CELL + width]))
        return np.asarray(full[0], np.float32), np.asarray(full[1], np.float32)

    def inside(self, x: Floats, y: Floats) -> Floats | None:
        """How far within the sheet each pixel lies, in canvas px, below 0 beyond it; None without an edge."""
        if self.sheet is None:
            return None
        left, top, right, bottom = (np.float32(edge) for edge in self.sheet)
        return np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))


def pick(random: np.random.Generator, things: Sequence[T], shares: Sequence[float]) -> T:
    """One of some things, of which each has its share of 1; faster than Generator.choice."""
    left = random.random()
    for thing, share in zip(things, shares, strict=True):
        left -= share
        if left < 0:
            return thing
    return things[-1]


def classes_of(cover: Gray) -> Gray:
    """Coverage (h, w, 4) of Kind 1 to 4 in a picture -> its class map (h / 2, w / 2).

    A class counts where it covers 0.3 of a cell, or along thin lines where no cell near covers much more;
    digits go before writing, print and lines.
    """
    height, width = cover.shape[:2]
    cells = cv2.resize(cover, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    peak = cv2.dilate(cells, np.ones((3, 3), np.uint8))
    least = cv2.max(cv2.convertScaleAbs(peak, alpha=RIDGE), np.full_like(peak, FAINTEST))
    shown = cells >= cv2.min(least, np.full_like(peak, SHOWN))
    classes = np.zeros((height // 2, width // 2), np.uint8)
    for kind in (4, 3, 2, 1):
        classes[shown[..., kind - 1]] = kind
    return classes


def _at_the_edge(
    random: np.random.Generator, canvas: Size, seen: Doubles
) -> tuple[Doubles, tuple[float, float, float, float]]:
    """The shift of a view's corners that brings one edge or two into it, and the sheet."""
    extent = np.array(canvas[::-1], float)
    low, high = seen.min(0), seen.max(0)
    margin = (high - low).mean() * pick(
        random, (0.0, 0.01, 0.05, 0.15), (0.5, 0.2, 0.15, 0.15)
    )  # blank paper round the writing
    sheet = np.array([-margin, -margin, extent[0] + margin, extent[1] + margin])
    sides = [int(random.integers(4))]  # left, top, right, bottom
    if random.random() < 0.25:
        sides.append((sides[0] + 1) % 4)
    reach = np.maximum(extent - (high - low), 0)
    shift = -low + random.uniform(0, 1, 2) * reach
    for side in sides:
        axis, beyond = side % 2, random.uniform(0.03, 0.4) * (high - low)[side % 2]
        shift[axis] = sheet[side] - beyond - low[axis] if side < 2 else sheet[side] + beyond - high[axis]
    hidden = [1e6 if side not in sides else 0.0 for side in range(4)]
    sheet += np.array([-hidden[0], -hidden[1], hidden[2], hidden[3]])
    left, top, right, bottom = sheet.tolist()
    return shift, (left, top, right, bottom)


def _project(matrix: Doubles, points: Doubles) -> Doubles:
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(moved[..., :2] / moved[..., 2:], np.float64)
