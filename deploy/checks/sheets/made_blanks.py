"""Blank forms that other programs make, and where their fields are: by the programs, not by digitlens."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MmBox = tuple[float, float, float, float]
MM_PER_SP = 25.4 / 72.27 / 65536
"""TeX's smallest length, millimeters."""
WIDTH, HEIGHT = 210.0, 297.0
"""A4, millimeters."""


class MissingToolError(Exception):
    """A form cannot be made here, and why."""


@dataclass(frozen=True)
class Place:
    """A field as its form's author thinks of it.

    Attributes:
        box: of all its cells, millimeters from the page's top left.
        keys: of the template's field, with its kind, as TOML has them.
    """

    box: MmBox
    keys: dict[str, Any]

    @property
    def cells(self) -> int:
        """Cells side by side; of a box without, the most digits."""
        return 8 if self.keys["kind"] == "date" else int(self.keys.get("cells", 1))


@dataclass(frozen=True)
class Blank:
    """A form: its PDF, and its fields by name."""

    path: Path
    fields: dict[str, Place]


EXAM = r"""
\documentclass[a4paper,11pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{eso-pic}
\usepackage[box]{automultiplechoice}
\begin{document}
\onecopy{1}{
\noindent\textbf{Geography \hfill Examination of the first term}
\vspace*{4mm}

\noindent\begin{minipage}{.42\linewidth}
Write your student's number, a digit in each box, and blacken one box for each question.
\end{minipage}
\AddToShipoutPictureBG*{\put(\LenToUnit{125mm},\LenToUnit{230mm}){\setlength{\unitlength}{1mm}%
\linethickness{0.4pt}\multiput(0,0)(7,0){7}{\line(0,1){9}}\multiput(0,0)(0,9){2}{\line(1,0){42}}}}
\vspace*{14mm}

\begin{question}{river}
Which of these rivers is the longest?
\begin{choices}\correctchoice{Nile}\wrongchoice{Rhine}\wrongchoice{Thames}\wrongchoice{Loire}\end{choices}
\end{question}
\begin{question}{lake}
Which of these lakes is the deepest?
\begin{choices}
\wrongchoice{Constance}\correctchoice{Baikal}\wrongchoice{Victoria}\wrongchoice{Geneva}
\end{choices}
\end{question}
\begin{questionmult}{island}
Which of these are islands?
\begin{choices}\correctchoice{Malta}\wrongchoice{Korea}\correctchoice{Ceylon}\wrongchoice{Jutland}\end{choices}
\end{questionmult}
\begin{question}{states}
How many states has Germany?
\begin{choiceshoriz}\wrongchoice{12}\wrongchoice{14}\correctchoice{16}\wrongchoice{18}\end{choiceshoriz}
\end{question}
}
\end{document}
"""
STUDENT = (125.0, 58.0, 42.0, 9.0)
"""The comb that EXAM draws beside AMC's boxes."""


def amc(folder: Path) -> Blank:
    """An examination by the LaTeX package of Auto Multiple Choice, with a comb for a number by hand."""
    for program in ("pdflatex", "kpsewhich"):
        if shutil.which(program) is None:
            raise MissingToolError(f"{program} is not installed (Debian: texlive-latex-extra)")
    if not _output(["kpsewhich", "automultiplechoice.sty"], folder):
        raise MissingToolError(
            "LaTeX does not find automultiplechoice.sty: install auto-multiple-choice, or name its folder "
            "in TEXINPUTS"
        )
    (folder / "exam.tex").write_text(EXAM)
    # As AMC calls LaTeX for the sheets to print.
    start = r"\def\SujetExterne{1}\def\NoWatermarkExterne{1}\def\NoHyperRef{1}\input{exam.tex}"
    _output(["pdflatex", "-interaction=nonstopmode", "-jobname=exam", start], folder)
    if not (folder / "exam.pdf").exists():
        raise MissingToolError("pdflatex makes no PDF of AMC's sheet: see exam.log with --keep")
    fields = {"student": Place(STUDENT, {"kind": "digits", "cells": 6})}
    return Blank(folder / "exam.pdf", fields | _amc_boxes((folder / "exam.xy").read_text()))


