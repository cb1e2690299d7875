"""Fields on which something lies, such as a hand: their printed lines are not seen."""

import cv2
import numpy as np

from digitlens.config.parameters.sheet_watch import SheetWatchParameters
from digitlens.sheets.aligned import Form
from digitlens.sheets.darkness import darkness
from digitlens.sheets.pages import pixels_around
from digitlens.sheets.plate import SOFTEST
from digitlens.sheets.reader import PageCells

MARGIN = 0.6
"""Paper around a field that is looked at, too, millimeters."""
HIDDEN = 20
"""Share of a field's lines that may be hidden before the field is, percent."""
LINE = 0.3
"""Darkness from which a pixel belongs to a line, parts of the field's darkest print."""


def covered(page: PageCells, form: Form, parameters: SheetWatchParameters) -> list[str]:
    """The fields of the page whose print is not seen, in their order."""
    per_mm = page.plate.per_mm
    dark = darkness(page.flat, per_mm)
    blank = form.page(page.aligned.code.page).darkness(per_mm)
    blank = np.asarray(cv2.GaussianBlur(blank, (0, 0), max(SOFTEST, page.plate.blur * per_mm)), np.float32)
    seen: dict[str, float] = {}
    for placed in form.layout.on_page(page.aligned.code.page):
        place = pixels_around(placed.box, MARGIN, per_mm)
        lines = blank[place]
        on = lines > LINE * lines.max()
        # Something may lie on a part of the field alone; ink on its lines makes them darker.
        seen[placed.field.name] = float(np.percentile(dark[place][on] / lines[on], HIDDEN))
    print_there = blank > LINE * blank.max()
    usual = float(np.median(np.minimum(dark[print_there] / blank[print_there], 1.0)))
    return [name for name, one in seen.items() if one < parameters.covered * usual]
