"""A template -> its PDF, pictures of its pages, and the list of its fields; needs the extra `sheets`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from digitlens.core.arrays import Gray
from digitlens.core.errors import DependencyError, SheetError, first_line, reason
from digitlens.sheets.code import Code
from digitlens.sheets.combs import SMALL, separators
from digitlens.sheets.fields import Template
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import (
    FIDUCIAL,
    FIDUCIAL_INSET,
    MARGIN,
    Fiducial,
    Layout,
    MmBox,
    PlacedField,
    Text,
)

COMB_COLOR = (168, 188, 208)
"""Color of combs' lines: pale, so that ink stands out from it; RGB."""
SEPARATOR_COLOR = (120, 142, 166)
"""Color of decimal points and the like between cells, RGB."""
PALE_COLOR = (105, 112, 120)
"""Color of notes and captions, RGB."""
FRAME_WIDTH, DIVIDER_WIDTH = 0.3, 0.2
"""Widths of the lines around a comb and between its cells, millimeters."""
DPI = 300
"""Resolution of pictures of pages, pixels an inch."""
MAX_SERIAL = 99999
MAX_SHEETS = 10000
"""Copies in one PDF at most."""


def serials(copies: int | None, first: int = 1) -> Sequence[int]:
    """The serial numbers of so many copies; without a number of copies one without a serial number.

    Raises:
        SheetError: there would be too many, or too large ones.
    """
    if copies is None:
        return (0,)
    if copies > MAX_SHEETS:
        raise SheetError(f"--copies {copies}: print at most {MAX_SHEETS} at once, and go on with --first")
    if first + copies - 1 > MAX_SERIAL:
        raise SheetError(
            f"serial numbers would go up to {first + copies - 1}; the code holds {MAX_SERIAL} at most"
        )
    return range(first, first + copies)


def write_pdf(template: Template, path: Path, serials: Sequence[int] = (0,)) -> None:
    """All pages of the template, once for each serial number; 0 stands for a copy without one.

    Raises:
        DependencyError: the extra `sheets` is not installed.
        SheetError: the form exists already, the font cannot be used, or the file not be written.
    """
    if template.blank:
        raise SheetError(f"{template.name} exists already: print {template.blank}")
    layout = lay_out(template)
    pdf = _document(template, layout)
    for serial in serials:
        for page in range(1, layout.pages + 1):
            _draw_page(pdf, template, layout, page, serial)
    try:
        path.write_bytes(bytes(pdf.output()))
    except OSError as error:
        raise SheetError(f"{path}: {reason(error)}") from error


def write_fields(layout: Layout, path: Path) -> None:
    """Where each field stands, as JSON: paper_mm, pages, fields.

    Raises:
        SheetError: the file cannot be written.
    """
    fields = [
        {
            "name": name,
            "page": placed.page,
            "box_mm": placed.box,
            "cells": placed.field.cells if placed.field.is_comb and placed.field.kind != "tick" else None,
            "kind": placed.field.kind,
        }
        for name, placed in layout.fields.items()
    ]
    content = msgspec.json.encode({"paper_mm": layout.paper_mm, "pages": layout.pages, "fields": fields})
    try:
        path.write_bytes(msgspec.json.format(content, indent=2) + b"\n")
    except OSError as error:
        raise SheetError(f"{path}: {reason(error)}") from error


def write_pictures(pdf: Path, dpi: int = DPI) -> list[Path]:
    """A PNG of each page beside the PDF: SHEET-1.png and so on.

    Raises:
        DependencyError: the extra `sheets` is not installed.
        SheetError: a file cannot be written.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise DependencyError(_missing("pictures of pages")) from error
    written = []
    document = pypdfium2.PdfDocument(pdf)
    try:
        for count, page in enumerate(document, 1):
            path = pdf.with_name(f"{pdf.stem}-{count}.png")
            try:
                page.render(scale=dpi / 72).to_pil().save(path, dpi=(dpi, dpi), compress_level=3)
            except OSError as error:
                raise SheetError(f"{path}: {reason(error)}") from error
            written.append(path)
    finally:
        document.close()
    return written


def picture(template: Template, code: Code, per_mm: int) -> Gray:
    """A page as a gray picture (H, W) uint8 of `per_mm` pixels a millimeter.

    Whole tens of them leave no part of a pixel at the paper's edges, by which it would be stretched.

    Raises:
        DependencyError: the extra `sheets` is not installed.
        SheetError: the font cannot be used.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise DependencyError(_missing("pictures of pages")) from error
    layout = lay_out(template)
    pdf = _document(template, layout)
    _draw_page(pdf, template, layout, code.page, code.serial)
    height, width = (round(side * per_mm) for side in layout.paper_mm[::-1])
    document = pypdfium2.PdfDocument(bytes(pdf.output()))
    try:
        page = document[0]
        scale = (width - 0.5) / page.get_width()  # rounded up to `width`
        drawn = page.render(scale=scale, grayscale=True).to_numpy()
    finally:
        document.close()
    return np.ascontiguousarray(drawn.reshape(drawn.shape[0], -1)[:height, :width])