def _amc_boxes(text: str) -> dict[str, Place]:
    r"""The boxes that AMC itself looks for: \tracepos{1/1:case:NAME:QUESTION,ANSWER}{x}{y}{square}, twice."""
    corners: dict[str, list[tuple[float, float]]] = {}
    for line in text.splitlines():
        parts = line.removeprefix(r"\tracepos{").rstrip("}").split("}{")
        if line.startswith(r"\tracepos{") and ":case:" in parts[0]:
            name = parts[0].split(":case:")[1].replace(":", "_").replace(",", "_")
            x, y = (float(side.removesuffix("sp")) * MM_PER_SP for side in parts[1:3])
            corners.setdefault(name, []).append((x, HEIGHT - y))
    return {
        name: Place((x, y, right - x, bottom - y), {"kind": "tick", "blackened": True})
        for name, ((x, y), (right, bottom)) in corners.items()
    }


def acroform(folder: Path) -> Blank:
    """A claim with combs, a comb whose cells are not drawn, a box and check boxes, by ReportLab."""
    if importlib.util.find_spec("reportlab") is None:
        raise MissingToolError("reportlab is not installed (PyPI)")
    from reportlab.lib.units import mm  # type: ignore[import-untyped,import-not-found,unused-ignore]
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped,import-not-found,unused-ignore]

    page = Canvas(str(folder / "claim.pdf"), pagesize=(WIDTH * mm, HEIGHT * mm))
    page.setTitle("Travel claim")
    style = {"borderWidth": 0.7, "fillColor": None, "forceBorder": True}
    fields: dict[str, Place] = {}

    def text(x: float, y: float, what: str, size: float = 9) -> None:
        page.setFont("Helvetica", size)
        page.drawString(x * mm, (HEIGHT - y) * mm, what)

    def field(
        name: str, label: str, box: MmBox, keys: dict[str, Any], comb: bool, drawn: bool = True
    ) -> None:
        x, y, wide, tall = box
        fields[name] = place = Place(box, keys)
        text(x, y - 2, label)
        more = {"fieldFlags": "comb", "maxlen": place.cells} if comb else {}
        page.acroForm.textfield(
            name=name, tooltip=label, x=x * mm, y=(HEIGHT - y - tall) * mm, width=wide * mm,
            height=tall * mm, **style, **more,
        )  # fmt: skip
        page.setLineWidth(0.5)
        for k in range(1, place.cells if comb and drawn else 0):
            at = (x + k * wide / place.cells) * mm
            page.line(at, (HEIGHT - y) * mm, at, (HEIGHT - y - tall) * mm)

    text(20, 25, "Travel claim", 18)
    text(20, 33, "Write one digit in each box, with a dark pen. Send the form to the office within a month.")
    number = {"kind": "digits", "cells": 8, "check": "luhn"}
    field("member", "Member's number", (20, 50, 48, 8), number, comb=True)
    date = {"kind": "date", "format": "DD.MM.YYYY"}
    field("day", "Date of travel (DDMMYYYY)", (110, 50, 48, 8), date, comb=True)
    amount = {"kind": "decimal", "cells": 6, "decimals": 2}
    field("amount", "Amount, with cents", (20, 75, 36, 8), amount, comb=True)
    center = {"kind": "digits", "cells": 5, "comb": False}
    field("center", "Cost center", (110, 75, 30, 8), center, comb=True, drawn=False)
    kilometers = {"kind": "integer", "cells": 4, "comb": False}
    field("kilometers", "Kilometers", (20, 100, 40, 10), kilometers, comb=False)
    for k, what in enumerate(("train", "car", "air")):
        place = Place((110, 95 + 8 * k, 5, 5), {"kind": "tick"})
        fields[what] = place
        page.acroForm.checkbox(
            name=what, tooltip=f"By {what}", x=110 * mm, y=(HEIGHT - 100 - 8 * k) * mm, size=5 * mm,
            buttonStyle="cross", **style,
        )  # fmt: skip
        text(118, 99 + 8 * k, f"By {what}")
    for k in range(8):
        text(20, 150 + 8 * k, f"{k + 1}. Claims are paid within the month, see paragraph {17 * k + 3}.")
    page.save()
    return Blank(folder / "claim.pdf", fields)


