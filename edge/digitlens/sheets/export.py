"""Rows of sheets as CSV and as XLSX, with crops of what is in doubt."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2

from digitlens.core.arrays import Gray
from digitlens.core.errors import DependencyError, SheetError, reason
from digitlens.sheets.fields import Template
from digitlens.sheets.readings import FieldReading, Value
from digitlens.sheets.rows import SheetRow, broken_rules, doubtful, header

Crops = Mapping[tuple[str, int, str], Gray]
"""Crops of fields by source, page and field."""
CROP_HEIGHT = 40
"""Height of a crop in a cell, pixels."""
STATE_COLORS = {"doubt": "#FFF2CC", "unreadable": "#F8CBAD", "rule": "#F4B6C2"}
"""Backgrounds of cells that need a look."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, template: Template, rows: Iterable[SheetRow]) -> None:
    """One row a sheet, below a header; empty fields are empty, ticks are true and false.

    Raises:
        SheetError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header(template))
    for row in rows:
        table.writerow([_csv(value) for value in row.cells(template)])
    _save(path, text.getvalue().encode())


def write_xlsx(path: Path, template: Template, rows: Iterable[SheetRow], crops: Crops) -> None:
    """Worksheets `rows`, `look` with crops of what is in doubt, and `rules` with all rules broken.

    Text stays text, whatever it begins with: no value becomes a formula or a link.

    Raises:
        DependencyError: the extra `sheets` is not installed.
        SheetError: the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise DependencyError("XLSX needs the extra sheets: pip install 'digitlens[sheets]'") from error
    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(content, options)
    every = list(rows)
    _write_rows(book, template, every)
    _write_look(book, every, crops)
    _write_rules(book, every)
    book.close()
    _save(path, content.getvalue())


def _write_rows(book: Any, template: Template, rows: list[SheetRow]) -> None:
    sheet = book.add_worksheet("rows")
    bold = book.add_format({"bold": True})
    colors = {state: book.add_format({"bg_color": color}) for state, color in STATE_COLORS.items()}
    for column, name in enumerate(header(template)):
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 1)
    before = len(header(template)) - len(template.fields)
    for count, row in enumerate(rows, 1):
        fields = row.fields
        names: list[str | None] = [None] * before + list(template.fields)
        for column, (key, value) in enumerate(zip(names, row.cells(template), strict=True)):
            one = fields.get(key) if key is not None else None
            _write(sheet, count, column, value, colors.get(one.state) if one is not None else None)


def _write_look(book: Any, rows: list[SheetRow], crops: Crops) -> None:
    sheet = book.add_worksheet("look")
    bold = book.add_format({"bold": True})
    titles = ("source", "serial", "page", "field", "state", "value", "raw", "confidence", "reason", "crop")
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, bold)
    sheet.set_column(3, 3, 22)
    sheet.set_column(8, 8, 50, book.add_format({"text_wrap": True}))
    sheet.set_column(9, 9, 40)
    line = 1
    for row in rows:
        for number, page in sorted(row.pages.items()):
            for name, one in page.fields.items():
                if (name, one) not in doubtful(row):
                    continue
                values = (page.source, row.serial or None, number, name, one.state, one.value, one.raw)
                for column, value in enumerate((*values, round(one.confidence, 4), one.reason)):
                    _write(sheet, line, column, value, None)
                crop = crops.get((page.source, number, name))
                if crop is not None:
                    _insert(sheet, line, crop)
                line += 1


def _insert(sheet: Any, line: int, crop: Gray) -> None:
    """A crop in the last column, its row as high."""
    _, png = cv2.imencode(".png", crop)
    scale = CROP_HEIGHT / crop.shape[0]
    sheet.set_row_pixels(line, CROP_HEIGHT + 4)
    sheet.insert_image(
        line, 9, "crop.png",
        {"image_data": io.BytesIO(png.tobytes()), "x_scale": scale, "y_scale": scale, "y_offset": 2},
    )  # fmt: skip


def _write_rules(book: Any, rows: list[SheetRow]) -> None:
    sheet = book.add_worksheet("rules")
    bold = book.add_format({"bold": True})
    for column, title in enumerate(("source", "serial", "field", "value", "raw", "reason")):
        sheet.write_string(0, column, title, bold)
    sheet.set_column(5, 5, 60)
    line = 1
    for row in rows:
        for name, one in broken_rules(row):
            for column, value in enumerate(
                (row.source, row.serial or None, name, one.value, one.raw, one.reason)
            ):
                _write(sheet, line, column, value, None)
            line += 1


def _write(sheet: Any, line: int, column: int, value: Value, style: Any) -> None:
    """A value in a cell, of its own type."""
    if value is None:
        if style is not None:
            sheet.write_blank(line, column, None, style)
    elif isinstance(value, bool):
        sheet.write_boolean(line, column, value, style)
    elif isinstance(value, int | float):
        sheet.write_number(line, column, value, style)
    else:
        sheet.write_string(line, column, value, style)


def _csv(value: Value) -> str:
    """A value as text; one that a spreadsheet would take for a formula is marked as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_DANGEROUS) else text


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SheetError(f"{path}: {reason(error)}") from error


def field_crops(
    source: str, number: int, fields: Mapping[str, FieldReading], cut: Any
) -> dict[tuple[str, int, str], Gray]:
    """The crops of a page's fields that need a look; `cut` gives a field's."""
    return {(source, number, name): cut(name) for name, one in fields.items() if one.state in STATE_COLORS}
