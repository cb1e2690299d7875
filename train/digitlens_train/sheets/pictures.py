"""Pictures of filled-in sheets, with what is written on them and where each millimeter lies."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Gray
from digitlens.core.errors import SheetError
from digitlens.images import documents
from digitlens.images.document_page import Limits
from digitlens.sheets import printing
from digitlens.sheets.blank import MASTER, scaled
from digitlens.sheets.code import Code
from digitlens.sheets.fields import Template
from digitlens.sheets.foreign import MAX_PAGES
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import Layout
from digitlens_train.paper import camera
from digitlens_train.paper.geometry import View, pick
from digitlens_train.paper.hand import Source
from digitlens_train.paper.material import Material
from digitlens_train.sheets import filling, values, views
from digitlens_train.sheets.filling import Filler, Strike
from digitlens_train.sheets.values import Written

DIGITS = (8.0, 60.0)
"""Least and largest height of a digit in the picture, drawn log-uniformly, pixels."""
LEAST_PER_MM = 3.0
"""Resolution of the page that a hand writes on, at least, pixels a millimeter."""
SHARES = (0.65, 0.35)
"""Share of phones and of live cameras."""


@dataclass(frozen=True)
class SheetPicture:
    """A photographed page.

    Attributes:
        gray: (H, W) uint8.
        code: what the page's code says.
        written: what is written in each field.
        strikes: the cells that are struck out, by field and number.
        digit: height of its digits in the picture, pixels.
        per_mm: pixels of the picture a millimeter, on average.
    """

    gray: Gray
    code: Code
    written: dict[str, Written]
    strikes: dict[tuple[str, int], Strike]
    digit: float
    per_mm: float
    view: View
    canvas_per_mm: float

    def in_picture(self, points: Doubles) -> Doubles:
        """Points (N, 2) mm of the page -> (N, 2) pixels, whose middles are whole numbers."""
        return self.view.in_picture(points * self.canvas_per_mm) - 0.5


def draw(
    random: np.random.Generator,
    material: Material,
    template: Template,
    source: Source | None = None,
    strikes: float = 0.0,
    serial: int = 0,
    page: int = 1,
    digits: tuple[float, float] = DIGITS,
    tilt: float = views.TILT,
    is_scanned: bool = False,
) -> SheetPicture:
    """A page of a template, filled in by one hand and photographed.

    Args:
        random: where chance comes from.
        material: hands.
        template: the form.
        source: of the hand's digits; None: any.
        strikes: share of the cells that are struck out.
        serial: that the page's code has.
        page: the page.
        digits: least and largest height of a digit, pixels.
        tilt: largest of a camera, degrees.
        is_scanned: whether the page lies in a scanner, and not before a camera.
    """
    layout = lay_out(template)
    written = values.draw(random, template)
    struck = _strikes(random, layout, page, written, strikes)
    digit = float(np.exp(random.uniform(*np.log(digits))))
    cell = float(np.median([placed.field.cell_mm[1] for placed in layout.on_page(page)]))
    # The hand is drawn with the page; its mean size stands for it here.
    per_mm = digit / (float(np.mean(filling.HEIGHTS)) * cell)
    canvas_per_mm = max(per_mm, LEAST_PER_MM)
    code = Code(template.name, template.version, page, serial)
    tone = print_tone(template, layout, code, canvas_per_mm)
    filler = Filler(tone, random, material, canvas_per_mm, cell, source)
    filler.fill(layout, page, written, struck)
    zoom = per_mm / canvas_per_mm
    canvas = tone.shape[0], tone.shape[1]
    if is_scanned:
        view, device = views.scanned(random, canvas, zoom), camera.SCANNER
    else:
        view = views.draw(random, canvas, zoom, tilt)
        device = pick(random, (camera.PHONE, camera.LIVE), SHARES)
    gray = camera.shoot(filler.canvas.tone, random, view, device, digit, 1 / zoom)
    return SheetPicture(gray, code, written, struck, digit, per_mm, view, canvas_per_mm)


def _strikes(
    random: np.random.Generator, layout: Layout, page: int, written: dict[str, Written], share: float
) -> dict[tuple[str, int], Strike]:
    found: dict[tuple[str, int], Strike] = {}
    for placed in layout.on_page(page):
        if placed.field.is_marked:
            continue
        for index, text in enumerate(written[placed.field.name].cells):
            if random.random() < share:
                found[placed.field.name, index] = "corrected" if text and random.random() < 0.5 else "struck"
    return found


def print_tone(template: Template, layout: Layout, code: Code, per_mm: float) -> Gray:
    """A page as it is printed, darkness (H, W) uint8, 255 being black; of others' forms that of the blank.

    Raises:
        SheetError: the blank cannot be read.
    """
    shape = round(layout.paper_mm[1] * per_mm), round(layout.paper_mm[0] * per_mm)
    if template.blank:
        gray = _blank_picture(Path(template.blank), code.page, layout.paper_mm)
    else:
        gray = printing.picture(template, code, MASTER)
    return np.asarray(np.rint(255 - scaled(gray, MASTER, shape, per_mm)), np.uint8)


def _blank_picture(blank: Path, page: int, paper: tuple[float, float]) -> Gray:
    """A page of a blank at MASTER, (H, W) uint8."""
    limits = Limits(pages=MAX_PAGES, dpi=round(MASTER * 25.4))
    for one in documents.pages(blank, str(blank), color=False, limits=limits):
        if one.page == page and one.image is not None:
            size = round(paper[0] * MASTER), round(paper[1] * MASTER)
            resized = cv2.resize(one.image, size, interpolation=cv2.INTER_AREA)
            return np.asarray(resized, np.uint8)
    raise SheetError(f"{blank}: has no page {page} that can be drawn")
