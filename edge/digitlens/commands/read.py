"""digitlens read: documents, folders and archives of them, addresses, and videos."""

import argparse
import re
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from digitlens.batch.sources import Failure, Item, items
from digitlens.commands.reading_output import Csv, JsonLines, Names, Table
from digitlens.commands.terminal import add_reader_options, complain
from digitlens.core.arrays import Pixels
from digitlens.core.errors import DependencyError, PictureError
from digitlens.core.readings import Number, resized, scaled
from digitlens.core.stderr import quiet, quietly
from digitlens.images import documents, overlay, pictures
from digitlens.images.stages import Stages
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT, Classifier
from digitlens.reader import Reader

CROP_MARGIN = 0.25
"""Paper around a number's crop, in heights of its digits."""


def add_options(read: argparse.ArgumentParser) -> None:
    """The options of digitlens read."""
    read.set_defaults(run=run)
    read.add_argument(
        "paths", nargs="+", metavar="PATH",
        help="a picture, a document (PDF, TIFF, HEIC), a video, a folder, a zip or tar archive, a pattern, a "
        "manifest (.csv, .jsonl), an address (http, s3), or - for stdin",
    )  # fmt: skip
    form = read.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a page and line, for programs")
    form.add_argument("--csv", action="store_true", help="one row a number, for spreadsheets")
    read.add_argument("--overlay", type=Path, metavar="DIR", help="write each picture with its boxes there")
    read.add_argument(
        "--stages", type=Path, metavar="DIR", help="write how each picture was read there, step by step"
    )
    read.add_argument("--crops", type=Path, metavar="DIR", help="write a crop of each number there")
    read.add_argument(
        "--show", action="store_true", help="show each picture with its boxes until a key is pressed"
    )
    read.add_argument(
        "--model",
        default=DEFAULT,
        metavar="NAME|PATH",
        help=f"{', '.join(cards.names())}, or a model file with its card beside it (default: %(default)s)",
    )
    read.add_argument(
        "--separator",
        default="",
        metavar="SIGN",
        help="write SIGN where a decimal point or comma stands; without, digits alone are written",
    )
    add_reader_options(read)
    read.add_argument("--threads", type=int, default=1, help="of the network (default: %(default)s)")


class _Page(NamedTuple):
    """What is read at a time: a page, or a frame of a video. `suffix` parts its files from its document's."""

    pixels: Pixels
    size: tuple[int, int]
    time: float = 0.0
    page: int = 1
    several: bool = False
    suffix: str = ""


def run(options: argparse.Namespace) -> int:
    """Read every path; a failure is reported on stderr and does not stop the others."""
    with quiet():
        reader = Reader(
            Classifier.load(options.model, options.threads),
            separator=options.separator,
            signs=options.signs,
            least_confidence=options.least_confidence,
            printed=options.printed,
            turn=options.turn,
        )
    for folder in (options.overlay, options.crops):
        if folder is not None:
            pictures.make_folder(folder)
    return 1 if _Reading(reader, options).all() else 0


class _Reading:
    """One run of the command."""

    def __init__(self, reader: Reader, options: argparse.Namespace) -> None:
        self._reader, self._options = reader, options
        self._names = Names()
        self._output = JsonLines() if options.json else Csv() if options.csv else Table()
        self._drawn = options.overlay is not None or options.show
        self._failed = False

    def all(self) -> bool:
        """Read everything; whether something failed."""
        for one in items(self._options.paths, videos=True):
            if isinstance(one, Failure):
                self._fail(PictureError(f"{one.source}: {one.reason}"))
                continue
            try:
                self._read(one)
            except (PictureError, DependencyError) as error:
                self._fail(error)
        return self._failed

    def _fail(self, error: PictureError | DependencyError) -> None:
        self._failed = True
        complain(error)

    def _read(self, item: Item) -> None:
        """Read an item; what is drawn of it is written under names of its own."""
        name = self._names.of(item.source)
        is_video = item.path is not None and pictures.is_video(item.path)
        reader, options = self._reader, self._options
        with closing(self._frames(item.path) if item.path and is_video else self._pages(item)) as pages:
            for page in pages:
                own = self._names.unique(name + page.suffix) if page.suffix else name
                if options.stages is not None:
                    pictures.make_folder(options.stages / own)
                    reader = reader.watched(Stages(options.stages / own))
                reading = reader.read(page.pixels, item.source, page.time, page.page)
                reading = resized(reading, page.size)
                self._output.write(reading, is_video, page.several)
                if options.crops is not None:
                    self._crop(page, reading.numbers, own)
                if self._drawn:
                    image = overlay.draw(page.pixels, reading)
                    if options.overlay is not None:
                        pictures.save(options.overlay / f"{own}.png", image)
                    if options.show:
                        from digitlens.displays import sdl

                        texts = ", ".join(number.text for number in reading.numbers)
                        sdl.show(image, f"digitlens: {texts or 'no numbers'}")

    def _frames(self, path: Path) -> Generator[_Page, None, None]:
        for count, picture in enumerate(pictures.load(path, self._drawn)):
            yield _Page(picture.pixels, picture.size, picture.time, suffix=f"_{count:05}")

    def _pages(self, item: Item) -> Generator[_Page, None, None]:
        """The pages of a document; a broken one is reported."""
        name = item.file or item.source if item.path is not None else item.source
        for one in quietly(documents.pages(item.document(), name, color=self._drawn)):
            if one.image is None:
                self._fail(PictureError(f"{name}: {one.error}"))
                continue
            suffix = f"_page{one.page:04}" if one.several else ""
            yield _Page(one.image, one.size, 0.0, one.page, one.several, suffix)

    def _crop(self, page: _Page, numbers: tuple[Number, ...], name: str) -> None:
        """Write a crop of each number."""
        height, width = page.pixels.shape[:2]
        for count, number in enumerate(numbers, 1):
            x, y, wide, high = scaled(number.box, page.size, (width, height))
            margin = max(2, round(high * CROP_MARGIN))
            part = page.pixels[max(0, y - margin) : y + high + margin, max(0, x - margin) : x + wide + margin]
            text = re.sub(r"\W", "_", number.text)
            file = self._names.unique(f"{name}_{count:03}_{text}")
            pictures.save(self._options.crops / f"{file}.png", part)
