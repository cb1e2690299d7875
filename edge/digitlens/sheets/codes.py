"""Reading the code of a page whose place is known, from as few pixels as two a module."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitlens.config.parameters.sheets import AlignmentParameters
from digitlens.core.arrays import Gray
from digitlens.core.errors import DependencyError, SheetError
from digitlens.sheets.code import MODULES, Code, parse
from digitlens.sheets.fiducials import LEAST_MATCHED
from digitlens.sheets.pages import MmBox

if TYPE_CHECKING:
    from digitlens.sheets.align import Aligned

QUIET = 4
"""Modules of white around a code that is decoded."""
PER_MODULE = 8
"""Pixels a module of such a code."""


def read(gray: Gray, page: "Aligned", place: MmBox, parameters: AlignmentParameters) -> Code:
    """The code at its place on a page.

    Raises:
        SheetError: it cannot be read, or is another program's.
    """
    zxing = _zxing()
    texts = []
    for picture in _pictures(gray, page, place):
        for found in zxing.read_barcodes(picture, formats=zxing.BarcodeFormat.QRCode):
            code = parse(found.text)
            if code is not None:
                return code
            texts.append(found.text)
    if texts:
        raise SheetError(f"its code is another program's: {texts[0][:40]}")
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
            f"a page's code is seen, but only {min(marks, LEAST_MATCHED - 1)} of its fiducials: it is cut off, covered "
            "or blurred; show it from edge to edge"
        )
    if texts:
        return f"its code is another program's: {texts[0][:40]}"
    return "no page with a code and fiducials is seen: show it from edge to edge, in focus"


def _pictures(gray: Gray, page: "Aligned", place: MmBox) -> list[Gray]:
    """The code as it is seen, and as its modules are darker or lighter than their surroundings."""
    x, y, side, _ = place
    module = side / MODULES
    count = MODULES + 2 * QUIET
    places = (np.arange(count * PER_MODULE) + 0.5) / PER_MODULE * module - QUIET * module
    columns, rows = np.meshgrid(places + x, places + y)
    seen = page.in_picture(np.stack([columns.ravel(), rows.ravel()], axis=1))
    maps = seen.reshape(*columns.shape, 2).astype(np.float32)
    picture = cv2.remap(gray, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    found = [np.asarray(picture, np.uint8)]
    # Of few pixels: what blur took from each module, given its neighbors, is put back before the decision.
    means = cv2.resize(picture.astype(np.float32), (count, count), interpolation=cv2.INTER_AREA)
    inner = slice(QUIET, QUIET + MODULES)
    for amount in (0.0, 0.5, 1.0, 2.0):
        sharp = means + amount * (means - cv2.GaussianBlur(means, (0, 0), 1.0))
        around = cv2.blur(means, (9, 9))
        black = (sharp < around).astype(np.uint8)
        clean = np.zeros((count, count), np.uint8)
        clean[inner, inner] = black[inner, inner]
        large = np.repeat(np.repeat(255 * (1 - clean), 4, axis=0), 4, axis=1)
        found.append(large.astype(np.uint8))
    return found


def _zxing() -> Any:
    try:
        import zxingcpp
    except ImportError as error:
        raise DependencyError("codes need the extra sheets: pip install 'digitlens[sheets]'") from error
    return zxingcpp
