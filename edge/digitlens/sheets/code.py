"""The code on a page: which template, version, page and copy it is; a QR code of 25 x 25 modules."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlens.core.arrays import Gray
from digitlens.core.errors import DependencyError

MODULES = 25
"""Modules along a side: QR version 2, whatever the text, so that a reader knows the grid."""
MAX_NAME = 18
"""Letters of a template's name at most, for the code to hold it."""
_TEXT = re.compile(r"DL1:([A-Z0-9-]{1,18}):([0-9A-F]{6}):([0-9]{1,2}):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Code:
    """What a page's code says."""

    name: str
    """The template's name."""
    version: str
    """The template's version."""
    page: int
    """The page, from 1."""
    serial: int
    """The copy, from 1; 0 of a form printed without serial numbers."""

    @property
    def text(self) -> str:
        """DL1:NAME:VERSION:PAGE:SERIAL, in the letters of QR's alphanumeric mode."""
        return f"DL1:{self.name}:{self.version}:{self.page}:{self.serial}".upper()

    @property
    def modules(self) -> Gray:
        """The QR code: (25, 25) uint8, 0 black and 255 white, without a quiet zone.

        Raises:
            DependencyError: the extra `sheets` is not installed.
        """
        zxing = _zxing()
        barcode = zxing.create_barcode(self.text, zxing.BarcodeFormat.QRCode, ec_level="M", version=2)
        modules: Gray = np.array(zxing.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False))
        return modules


def parse(text: str) -> Code | None:
    """The code of a text; None for a code that is not ours."""
    found = _TEXT.fullmatch(text.strip().upper())
    if found is None:
        return None
    name, version, page, serial = found.groups()
    return Code(name.lower(), version, int(page), int(serial))


def _zxing() -> Any:
    try:
        import zxingcpp
    except ImportError as error:
        raise DependencyError("codes need the extra sheets: pip install 'digitlens[sheets]'") from error
    return zxingcpp
