"""The fiducials of a form in a picture: nested squares, and which of the page's each one is."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Gray

LEAST_SIDE, LARGEST_SIDE = 1 / 110, 1 / 9
"""Least and largest side of a fiducial, the picture's longer sides."""
BLOCKS = (1 / 9, 1 / 22)
"""Sides of the neighborhoods that a pixel is darker than, the picture's longer sides."""
HOLE = (0.16, 0.6)
"""Least and largest area of the white within a fiducial's frame, its own areas; 0.36 as printed."""
SQUARE = 0.72
"""Least part of the smallest rectangle around it that a fiducial fills."""
FIRST, MOST = 9, 16
"""Candidates that are looked at first, and at most; the most square ones."""
NEAR = 11.0
"""How far bent paper may take a fiducial from its place, millimeters."""
LEAST_MATCHED = 6
"""Fiducials that must be found."""
ENLARGED = 1400
"""Longer side to which small pictures are enlarged for their contours, pixels."""
REDUCED = 2000
"""Longer side to which large ones are reduced, pixels."""

Points = npt.NDArray[np.int32]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mark:
    """A nested square in a picture: its center and side in pixels; `is_open` if nothing is in its middle."""

    x: float
    y: float
    side: float
    is_open: bool


@dataclass(frozen=True)
class Found:
    """The page in a picture.

    Attributes:
        homography: (3, 3), the page's millimeters -> pixels, through the corners' fiducials.
        places: (N, 2) mm of the fiducials that were found.
        seen: (N, 2) their pixels.
        is_mirrored: whether the page is seen from behind.
    """

    homography: Doubles
    places: Doubles
    seen: Doubles
    is_mirrored: bool


def find_marks(gray: Gray) -> list[Mark]:
    """All nested squares of a picture (H, W) uint8, the most square ones first."""
    longer = max(gray.shape)
    scale = min(max(1.0, ENLARGED / longer), REDUCED / longer if longer > REDUCED else 4.0)
    if scale != 1:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=method), np.uint8)
    found: list[tuple[float, Mark]] = []
    for block in BLOCKS:
        side = 2 * round(max(gray.shape) * block / 2) + 1
        dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, side, 14)
        for quality, mark in _nested(gray, np.asarray(dark, np.uint8)):
            same = [
                k
                for k, (_, one) in enumerate(found)
                if np.hypot(one.x - mark.x, one.y - mark.y) < mark.side / 2
            ]
            if not same:
                found.append((quality, mark))
            elif quality > found[same[0]][0]:
                found[same[0]] = quality, mark
    found.sort(key=lambda one: -one[0])
    half = 0.5  # pixel middles: (x + 0.5) / scale - 0.5
    return [
        Mark((mark.x + half) / scale - half, (mark.y + half) / scale - half, mark.side / scale, mark.is_open)
        for _, mark in found
    ]


def _nested(gray: Gray, dark: Gray) -> list[tuple[float, Mark]]:
    """Dark frames with white in them, and how square they are, 0 to 1."""
    contours, hierarchy = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    longer = max(gray.shape)
    found = []
    if hierarchy is None:
        return found
    links = np.asarray(hierarchy[0], np.int32)
    for index in np.flatnonzero((links[:, 3] < 0) & (links[:, 2] >= 0)).tolist():
        contour = np.asarray(contours[index], np.int32)
        child = int(links[index, 2])
        if len(contour) < 16:
            continue
        sides = cv2.boundingRect(contour)[2:]
        if max(sides) > 2 * min(sides) or not LEAST_SIDE <= max(sides) / longer <= LARGEST_SIDE:
            continue
        area = cv2.contourArea(contour) + len(contour) / 2
        (_, _), (a, b), _ = cv2.minAreaRect(contour)
        fill = area / max((a + 1) * (b + 1), 1)
        if fill < SQUARE or max(a, b) > 1.9 * min(a, b):
            continue
        hole = 0.0
        while child >= 0:
            hole = max(hole, cv2.contourArea(contours[child]))
            child = int(links[child, 0])
        if not HOLE[0] <= hole / area <= HOLE[1]:
            continue
        center = _center(contour)
        if center is None:
            continue
        is_open = _is_open(gray, contour, center)
        if is_open is None:
            continue
        quality = fill - abs(hole / area - 0.36)
        found.append((quality, Mark(*center, float(np.sqrt(area)), is_open)))
    return found


def _center(contour: Points) -> tuple[float, float] | None:
    """The middle of a quadrilateral: where its diagonals meet."""
    hull = cv2.convexHull(contour)
    for part in (0.05, 0.08, 0.11):
        corners = cv2.approxPolyDP(hull, part * cv2.arcLength(hull, True), True)
        if len(corners) == 4:
            a, b, c, d = corners[:, 0].astype(np.float64)
            system = np.column_stack([c - a, b - d])
            if abs(np.linalg.det(system)) < 1e-6:
                return None
            along, _ = np.linalg.solve(system, b - a)
            if not 0.3 < along < 0.7:
                return None
            moments = cv2.moments(contour)
            if moments["m00"] <= 0:
                return None
            # The centroid is steadier than corners of few pixels; perspective moves both less than a pixel.
            return float(moments["m10"] / moments["m00"]), float(moments["m01"] / moments["m00"])
    return None


