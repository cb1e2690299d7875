"""digitlens sheet from: the template of a form that exists already."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.core.errors import PictureError, SheetError, reason

if TYPE_CHECKING:
    from digitlens.sheets.found import FoundField

MAX_PAGES = 20
"""Pages of a form at most."""
DPI = 200
"""Resolution at which a PDF is looked at, pixels an inch."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of digitlens sheet from."""
    command.set_defaults(run=run)
    command.add_argument("blank", type=Path, metavar="BLANK", help="a PDF, or a scan of an empty form")
    command.add_argument(
        "--out", type=Path, required=True, metavar="TEMPLATE.toml", help="the template to write"
    )


def run(options: argparse.Namespace) -> int:
    """Write the template, and say what was found."""
    from digitlens.sheets.found import template_text

    path: Path = options.blank
    title, paper, fields = _pdf(path) if path.suffix.lower() == ".pdf" else ("", None, [])
    how = "form fields" if fields else "boxes"
    if not fields:
        paper, fields = _boxes(path, paper)
    if not fields or paper is None:
        raise SheetError(f"{path}: no form fields and no empty boxes are found; write the template by hand")
    blank = os.path.relpath(path, options.out.parent)
    text = template_text(title if title.lower() != "untitled" and title else path.stem, blank, paper, fields)
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SheetError(
            f"{options.out}: exists already, and may have names of yours; take another"
        ) from error
    except OSError as error:
        raise SheetError(f"{options.out}: {reason(error)}") from error
    sys.stderr.write(
        f"digitlens: {options.out}: {len(fields)} fields, by the {how} of {path}; name them there\n"
    )
    return 0


def _pdf(path: Path) -> "tuple[str, tuple[float, float], list[FoundField]]":
    """A PDF's title, its pages' width and height in millimeters, and the fields of its form."""
    from digitlens.sheets.acroform import PdfForm

    form = PdfForm(path)
    width, height = form.sizes[0]
    if any(abs(wide - width) > 2 or abs(tall - height) > 2 for wide, tall in form.sizes):
        raise SheetError(f"{path}: has pages of several sizes; a form's are alike")
    return form.title, form.sizes[0], _seen(path, form.sizes[0], form.fields)


def _seen(path: Path, paper: tuple[float, float], fields: "Sequence[FoundField]") -> "list[FoundField]":
    """The fields of a PDF, its combs as they are drawn: some say that they have cells, and show none."""
    from digitlens.images import documents
    from digitlens.images.document_page import Limits
    from digitlens.sheets import boxes

    combs = {field.page for field in fields if (field.cells or 1) > 1}
    found = list(fields)
    if not combs:
        return found  # drawing the pages takes time
    for page in documents.pages(path, str(path), color=False, limits=Limits(pages=MAX_PAGES, dpi=DPI)):
        if page.page not in combs or page.image is None:
            continue
        height, width = page.image.shape[:2]
        per_mm = width / paper[0], height / paper[1]
        for place, field in enumerate(found):
            cells = field.cells or 1
            if (
                field.page == page.page
                and cells > 1
                and boxes.is_undivided(page.image, per_mm, field.box, cells)
            ):
                found[place] = replace(field, is_divided=False)
    return found


def _boxes(
    path: Path, paper: tuple[float, float] | None
) -> "tuple[tuple[float, float] | None, list[FoundField]]":
    """The pages' width and height in millimeters, if they were not known, and the fields that boxes make."""
    from digitlens.images import documents
    from digitlens.images.document_page import Limits
    from digitlens.sheets import boxes

    fields: list[FoundField] = []
    for page in documents.pages(path, str(path), color=False, limits=Limits(pages=MAX_PAGES, dpi=DPI)):
        if page.image is None:
            raise PictureError(f"{path}: {page.error}")
        height, width = page.image.shape[:2]
        paper = paper or boxes.paper_size(path, width, height)
        found = boxes.boxes(page.image, (width / paper[0], height / paper[1]))
        fields += boxes.fields(found, page.page)
    return paper, fields
