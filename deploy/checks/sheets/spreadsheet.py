"""Open the rows of forms in LibreOffice, without a screen, and compare them cell by cell.

    .venv/3.11-test/bin/python deploy/checks/sheets/spreadsheet.py [--soffice PROGRAM]

It writes rows with every kind of value, formulas and addresses among the texts, as XLSX and as CSV;
LibreOffice converts each worksheet to CSV, showing formulas as formulas; the values must be those that were
written. The exit status is 1 if one differs.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from digitlens.sheets import export
from digitlens.sheets.readings import FieldReading, PageReading, Value
from digitlens.sheets.rows import Rows, header
from digitlens.sheets.template import load

FORM = """
title = "Odd"
[[field]]
name = "count"
kind = "integer"
cells = 6
[[field]]
name = "number"
kind = "digits"
cells = 6
[[field]]
name = "price"
kind = "decimal"
cells = 4
decimals = 2
[[field]]
name = "day"
kind = "date"
[[field]]
name = "kind"
kind = "choice"
choices = ["=1+1", "@SUM(A1)", "http://example.org", "+49", "plain; \\"quoted\\", with a comma"]
[[field]]
name = "done"
kind = "tick"
"""
EACH: tuple[dict[str, Value], ...] = (
    {"count": 12, "number": "000123", "price": 9.5, "day": "2026-01-31", "kind": "=1+1", "done": True},
    {"count": 0, "number": "999999", "price": 0.05, "day": None, "kind": "@SUM(A1)", "done": False},
    {
        "count": None,
        "number": None,
        "price": None,
        "day": "2020-02-29",
        "kind": "http://example.org",
        "done": True,
    },
    {"count": 7, "number": "1", "price": 12.34, "day": None, "kind": "+49", "done": False},
    {
        "count": 8,
        "number": "2",
        "price": 1.0,
        "day": None,
        "kind": 'plain; "quoted", with a comma',
        "done": False,
    },
)
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
"""CSV by LibreOffice: UTF-8, as shown, formulas as formulas, all worksheets."""


def main() -> int:
    """Write, convert, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--soffice", default="soffice", help="LibreOffice's program (default: %(default)s)")
    options = parser.parse_args()
    program = shutil.which(options.soffice)
    if program is None:
        print("no LibreOffice here: apt-get install libreoffice-calc-nogui", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        return _compare(Path(name), program)


def _compare(folder: Path, program: str) -> int:
    (folder / "odd.toml").write_text(FORM)
    template = load(folder / "odd.toml")
    rows = Rows()
    for serial, values in enumerate(EACH, 1):
        fields = {
            key: FieldReading(
                value, str(value), 0.97, "doubt" if serial == 1 else "sure", "=why", (0, 0, 9, 9)
            )
            for key, value in values.items()
        }
        rows.add(PageReading(f"photo {serial}.jpg", 1, template.name, serial, 0.05, fields))
    crops = {("photo 1.jpg", 1, "count"): np.full((60, 160), 200, np.uint8)}
    export.write_xlsx(folder / "rows.xlsx", template, rows, crops)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [
        program,
        "--headless",
        profile,
        "--convert-to",
        FILTER,
        "--outdir",
        str(folder),
        str(folder / "rows.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    with (folder / "rows-rows.csv").open(newline="") as file:
        found = list(csv.reader(file))
    wanted = [header(template), *([_shown(value) for value in row.cells(template)] for row in rows)]
    wrong = 0
    for line, (one, other) in enumerate(zip(found, wanted, strict=True), 1):
        for column, (seen, written) in enumerate(zip(one, other, strict=True), 1):
            if seen != written:
                wrong += 1
                print(f"row {line}, column {column}: LibreOffice has {seen!r}, written was {written!r}")
    with (folder / "rows-look.csv").open(newline="") as file:
        reasons = {row["reason"] for row in csv.DictReader(file)}
    if reasons != {"=why"}:
        wrong += 1
        print(f"a reason became something else: {reasons}")
    export.write_csv(folder / "rows.csv", template, rows)
    with (folder / "rows.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    for line, other in zip(lines[1:], wanted[1:], strict=True):
        for seen, written in zip(line, other, strict=True):
            text = seen.removeprefix("'")
            if text not in (written, written.lower(), f"{written}.0"):
                wrong += 1
                print(f"CSV has {seen!r}, written was {written!r}")
    print(f"{sum(map(len, wanted))} cells, {wrong} differ")
    return 1 if wrong else 0


def _shown(value: Value) -> str:
    """A value as LibreOffice shows it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