def _is_open(gray: Gray, contour: Points, center: tuple[float, float]) -> bool | None:
    """Whether the middle is as light as the ring around it; None if neither that nor as dark as the frame."""
    outline = contour[:, 0].astype(np.float64) - center
    height, width = gray.shape

    def level(part: float) -> float:
        points = np.rint(outline * part + center).astype(np.intp)
        x, y = np.clip(points[:, 0], 0, width - 1), np.clip(points[:, 1], 0, height - 1)
        return float(np.median(gray[y, x]))

    frame, ring = level(0.82), level(0.4)
    middle = float(cv2.getRectSubPix(gray, (3, 3), center).mean())
    if ring - frame < 12:
        return None
    part = (middle - frame) / (ring - frame)
    return part > 0.55


def match(
    marks: list[Mark], places: Doubles, is_open: list[bool], corners: tuple[int, int, int, int]
) -> Found | None:
    """The page whose fiducials are among the marks; None where too few of them are.

    Args:
        marks: of the picture, the most square ones first.
        places: (N, 2) mm of the page's fiducials.
        is_open: which of them are open.
        corners: those at the page's corners, around it from the top left.
    """
    # Mostly the most square ones are all of them; each more makes four times as many ways to choose corners.
    for most in (FIRST, MOST):
        found = _match(marks[:most], places, is_open, corners)
        if found is not None and (len(found.places) == len(places) or len(marks) <= most):
            return found
    return found


def _match(
    marks: list[Mark], places: Doubles, is_open: list[bool], corners: tuple[int, int, int, int]
) -> Found | None:
    if len(marks) < LEAST_MATCHED:
        return None
    points = np.array([(mark.x, mark.y) for mark in marks])
    flags = np.array([mark.is_open for mark in marks])
    sides = np.array([mark.side for mark in marks])
    wanted = np.array(is_open)
    turned = _turned(points, flags, sides, wanted[list(corners)])
    frame = places[list(corners)].astype(np.float32)
    homographies = np.array(
        [cv2.getPerspectiveTransform(frame, points[four].astype(np.float32)) for four in turned]
    ).reshape(-1, 3, 3)
    homographies = homographies[np.linalg.det(homographies) != 0]
    return _fitted(homographies, points, flags, sides, places, wanted)


def _turned(points: Doubles, flags: Truths, sides: Doubles, wanted: Truths) -> list[list[int]]:
    """Fours of marks that may be the corners, in their order, by which of these are open."""
    chosen = np.array(list(combinations(range(len(points)), 4)))
    alike = sides[chosen].max(axis=1) <= 2.2 * sides[chosen].min(axis=1)
    alike &= flags[chosen].sum(axis=1) == wanted.sum()
    found = []
    for four in chosen[alike].tolist():
        hull = cv2.convexHull(points[four].astype(np.float32), returnPoints=False)
        if len(hull) != 4:
            continue
        around = [four[k] for k in hull[:, 0].tolist()]
        for ring in (around, around[::-1]):
            rings = (ring[start:] + ring[:start] for start in range(4))
            found += [one for one in rings if (flags[one] == wanted).all()]
    return found


def _fitted(
    homographies: Doubles, points: Doubles, flags: Truths, sides: Doubles, places: Doubles, wanted: Truths
) -> Found | None:
    """Of so many (K, 3, 3) the page whose fiducials lie nearest to marks; None if too few do with each."""
    framed = np.column_stack([points, np.ones(len(points))])
    flat = framed @ np.linalg.inv(homographies).transpose(0, 2, 1)  # (K, marks, 3)
    beyond = flat[..., 2:] == 0  # with corners that are none, a mark may lie on the horizon
    flat = np.where(beyond, np.inf, flat[..., :2]) / np.where(beyond, 1, flat[..., 2:])
    away = np.linalg.norm(flat[:, np.newaxis] - places[:, np.newaxis], axis=3)  # (K, places, marks)
    away[:, wanted[:, np.newaxis] != flags] = np.inf
    nearest, near = away.argmin(axis=2), away.min(axis=2)
    kept = near < NEAR
    best: tuple[float, int] | None = None
    for index in np.flatnonzero(kept.sum(axis=1) >= LEAST_MATCHED).tolist():
        own = nearest[index, kept[index]]
        if len(np.unique(own)) < len(own):
            continue
        cost = float(np.minimum(near[index], NEAR).sum()) + 5 * float(np.log(sides[own]).std())
        if best is None or cost < best[0]:
            best = cost, index
    if best is None:
        return None
    homography, is_kept = homographies[best[1]], kept[best[1]]
    is_mirrored = float(np.linalg.det(homography)) < 0
    return Found(homography, places[is_kept], points[nearest[best[1], is_kept]], is_mirrored)
