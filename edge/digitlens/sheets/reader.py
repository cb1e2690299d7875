"""SheetReader: a picture of a filled-in page -> its values."""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from digitlens.config.parameters.sheets import DEFAULT, SheetParameters
from digitlens.core.arrays import Doubles, Gray, Pixels
from digitlens.models.classifier import Classifier
from digitlens.models.perceptron import Perceptron
from digitlens.sheets import marks
from digitlens.sheets.align import align
from digitlens.sheets.aligned import Aligned, Form
from digitlens.sheets.cells import Cell, read_cells
from digitlens.sheets.darkness import darkness
from digitlens.sheets.decisions import Hypotheses
from digitlens.sheets.fields import Template
from digitlens.sheets.foreign import ForeignPage
from digitlens.sheets.freely import FreeReader
from digitlens.sheets.marks import mark_probabilities
from digitlens.sheets.pages import MmBox, PlacedField, pixels_around
from digitlens.sheets.plate import Plate, without_print
from digitlens.sheets.probabilities import CellReader
from digitlens.sheets.readings import FieldReading, PageReading
from digitlens.sheets.residue import without_residue
from digitlens.sheets.rules import decide

LEAST_LEVEL, FEWEST_INKED = 0.25, 50
"""Darkness of pixels that tell how dark a page's ink is, and how many of them there must be."""
CROP_MARGIN = 3.0
"""Paper around a field in its crop, millimeters."""


@dataclass(frozen=True)
class PageCells:
    """A page's alignment, its flat picture, and the ink of its written fields' cells.

    Attributes:
        flat: (H, W) uint8, the page upright and flat at the plate's resolution.
    """

    aligned: Aligned
    flat: Gray
    plate: Plate
    cells: dict[str, list[Cell]]

    def crop(self, box: MmBox) -> Gray:
        """The paper around a box of the page, (h, w) uint8."""
        return self.flat[pixels_around(box, CROP_MARGIN, self.plate.per_mm)]


@dataclass(frozen=True)
class SeenPage:
    """A page before its rules were asked: `hypotheses` of each field, as rules.decide takes."""

    page: PageCells
    hypotheses: dict[str, Hypotheses]


def cells_of(image: Pixels, form: Form, parameters: SheetParameters) -> PageCells:
    """Align the page in a picture (H, W) gray or (H, W, 3) BGR uint8, and find the ink in its cells.

    Raises:
        SheetError: there is no page of this form, or it cannot be aligned.
    """
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) if image.ndim == 3 else image
    aligned = align(gray, form, parameters.alignment)
    low, high = parameters.cells.per_mm
    per_mm = float(np.clip(round(aligned.per_mm), low, high))  # whole, for pages are drawn once at each
    flat = aligned.flattened(gray, per_mm)
    plate = _plate(flat, form, aligned.code.page, per_mm, parameters)
    cells = {
        placed.field.name: read_cells(plate, placed.cells, parameters.cells)
        for placed in form.layout.on_page(aligned.code.page)
        if not placed.field.is_marked
    }
    return PageCells(aligned, flat, plate, cells)


def _plate(flat: Gray, form: Form, number: int, per_mm: float, parameters: SheetParameters) -> Plate:
    page, cells = form.page(number), parameters.cells
    blank = form.print_of(number, per_mm, cells)
    plate = without_print(darkness(flat, per_mm), blank, cells)
    if isinstance(page, ForeignPage):
        least = max(cells.paler * cells.faintest, cells.noises * plate.noise)
        plate = without_residue(plate, blank.dark, least, parameters.foreign)
    plate.written[page.texts(per_mm) > 0] = 0
    inside = np.zeros(plate.written.shape, bool)
    for placed in page.layout.on_page(page.page):
        x, y, wide, tall = (_pixel(side, per_mm) for side in placed.box)
        inside[y : y + tall, x : x + wide] = True
    inked = plate.written[inside & (plate.written > max(LEAST_LEVEL, cells.noises * plate.noise))]
    level = float(np.percentile(inked, 70)) if inked.size > FEWEST_INKED else 0.0
    return replace(plate, level=level)


