"""Where a hand-held camera sees a sheet: tilted, turned, bent."""

from dataclasses import replace

import numpy as np

from digitlens.core.arrays import Doubles
from digitlens_train.paper.geometry import Bend, Size, View

TILT = 25.0
"""Largest tilt of the camera against the sheet, degrees."""
DISTANCE = (1.3, 2.6)
"""Least and largest distance of the camera, in diagonals of the sheet."""
MARGIN = (0.02, 0.12)
"""Least and largest paper or table around the sheet, in sides of the picture."""
TURNED = 0.35
"""Share of sheets that lie on their side or head."""
LEANING = 6.0
"""Standard deviation of the turn besides that, degrees."""
ASKEW = 0.8
"""Standard deviation of the turn of a sheet in a scanner, degrees."""
BENT = 0.4
"""Share of bent sheets."""
STEEPNESS = 0.6
"""Their waves' depth, depths of Bend.draw: a sheet on a table is flatter than a patch of crumpled paper."""


def draw(random: np.random.Generator, canvas: Size, zoom: float, tilt: float = TILT) -> View:
    """A view of all of a canvas (h, w) on which a pixel is `zoom` pixels of the picture, on average."""
    height, width = canvas
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    middle = np.array([width, height]) / 2
    angle, lean = random.uniform(0, 2 * np.pi), np.deg2rad(tilt * np.sqrt(random.random()))
    turn = np.deg2rad(random.normal(0, LEANING)) + (
        random.integers(1, 4) * np.pi / 2 if random.random() < TURNED else 0.0
    )
    away = random.uniform(*DISTANCE) * np.hypot(width, height)
    axis = np.array([np.cos(angle), np.sin(angle), 0.0])
    turned = _turn(np.array([0.0, 0.0, 1.0]), turn) @ _turn(axis, lean)
    # The canvas, its middle at the origin, turned and seen from `away`.
    placed = np.column_stack([turned[:, 0], turned[:, 1], np.array([0.0, 0.0, away])])
    project = (
        np.diag([zoom * away, zoom * away, 1.0])
        @ placed
        @ np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    )
    low, high = _extent(_projected(project, corners))
    bend = None
    if random.random() < BENT:
        size = np.ceil(high - low).astype(int).tolist()
        bend = _bend(random, (size[1], size[0]), zoom)
        around = np.concatenate([np.linspace(one, other, 9) for one, other in zip(
            corners, np.roll(corners, -1, axis=0), strict=True)])  # fmt: skip
        whole = View((1, 1), np.linalg.inv(project), bend, None)
        low, high = _extent(whole.in_picture(around))
    room = random.uniform(*MARGIN, 2) * (high - low), random.uniform(*MARGIN, 2) * (high - low)
    wide, tall = (np.ceil((high - low + room[0] + room[1]) / 2).astype(int) * 2).tolist()
    move = room[0] - low
    if bend is not None:  # the wave moves along
        along = np.array([np.cos(bend.along), np.sin(bend.along)]) @ move
        bend = replace(bend, phase=bend.phase - 2 * np.pi / bend.length * along)
    shift = np.eye(3)
    shift[:2, 2] = move
    return View((tall, wide), np.linalg.inv(shift @ project), bend, (0.0, 0.0, float(width), float(height)))


def scanned(random: np.random.Generator, canvas: Size, zoom: float) -> View:
    """A canvas (h, w) flat under a scanner's lid, hardly turned, its edges just in the picture."""
    height, width = canvas
    turn = np.deg2rad(random.normal(0, ASKEW))
    project = np.diag([zoom, zoom, 1.0]) @ _turn(np.array([0.0, 0.0, 1.0]), turn)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    low, high = _extent(_projected(project, corners))
    room = 0.01 * (high - low)
    wide, tall = (np.ceil((high - low + 2 * room) / 2).astype(int) * 2).tolist()
    shift = np.eye(3)
    shift[:2, 2] = room - low
    return View((tall, wide), np.linalg.inv(shift @ project), None, (0.0, 0.0, float(width), float(height)))


def _extent(points: Doubles) -> tuple[Doubles, Doubles]:
    return points.min(axis=0), points.max(axis=0)


def _bend(random: np.random.Generator, size: Size, zoom: float) -> Bend:
    """A wave over the sheet, its depth in pixels of the canvas."""
    drawn = Bend.draw(random, size)
    return replace(drawn, depth=STEEPNESS * drawn.depth / zoom)


def _turn(axis: Doubles, angle: float) -> Doubles:
    """The rotation (3, 3) about a unit axis."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross, np.float64)


def _projected(matrix: Doubles, points: Doubles) -> Doubles:
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)