ARTICLES = ("Bolts M6", "Nuts M6", "Washers", "Screws 4x30", "Hinges", "Brackets", "Hooks", "Nails 60")
COLUMNS = ("counted", "damaged", "ordered")
LABELS_WIDE, COLUMN_WIDE, TALL, LOW, MARGIN = 60.0, 32.0, 11.0, 7.0, 20.0
"""Of the table of TABLE: widths of its columns, heights of its rows, the page's margin; millimeters."""
SPREADSHEET = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:automatic-styles>
{styles}
<style:style style:name="framed" style:family="table-cell"><style:table-cell-properties
 fo:border="0.75pt solid #000000" style:vertical-align="middle"/></style:style>
<style:style style:name="plain" style:family="table-cell"/>
<style:style style:name="title" style:family="table-cell">
<style:text-properties fo:font-size="18pt"/></style:style>
<style:page-layout style:name="page">
<style:page-layout-properties fo:page-width="210mm" fo:page-height="297mm"
 fo:margin="{margin}mm"/></style:page-layout>
<style:style style:name="sheet" style:family="table" style:master-page-name="Default"/>
</office:automatic-styles><office:master-styles><style:master-page style:name="Default"
 style:page-layout-name="page"><style:header style:display="false"/><style:footer style:display="false"/>
</style:master-page></office:master-styles><office:body><office:spreadsheet>
<table:table table:name="Stock" table:style-name="sheet"><table:table-column table:style-name="labels"/>
<table:table-column table:style-name="numbers" table:number-columns-repeated="3"/>{rows}
</table:table></office:spreadsheet></office:body></office:document>
"""


def table(folder: Path) -> Blank:
    """A table with borders, eight rows by three columns to fill in, by LibreOffice's Calc."""
    program = shutil.which("soffice")
    if program is None:
        raise MissingToolError("soffice is not installed (Debian: libreoffice-calc)")
    styles = [
        f'<style:style style:name="{name}" style:family="table-{kind}">'
        f"<style:table-{kind}-properties {size}/></style:style>"
        for name, kind, size in (
            ("labels", "column", f'style:column-width="{LABELS_WIDE}mm"'),
            ("numbers", "column", f'style:column-width="{COLUMN_WIDE}mm"'),
            ("tall", "row", f'style:row-height="{TALL}mm" style:use-optimal-row-height="false"'),
            ("low", "row", f'style:row-height="{LOW}mm" style:use-optimal-row-height="false"'),
        )
    ]
    notes = [f"{k + 1}. Keep this sheet, as the rule of paragraph {17 * k + 3} asks." for k in range(4)]
    rows = [
        _row("tall", _cell("Stock of the workshop", "title")),
        _row("low", _cell("Count each article, and write the numbers into the table.", "plain")),
        _row("low", _cell("", "plain")),
        _row("low", *(_cell(text, "framed") for text in ("Article", *map(str.capitalize, COLUMNS)))),
        *(_row("tall", _cell(text, "framed"), *[_cell("", "framed")] * 3) for text in ARTICLES),
        _row("low", _cell("", "plain")),
        *(_row("low", _cell(note, "plain")) for note in notes),
    ]
    text = SPREADSHEET.format(styles="".join(styles), margin=MARGIN, rows="".join(rows))
    (folder / "stock.fods").write_text(text)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    _output([program, profile, "--headless", "--convert-to", "pdf", "stock.fods"], folder)
    if not (folder / "stock.pdf").exists():
        raise MissingToolError("soffice makes no PDF of the spreadsheet")
    top = MARGIN + TALL + 3 * LOW
    fields = {
        f"{column}_{row + 1}": Place(
            (MARGIN + LABELS_WIDE + k * COLUMN_WIDE, top + row * TALL, COLUMN_WIDE, TALL),
            {"kind": "integer", "cells": 4, "comb": False},
        )
        for row in range(len(ARTICLES))
        for k, column in enumerate(COLUMNS)
    }
    return Blank(folder / "stock.pdf", fields)


def _row(style: str, *cells: str) -> str:
    return f'<table:table-row table:style-name="{style}">{"".join(cells)}</table:table-row>'


def _cell(text: str, style: str) -> str:
    start = f'<table:table-cell table:style-name="{style}"'
    return (
        f'{start} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        if text
        else f"{start}/>"
    )


def _output(command: list[str], folder: Path) -> str:
    """What a program says; how it fares is seen by what it makes."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=600, env=os.environ, check=False,
    )  # fmt: skip
    return done.stdout.strip()


MAKERS: dict[str, Callable[[Path], Blank]] = {"amc": amc, "acroform": acroform, "table": table}
"""By the kind of form."""