class SheetReader:
    """Reads pictures of one form; make one with `SheetReader.load`."""

    def __init__(
        self, form: Form, cells: CellReader, mark_network: Perceptron, free: FreeReader,
        parameters: SheetParameters = DEFAULT,
    ) -> None:  # fmt: skip
        self.form, self._cells, self._free, self._parameters = form, cells, free, parameters
        self._marks = mark_network

    @classmethod
    def load(
        cls, template: Template, classifier: Classifier | None = None, parameters: SheetParameters = DEFAULT
    ) -> Self:
        """A reader of a template's pages with the shipped networks, or with another digit network.

        Raises:
            ModelError: a network is missing, or does not fit its card.
            DependencyError: the extra `sheets`, or a TFLite interpreter, is not installed.
            SheetError: the blank of a form that others have made cannot be read.
        """
        classifier = Classifier.load() if classifier is None else classifier
        cells = CellReader.load(classifier, parameters.cells)
        mark_network = Perceptron.load(marks.DEFAULT_MODEL, len(marks.FEATURES))
        form = Form(template, parameters.foreign)
        return cls(form, cells, mark_network, FreeReader(classifier), parameters)

    def read(self, image: Pixels, source: str = "", size: tuple[int, int] | None = None) -> PageReading:
        """The values of the page in a picture (H, W) gray or (H, W, 3) BGR uint8.

        `size` is the file's own width and height, which the boxes are given in; None: the picture's.

        Raises:
            SheetError: there is no page of this form, or it cannot be aligned.
        """
        return self.decided(self.seen(image), source, _scale(image, size))

    def seen(self, image: Pixels) -> SeenPage:
        """Align the page in a picture, and look at its cells.

        Raises:
            SheetError: there is no page of this form, or it cannot be aligned.
        """
        page = cells_of(image, self.form, self._parameters)
        return SeenPage(page, self._hypotheses(page))

    def decided(self, seen: SeenPage, source: str, scale: tuple[float, float] = (1.0, 1.0)) -> PageReading:
        """A page's values, its template's rules kept; boxes are multiplied by `scale`, across and down."""
        decisions = decide(seen.hypotheses, self.form.template)
        fields = {}
        across, down = scale
        places = [self.form.layout.fields[name].box for name in seen.hypotheses]
        boxes = seen.page.aligned.boxes(places)
        for name, (x, y, wide, tall) in zip(seen.hypotheses, boxes, strict=True):
            one = decisions[name]
            box = round(x * across), round(y * down), round(wide * across), round(tall * down)
            fields[name] = FieldReading(one.value, one.raw, one.confidence, one.state, one.reason, box)
        code = seen.page.aligned.code
        return PageReading(
            source, code.page, code.name, code.serial, round(seen.page.aligned.residual_mm, 3), fields
        )

    def _hypotheses(self, page: PageCells) -> dict[str, Hypotheses]:
        """Of each field in the template's order; all written cells are read together."""
        combs = {
            placed.field.name: page.cells[placed.field.name]
            for placed in self._placed(page)
            if placed.field.is_comb and not placed.field.is_marked
        }
        found = self._cells.probabilities(list(combs.values()), page.aligned.per_mm, page.plate)
        written = dict(zip(combs, found, strict=True))
        return {placed.field.name: self._of(placed, page, written) for placed in self._placed(page)}

    def _placed(self, page: PageCells) -> list[PlacedField]:
        return self.form.layout.on_page(page.aligned.code.page)

    def _of(self, placed: PlacedField, page: PageCells, written: dict[str, Doubles]) -> Hypotheses:
        """What may stand in a field; `written` has the combs."""
        name = placed.field.name
        if placed.field.is_marked:
            parameters, is_blackened = self._parameters.cells, placed.field.blackened
            return mark_probabilities(page.plate, placed.cells, self._marks, parameters, is_blackened)
        if placed.field.is_comb:
            return written[name]
        return self._free.readings(page.plate, placed.box, page.cells[name])


def _scale(image: Pixels, size: tuple[int, int] | None) -> tuple[float, float]:
    return (1.0, 1.0) if size is None else (size[0] / image.shape[1], size[1] / image.shape[0])


def _pixel(millimeters: float, per_mm: float) -> int:
    return max(0, round(millimeters * per_mm))