def fiducial_squares(fiducial: Fiducial) -> Iterator[tuple[MmBox, bool]]:
    """The squares of a fiducial, one over the other, the largest first; whether each is black."""
    module = FIDUCIAL / 5
    for modules, is_black in ((5, True), (3, False), (1, not fiducial.is_open)):
        side = modules * module
        yield (fiducial.x - side / 2, fiducial.y - side / 2, side, side), is_black


def _missing(what: str) -> str:
    return f"{what} need the extra sheets: pip install 'digitlens[sheets]'"


def _document(template: Template, layout: Layout) -> Any:
    try:
        import fpdf
    except ImportError as error:
        raise DependencyError(_missing("PDFs")) from error
    pdf = fpdf.FPDF(unit="mm", format=layout.paper_mm)
    pdf.set_auto_page_break(False)
    pdf.set_title(template.title)
    pdf.set_creator("digitlens")
    if template.font:
        try:
            pdf.add_font("own", fname=template.font)
        except Exception as error:  # whatever fpdf2 and fontTools raise for a file that is no font
            raise SheetError(f"{template.font}: not a font that can be used: {first_line(error)}") from error
    return pdf


def _draw_page(pdf: Any, template: Template, layout: Layout, page: int, serial: int) -> None:
    pdf.add_page()
    for fiducial in layout.fiducials:
        for box, is_black in fiducial_squares(fiducial):
            pdf.set_fill_color(0 if is_black else 255)
            pdf.rect(*box, style="F")
    _draw_code(pdf, layout.code, Code(template.name, template.version, page, serial))
    pdf.set_draw_color(*PALE_COLOR)
    pdf.set_line_width(DIVIDER_WIDTH)
    for line in layout.lines:
        if line.page == page:
            pdf.line(line.x, line.y, line.x + line.width, line.y)
    for placed in layout.on_page(page):
        _draw_comb(pdf, placed)
    texts = [text for text in layout.texts if text.page == page]
    if serial:
        texts.append(_serial_text(layout, page, serial))
    for text in texts:
        _draw_text(pdf, text, "own" if template.font else "helvetica")


def _serial_text(layout: Layout, page: int, serial: int) -> Text:
    """The copy's number, at the foot of the page left of its middle."""
    x = layout.paper_mm[0] / 2 - FIDUCIAL - 2
    y = layout.paper_mm[1] - FIDUCIAL_INSET + 1
    return Text(page, x, y, f"No. {serial}", SMALL, MARGIN, "right", is_pale=True)


def _draw_code(pdf: Any, box: MmBox, code: Code) -> None:
    """Each row's runs of black modules; rows overlap a little, or a hairline of paper would part them."""
    modules = code.modules
    x, y, side, _ = box
    step = side / len(modules)
    pdf.set_fill_color(0)
    for row, values in enumerate(modules):
        start = 0
        while start < len(values):
            end = start
            while end < len(values) and values[end] == 0:
                end += 1
            if end > start:
                pdf.rect(x + start * step, y + row * step, (end - start) * step, step + 0.02, style="F")
            start = end + 1


def _draw_comb(pdf: Any, placed: PlacedField) -> None:
    x, y, width, height = placed.box
    pdf.set_draw_color(*COMB_COLOR)
    pdf.set_line_width(DIVIDER_WIDTH)
    for left, top, _, _ in placed.cells[1:] if placed.field.is_comb else ():
        pdf.line(left, top, left, top + height)
    pdf.set_line_width(FRAME_WIDTH)
    pdf.rect(x, y, width, height)
    step = width / placed.field.cells
    for count, sign in separators(placed.field).items():
        _draw_separator(pdf, sign, x + count * step, y, height)


def _draw_separator(pdf: Any, sign: str, x: float, y: float, height: float) -> None:
    """A sign on the line between two cells."""
    pdf.set_fill_color(*SEPARATOR_COLOR)
    pdf.set_draw_color(*SEPARATOR_COLOR)
    radius = 0.55
    dots = {".": (height - 1.1,), ":": (height * 0.36, height * 0.64)}.get(sign, ())
    for down in dots:
        pdf.ellipse(x - radius, y + down - radius, 2 * radius, 2 * radius, style="F")
    pdf.set_line_width(2 * FRAME_WIDTH)
    if sign == "/":
        pdf.line(x + 0.7, y + height * 0.28, x - 0.7, y + height * 0.72)
    elif sign == "-":
        pdf.line(x - 0.9, y + height / 2, x + 0.9, y + height / 2)


def _draw_text(pdf: Any, text: Text, font: str) -> None:
    pdf.set_font(font, style="B" if text.is_bold and font == "helvetica" else "", size=text.size)
    pdf.set_text_color(*(PALE_COLOR if text.is_pale else (0, 0, 0)))
    width = pdf.get_string_width(text.text)
    if width > text.width:
        pdf.set_font_size(text.size * text.width / width)
        width = text.width
    left = text.x - {"left": 0.0, "center": width / 2, "right": width}[text.align]
    pdf.text(left, text.y, text.text)
