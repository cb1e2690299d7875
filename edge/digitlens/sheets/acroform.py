"""The fields of a PDF's form (AcroForm), with their cells where they are combs; needs the extra `sheets`."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitlens.core.errors import DependencyError, SheetError, first_line, reason
from digitlens.sheets.found import FoundField
from digitlens.sheets.layout import MAX_PAGES
from digitlens.sheets.pages import MmBox
from digitlens.sheets.typesetting import MM_PER_POINT

COMB, RADIO, BUTTON = 1 << 24, 1 << 15, 1 << 16
"""Flags of fields: a comb, one of several of which one is marked, a button to press."""
MAX_FIELDS = 2000
"""Fields of a form at most."""
MAX_DEPTH = 20
"""Parents of a field at most."""


class PdfForm:
    """A PDF: its title, its pages' size and its fields.

    Raises:
        DependencyError: the extra `sheets` is not installed.
        SheetError: it is broken, has a password, or too many pages.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pypdf
        except ImportError as error:
            raise DependencyError(
                f"{path}: the fields of a PDF need the extra sheets: pip install 'digitlens[sheets]'"
            ) from error
        self.path = path
        # What pypdf warns of would stand beside the one line that an error is.
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            reader = pypdf.PdfReader(path)
            if reader.is_encrypted and not reader.decrypt(""):
                raise SheetError(f"{path}: has a password; save it without")
            count = len(reader.pages)
            if count > MAX_PAGES:
                raise SheetError(f"{path}: has {count} pages, and a form has at most {MAX_PAGES}")
            self.title = str(reader.metadata.title or "" if reader.metadata else "").strip()
            self.sizes = [_size(page) for page in reader.pages]
            self.fields = [
                field for number, page in enumerate(reader.pages, 1) for field in _fields(page, number)
            ]
        except SheetError:
            raise
        except OSError as error:
            raise SheetError(f"{path}: {reason(error)}") from error
        except Exception as error:  # pypdf raises whatever a broken file makes it stumble over
            raise SheetError(f"{path}: cannot be read as a PDF: {first_line(error)}") from error
        if not self.sizes:
            raise SheetError(f"{path}: has no pages")


def _size(page: Any) -> tuple[float, float]:
    """A page's width and height as it is shown, millimeters."""
    width, height = (float(side) * MM_PER_POINT for side in (page.cropbox.width, page.cropbox.height))
    return (height, width) if page.rotation % 180 else (width, height)


def _fields(page: Any, number: int) -> Iterator[FoundField]:
    annotations = page.get("/Annots") or []
    for reference in list(annotations)[:MAX_FIELDS]:
        widget = reference.get_object()
        if widget.get("/Subtype") != "/Widget":
            continue
        flags, type_ = int(_inherited(widget, "/Ff") or 0), _inherited(widget, "/FT")
        box = _box(page, [float(side) for side in widget["/Rect"]])
        label = str(_inherited(widget, "/TU") or "").strip()
        name = _name(widget)
        if type_ == "/Tx":
            length = int(_inherited(widget, "/MaxLen") or 0)
            is_comb = bool(flags & COMB) and 1 <= length <= 20
            yield FoundField(
                number, box, "digits" if is_comb else "integer", length if is_comb else None, name, label
            )
        elif type_ == "/Btn" and not flags & BUTTON:
            state = _on_state(widget)
            name = f"{name}_{state}" if flags & RADIO and state else name
            yield FoundField(number, box, "tick", 1, name, label)


def _inherited(widget: Any, key: str) -> Any:
    """A widget's own value, or the nearest of the fields above it."""
    for one in _upwards(widget):
        if key in one:
            value = one[key]
            return value.get_object() if hasattr(value, "get_object") else value
    return None


def _upwards(widget: Any) -> Iterator[Any]:
    one, depth = widget, 0
    while one is not None and depth < MAX_DEPTH:
        yield one
        parent = one.get("/Parent")
        one, depth = (None if parent is None else parent.get_object()), depth + 1


def _name(widget: Any) -> str:
    """The names of the fields above it and its own, with dots between."""
    return ".".join(reversed([str(one["/T"]) for one in _upwards(widget) if "/T" in one]))


def _on_state(widget: Any) -> str:
    """What a button is called when it is marked."""
    appearances = widget.get("/AP", {})
    normal = appearances.get_object().get("/N", {}) if hasattr(appearances, "get_object") else {}
    states = normal.get_object() if hasattr(normal, "get_object") else {}
    return next((str(state).lstrip("/") for state in states if state != "/Off"), "")


def _box(page: Any, rectangle: list[float]) -> MmBox:
    """A rectangle of the PDF -> millimeters from the top left of the page as it is shown."""
    left, right = sorted(rectangle[0::2])
    bottom, top = sorted(rectangle[1::2])
    crop = page.cropbox
    x0, y0, x1, y1 = (float(side) for side in (crop.left, crop.bottom, crop.right, crop.top))
    box = {
        0: (left - x0, y1 - top, right - left, top - bottom),
        90: (bottom - y0, left - x0, top - bottom, right - left),
        180: (x1 - right, bottom - y0, right - left, top - bottom),
        270: (y1 - top, x1 - right, top - bottom, right - left),
    }[page.rotation % 360]
    x, y, width, height = (side * MM_PER_POINT for side in box)
    return x, y, width, height
