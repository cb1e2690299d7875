"""digitlens read: photos, folders of them and videos."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import msgspec

from digitlens.commands.terminal import add_reader_options, complain
from digitlens.core.confidence import percent
from digitlens.core.errors import PictureError
from digitlens.core.paths import printable
from digitlens.core.readings import Reading, resized
from digitlens.core.stderr import quiet
from digitlens.images import overlay, pictures
from digitlens.images.stages import Stages
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT, Classifier
from digitlens.reader import Reader


def add_options(read: argparse.ArgumentParser) -> None:
    """The options of digitlens read."""
    read.set_defaults(run=run)
    read.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a photo, a video or a folder")
    read.add_argument("--json", action="store_true", help="one JSON object a picture and line, for programs")
    read.add_argument("--overlay", type=Path, metavar="DIR", help="write each picture with its boxes there")
    read.add_argument(
        "--stages", type=Path, metavar="DIR", help="write how each picture was read there, step by step"
    )
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


def run(options: argparse.Namespace) -> int:
    """Read every path; a failure is reported on stderr and does not stop the others."""
    with quiet():
        reader = Reader(
            Classifier.load(options.model, options.threads),
            separator=options.separator,
            printed=options.printed,
            turn=options.turn,
        )
    if options.overlay is not None:
        pictures.make_folder(options.overlay)
    failed = False
    names = Counter[str]()
    for path in options.paths:
        try:
            files = pictures.expand(path)
        except PictureError as error:
            complain(error)
            failed = True
            continue
        for file in files:
            names[file.name] += 1
            count = names[file.name]
            try:
                _read_file(file, reader, options, file.name if count == 1 else f"{file.name}-{count}")
            except PictureError as error:
                complain(error)
                failed = True
    return 1 if failed else 0


def _read_file(file: Path, reader: Reader, options: argparse.Namespace, name: str) -> None:
    """Read a file; what is drawn of it is written under `name`."""
    drawn = options.overlay is not None or options.show
    before: list[str] | None = None
    is_video = pictures.is_video(file)
    for count, picture in enumerate(pictures.load(file, color=drawn)):
        if options.stages is not None:
            folder = options.stages / (f"{name}_{count:05}" if is_video else name)
            pictures.make_folder(folder)
            reader = reader.watched(Stages(folder))
        reading = reader.read(picture.pixels, picture.source, picture.time)
        reading = resized(reading, picture.size)
        texts = [number.text for number in reading.numbers]
        if options.json:
            sys.stdout.buffer.write(msgspec.json.encode(reading) + b"\n")
        elif texts != before:  # a video's frames that say the same are one entry
            _print(reading, is_video)
        before = texts
        if drawn:
            image = overlay.draw(picture.pixels, reading)
            if options.overlay is not None:
                suffix = f"_{count:05}.png" if is_video else ".png"
                pictures.save(options.overlay / (name + suffix), image)
            if options.show:
                from digitlens.displays import sdl

                sdl.show(image, f"digitlens: {', '.join(texts) or 'no numbers'}")


def _print(reading: Reading, is_video: bool) -> None:
    """The table for people: the picture, then a line a number."""
    source = printable(reading.source)
    print(f"{source} at {reading.time:.2f} s" if is_video else source)
    if not reading.numbers:
        print("    no numbers")
    for number in reading.numbers:
        x, y, _, _ = number.box
        mark = "   printed" if number.printed else ""
        print(f"    {number.text:<16} {percent(number.confidence):>5}   at {x}, {y}{mark}")
