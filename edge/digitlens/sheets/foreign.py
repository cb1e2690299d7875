"""Forms that others have made: their pages as the blank shows them, found again by features.

They have neither fiducials nor a code. Corners of the blank's print (ORB) are found again in the picture; a
homography that most of them agree on (RANSAC) is where the page lies, and the print's blocks refine it.
"""

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import ForeignParameters
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.errors import PictureError, SheetError
from digitlens.images import documents
from digitlens.images.document_page import Limits
from digitlens.sheets.darkness import darkness
from digitlens.sheets.pages import Layout, MmBox

Indices = npt.NDArray[np.intp]

MAX_PAGES = 20
"""Pages of a form at most."""
DPI = 200
"""Resolution at which a PDF is drawn, pixels an inch."""
FAINT = 0.04
"""Darkness below which a scan's paper is bare."""


class ForeignPage:
    """A page of a blank form, at any resolution; see BlankPage."""

    def __init__(self, gray: Gray, layout: Layout, page: int) -> None:
        self.layout, self.page = layout, page
        self._gray = gray
        self._dark: dict[float, Floats] = {}

    def shape(self, per_mm: float) -> tuple[int, int]:
        """Height and width at so many pixels a millimeter."""
        width, height = self.layout.paper_mm
        return round(height * per_mm), round(width * per_mm)

    def picture(self, per_mm: float) -> Gray:
        """(H, W) uint8."""
        height, width = self.shape(per_mm)
        return np.asarray(cv2.resize(self._gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def darkness(self, per_mm: float, modules: Gray | None = None) -> Floats:
        """(H, W) float32, 0 paper to 1 black: all print; there is no code."""
        if per_mm not in self._dark:
            dark = darkness(self.picture(per_mm), per_mm)
            dark[dark < FAINT] = 0
            self._dark[per_mm] = dark
        return self._dark[per_mm]

    def texts(self, per_mm: float) -> Gray:
        """(H, W) uint8, 255 where a text may be: nothing, for what is printed in a field is not known."""
        return np.zeros(self.shape(per_mm), np.uint8)

    @cached_property
    def fields(self) -> list[MmBox]:
        """Where its fields are."""
        return [placed.box for placed in self.layout.on_page(self.page)]


def load_pages(blank: Path, layout: Layout) -> dict[int, ForeignPage]:
    """The pages of a blank form, a PDF or a picture, on which fields are.

    Raises:
        SheetError: it cannot be read, or has fewer pages than the template.
        DependencyError: a package that reads such files is missing.
    """
    found: dict[int, ForeignPage] = {}
    try:
        for page in documents.pages(blank, str(blank), color=False, limits=Limits(pages=MAX_PAGES, dpi=DPI)):
            if page.image is None:
                raise SheetError(f"{blank}: {page.error}")
            found[page.page] = ForeignPage(np.asarray(page.image, np.uint8), layout, page.page)
    except PictureError as error:
        raise SheetError(str(error)) from error
    if len(found) < layout.pages:
        raise SheetError(
            f"{blank}: has {len(found)} pages, and the template has fields on page {layout.pages}"
        )
    return found


class FeatureFinder:
    """Finds the pages of a form in pictures."""

    def __init__(self, pages: dict[int, ForeignPage], parameters: ForeignParameters) -> None:
        self._parameters = parameters
        self._paper = next(iter(pages.values())).layout.paper_mm
        self._orb = cv2.ORB.create(parameters.features)
        self._known = {
            number: self._features(page.picture(parameters.per_mm)) for number, page in pages.items()
        }

    def find(self, gray: Gray) -> tuple[int, Doubles]:
        """The page, and the homography (3, 3) from its millimeters to the pixels of a picture (H, W).

        Raises:
            SheetError: there is none, or it is mirrored.
        """
        parameters = self._parameters
        shrink = min(1.0, parameters.longest_side / max(gray.shape))
        size = max(1, round(gray.shape[1] * shrink)), max(1, round(gray.shape[0] * shrink))
        small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        places, descriptions = self._features(small)
        best: tuple[int, int, Doubles] | None = None
        mirrored = 0
        for number, (own, described) in self._known.items():
            if len(own) < parameters.least_features or len(places) < parameters.least_features:
                continue
            good = _matched(described, descriptions, parameters.ratio)
            if len(good) < parameters.least_features:
                continue
            start, end = own[good[:, 0]] / parameters.per_mm, places[good[:, 1]] / shrink
            found, inliers = cv2.findHomography(
                start, end, cv2.RANSAC, parameters.reach / shrink, maxIters=parameters.rounds
            )
            count = 0 if found is None else int(inliers.sum())
            if count < parameters.least_features:
                continue
            homography = np.asarray(found, np.float64)
            if not _is_page(homography, self._paper, parameters.steepest):
                continue
            if np.linalg.det(homography[:2, :2]) < 0:
                mirrored = max(mirrored, count)
            elif best is None or count > best[0]:
                best = count, number, homography
        if best is None and mirrored:
            raise SheetError(
                "the page is mirrored: take the picture from the front, and let no app mirror it"
            )
        if best is None:
            raise SheetError(
                "no page of the form is found: all of it must be in the picture, sharp, and it must be the "
                "same print as the template's blank"
            )
        return best[1], best[2]

    def _features(self, gray: Gray) -> tuple[Doubles, Gray]:
        """Places (N, 2), pixels, and descriptions (N, 32) uint8 of corners, spread over the picture."""
        height, width = gray.shape
        rows, columns = self._parameters.tiles
        places, descriptions = [np.zeros((0, 2))], [np.zeros((0, 32), np.uint8)]
        self._orb.setMaxFeatures(max(1, self._parameters.features // (rows * columns)))
        for row in range(rows):
            for column in range(columns):
                mask = np.zeros(gray.shape, np.uint8)
                mask[
                    row * height // rows : (row + 1) * height // rows,
                    column * width // columns : (column + 1) * width // columns,
                ] = 255
                points, described = self._orb.detectAndCompute(gray, mask)
                if described is not None and len(points):
                    places.append(np.array([point.pt for point in points]))
                    descriptions.append(np.asarray(described, np.uint8))
        return np.concatenate(places), np.concatenate(descriptions)


def _matched(described: Gray, seen: Gray, ratio: float) -> Indices:
    """Pairs (N, 2) of the blank's corners and the picture's that look alike, none of them twice.

    The corners of a table's lines are all alike: many of the blank's would find the same one.
    """
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(described, seen, k=2)
    best: dict[int, tuple[float, int]] = {}
    for one, *other in pairs:
        if other and one.distance < ratio * other[0].distance:
            best[one.trainIdx] = min(best.get(one.trainIdx, (np.inf, 0)), (one.distance, one.queryIdx))
    return np.array([(own, other) for other, (_, own) in best.items()], np.intp).reshape(-1, 2)


def _is_page(homography: Doubles, paper: tuple[float, float], steepest: float) -> bool:
    """Whether it takes a page of so many millimeters to what a camera can see.

    All of the page is before the camera, and no corner `steepest` times as near as another.
    """
    width, height = paper
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    depths = (corners @ homography.T)[:, 2] * np.sign(homography[2, 2])
    if depths.min() <= 0 or depths.max() > steepest * depths.min():
        return False
    seen = cv2.perspectiveTransform(corners[np.newaxis, :, :2], homography)[0]
    sides = np.roll(seen, -1, axis=0) - seen
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    lengths = np.hypot(sides[:, 0], sides[:, 1]) / (width, height, width, height)
    return bool(abs(np.sign(turns).sum()) == 4 and lengths.max() < steepest * lengths.min())
