"""digitlens sheet read: filled-in forms -> values, a row a sheet."""

import argparse
import sys
from pathlib import Path

import msgspec

from digitlens.batch.sources import Failure, Item, items
from digitlens.commands.terminal import complain, value_text
from digitlens.core.arrays import Gray
from digitlens.core.errors import DependencyError, DigitLensError, PictureError, SheetError
from digitlens.core.paths import printable
from digitlens.core.stderr import quiet
from digitlens.images import documents
from digitlens.images.document_page import DocumentPage
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT, Classifier
from digitlens.sheets import export
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.readings import DOUBTFUL, PageReading
from digitlens.sheets.rows import Rows
from digitlens.sheets.template import load


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of digitlens sheet read."""
    command.set_defaults(run=run)
    command.add_argument("template", type=Path, metavar="TEMPLATE.toml")
    command.add_argument(
        "paths", nargs="+", metavar="PATH",
        help="a photo, a scan, a PDF or TIFF of any pages, a folder, an archive, a pattern, or - for stdin",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object a page and line, for programs")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row a sheet there")
    command.add_argument(
        "--xlsx", type=Path, metavar="FILE", help="write one row a sheet there, and crops of what is in doubt"
    )
    command.add_argument(
        "--model", default=DEFAULT, metavar="NAME|PATH",
        help=f"{', '.join(cards.names())}, or a model file with its card beside it (default: %(default)s)",
    )  # fmt: skip
    command.add_argument("--threads", type=int, default=1, help="of the network (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Read every page; a failure is one line on stderr and does not stop the others."""
    template = load(options.template)
    with quiet():
        reader = SheetReader.load(template, Classifier.load(options.model, options.threads))
    return _Run(reader, options).all()


class _Run:
    """One run of the command."""

    def __init__(self, reader: SheetReader, options: argparse.Namespace) -> None:
        self._reader, self._options = reader, options
        self._rows = Rows()
        self._crops: dict[tuple[str, int, str], Gray] = {}
        self._failed = False

    def all(self) -> int:
        """The exit status."""
        for one in items(self._options.paths):
            if isinstance(one, Failure):
                self._fail(PictureError(f"{one.source}: {one.reason}"))
                continue
            try:
                for page in documents.pages(one.document(), one.source, color=False):
                    self._page(one, page)
            except (PictureError, DependencyError) as error:
                self._fail(error)
        template = self._reader.form.template
        if self._options.csv is not None:
            export.write_csv(self._options.csv, template, self._rows)
        if self._options.xlsx is not None:
            export.write_xlsx(self._options.xlsx, template, self._rows, self._crops)
        return 1 if self._failed else 0

    def _page(self, item: Item, page: DocumentPage) -> None:
        source = f"{item.source}#{page.page}" if page.several else item.source
        if page.image is None:
            self._fail(PictureError(f"{source}: {page.error}"))
            return
        try:
            seen = self._reader.seen(page.image)
        except SheetError as error:
            self._fail(SheetError(f"{source}: {error}"))
            return
        scale = page.size[0] / page.image.shape[1], page.size[1] / page.image.shape[0]
        reading = self._reader.decided(seen, source, scale)
        if self._rows.add(reading):
            sys.stderr.write(
                f"digitlens: {printable(source)}: page {reading.page} of serial {reading.serial} was read "
                "before; this picture of it counts\n"
            )
        if self._options.xlsx is not None:
            boxes = self._reader.form.layout.fields
            self._crops |= export.field_crops(
                source, reading.page, reading.fields, lambda name: seen.page.crop(boxes[name].box)
            )
        if self._options.json:
            sys.stdout.buffer.write(msgspec.json.encode(reading) + b"\n")
        elif self._options.csv is None and self._options.xlsx is None:
            _print(reading)

    def _fail(self, error: DigitLensError) -> None:
        self._failed = True
        complain(error)


def _print(reading: PageReading) -> None:
    """The table for people: the page, then a line a field that is not empty."""
    serial = f", serial {reading.serial}" if reading.serial else ""
    sys.stdout.write(
        f"{printable(reading.source)}: {reading.template} page {reading.page}{serial}, "
        f"aligned to {reading.alignment_mm:.2f} mm\n"
    )
    for name, one in reading.fields.items():
        if one.state == "empty":
            continue
        note = f"   {one.state}: {one.reason}" if one.state in DOUBTFUL else ""
        sys.stdout.write(f"    {name:<28} {value_text(one.value):<12} {one.confidence:6.1%}{note}\n")
