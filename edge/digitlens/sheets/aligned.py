"""A form as it is printed, and a page of it as it lies in a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from digitlens.config.parameters.sheets import DEFAULT, CellParameters, ForeignParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.errors import SheetError
from digitlens.core.readings import Box
from digitlens.sheets.blank import BlankPage
from digitlens.sheets.code import Code
from digitlens.sheets.displacement import Displacement
from digitlens.sheets.fields import Template
from digitlens.sheets.foreign import FeatureFinder, ForeignPage, load_pages
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import MmBox
from digitlens.sheets.plate import Print

STEP = 8
"""Distance of the points between which a map is interpolated, pixels."""
BAND = 16 * STEP
"""Height of the part of a page that is flattened at a time, pixels."""


class Form:
    """A template as it is printed: its layout, and each page drawn once.

    Attributes:
        finder: of the pages of a form that others have made; None for one with fiducials.

    Raises:
        SheetError: the blank of such a form cannot be read.
    """

    def __init__(self, template: Template, parameters: ForeignParameters = DEFAULT.foreign) -> None:
        self.template, self.layout = template, lay_out(template)
        self._pages: dict[int, BlankPage | ForeignPage] = {}
        self._prints: dict[tuple[int, float, CellParameters], Print] = {}
        self.finder: FeatureFinder | None = None
        if template.blank:
            pages = load_pages(Path(template.blank), self.layout)
            self._pages.update(pages)
            self.finder = FeatureFinder(pages, parameters)

    def page(self, page: int) -> BlankPage | ForeignPage:
        """A page, from 1."""
        if page not in self._pages:
            self._pages[page] = BlankPage(self.template, self.layout, page)
        return self._pages[page]

    def print_of(self, page: int, per_mm: float, parameters: CellParameters) -> Print:
        """A page's print, from which the ink on it is separated; made once."""
        key = page, per_mm, parameters
        if key not in self._prints:
            self._prints[key] = Print(self.page(page).darkness(per_mm), per_mm, parameters)
        return self._prints[key]

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

    def grid_in_picture(self, across: Doubles, down: Doubles) -> Doubles:
        """Places (W,) and (H,) mm across and down -> (H, W, 2) pixels at all their crossings."""
        points = np.stack(np.meshgrid(across, down), axis=-1) + self.displacement.on_grid(across, down)
        seen = cv2.perspectiveTransform(points.reshape(1, -1, 2), self.homography)
        return np.asarray(seen, np.float64).reshape(points.shape)

    def flattened(self, gray: Gray, per_mm: float) -> Gray:
        """The page alone, upright and flat, (H, W) uint8; light gray beyond the picture."""
        width, height = (round(side * per_mm) for side in self.paper_mm)
        across = (np.arange(0, width + STEP, STEP) + 0.5) / per_mm
        down = (np.arange(0, height + STEP, STEP) + 0.5) / per_mm
        seen = self.grid_in_picture(across, down).astype(np.float32)
        grow = np.array([[1 / STEP, 0, 0], [0, 1 / STEP, 0]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        method = cv2.INTER_CUBIC if self.per_mm < per_mm else cv2.INTER_LINEAR
        flat, no_second = np.empty((height, width), np.uint8), np.empty((0, 0), np.float32)
        for top in range(0, height, BAND):  # the map of a band at a time, for it is larger than the page
            tall = min(BAND, height - top)
            rows = slice(top // STEP, (top + tall) // STEP + 2)
            places = cv2.warpAffine(seen[rows], grow, (width, tall), flags=how)
            flat[top : top + tall] = cv2.remap(
                gray, places, no_second, method, borderMode=cv2.BORDER_REPLICATE
            )
        return flat

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
