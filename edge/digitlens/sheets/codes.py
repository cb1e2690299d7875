"""Reading the code of a page whose place is known, from as few pixels as two a module."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens.core.errors import DependencyError, SheetError
from digitlens.sheets.aligned import Aligned, Form
from digitlens.sheets.code import MODULES, Code, parse
from digitlens.sheets.fiducials import LEAST_MATCHED
from digitlens.sheets.pages import MmBox

QUIET = 4
"""Modules of white around a code that is decoded."""
PER_MODULE = 8
"""Pixels a module of such a code."""
COUNT = MODULES + 2 * QUIET
"""Modules along a side, the white around included."""
MOST_SERIAL = 400
"""Largest serial number of a code that is recognized without being decoded."""
ALIKE, BEHIND = 0.5, 0.94
"""Correlation from which a code is recognized, and the next one's at most, as a part of that."""
CODE_BLUR = 0.8
"""Standard deviation of a small code's blur, modules."""


def read(gray: Gray, page: Aligned, place: MmBox, form: Form) -> Code:
    """The code at its place on a page.

    What is too small to be decoded is compared with the codes that this form's pages have.

    Raises:
        SheetError: it cannot be read, or is another program's.
    """
    zxing = _zxing()
    texts = []
    picture = _picture(gray, page, place)
    small = cv2.resize(picture.astype(np.float32), (COUNT, COUNT), interpolation=cv2.INTER_AREA)
    means = np.asarray(small, np.float32)
    for one in (picture, *_decided(means)):
        for found in zxing.read_barcodes(one, formats=zxing.BarcodeFormat.QRCode):
            code = parse(found.text)
            if code is not None:
                return code
            texts.append(found.text)
    if texts:
        raise SheetError(f"its code is another program's: {texts[0][:40]}")
    likely = _likely(means[QUIET:-QUIET, QUIET:-QUIET], form)
    if likely is not None:
        return likely
    raise SheetError(
        f"the code at its top right cannot be read at {page.per_mm:.1f} pixels a millimeter: "
        "covered, too blurred or too small"
    )


def why_not(gray: Gray, marks: int) -> str:
    """Why no page was found, where so many nested squares are in a picture."""
    zxing = _zxing()
    texts = [found.text for found in zxing.read_barcodes(gray, formats=zxing.BarcodeFormat.QRCode)]
    if any(parse(text) is not None for text in texts):
        return (
            f"a page's code is seen, but only {min(marks, LEAST_MATCHED - 1)} of its fiducials: it is cut "
            "off, covered or blurred; show it from edge to edge"
        )
    if texts:
        return f"its code is another program's: {texts[0][:40]}"
    return "no page with a code and fiducials is seen: show it from edge to edge, in focus"


def _picture(gray: Gray, page: Aligned, place: MmBox) -> Gray:
    """The code with its quiet zone, upright, PER_MODULE pixels a module."""
    x, y, side, _ = place
    module = side / MODULES
    places = (np.arange(COUNT * PER_MODULE) + 0.5) / PER_MODULE * module - QUIET * module
    maps = page.grid_in_picture(places + x, places + y).astype(np.float32)
    found = cv2.remap(gray, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def _decided(means: Floats) -> Iterator[Gray]:
    """Modules' brightness (COUNT, COUNT) -> clean codes, what blur took from each put back more and more."""
    inner = slice(QUIET, QUIET + MODULES)
    around = cv2.blur(means, (9, 9))
    for amount in (0.0, 0.5, 1.0, 2.0):
        sharp = means + amount * (means - cv2.GaussianBlur(means, (0, 0), 1.0))
        clean = np.full((COUNT, COUNT), 255, np.uint8)
        clean[inner, inner][(sharp < around)[inner, inner]] = 0
        yield np.repeat(np.repeat(clean, 4, axis=0), 4, axis=1)


def _likely(seen: Floats, form: Form) -> Code | None:
    """Of the form's codes up to MOST_SERIAL the one most like these modules (N, N), if none is near it."""
    template = form.template
    flat = _flat(seen)
    best: list[tuple[float, Code]] = []
    for page in range(1, form.layout.pages + 1):
        for serial in range(MOST_SERIAL + 1):
            code = Code(template.name, template.version, page, serial)
            modules = np.asarray(cv2.GaussianBlur(code.modules, (0, 0), CODE_BLUR), np.float32)
            best.append((float((flat * _flat(modules)).mean()), code))
    best.sort(key=lambda one: -one[0])
    alike, second = best[0][0], best[1][0]
    return best[0][1] if alike >= ALIKE and second <= BEHIND * alike else None


def _flat(modules: Floats) -> Floats:
    """Modules beside their neighborhood's mean, of unit variance."""
    away = modules - cv2.blur(modules, (9, 9))
    return np.asarray(away / max(float(away.std()), 1e-6), np.float32)


def _zxing() -> Any:
    try:
        import zxingcpp
    except ImportError as error:
        raise DependencyError("codes need the extra sheets: pip install 'digitlens[sheets]'") from error
    return zxingcpp
