"""digitlens batch: an archive's documents, through worker processes, into tables."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from digitlens.batch.follow import SETTLE, follow
from digitlens.batch.numbers import NumberOptions
from digitlens.batch.pool import PAGE_SECONDS, Pool
from digitlens.batch.progress import ProgressLine
from digitlens.batch.rows import PageReaderOptions
from digitlens.batch.run import Readers, Run, Totals
from digitlens.batch.sheets import SheetOptions
from digitlens.batch.sources import items
from digitlens.batch.tables import SHARD_SECONDS
from digitlens.batch.writers import FORMATS
from digitlens.commands.terminal import add_reader_options, positive, reject_number_options
from digitlens.core.errors import BatchError
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT

FOLLOW_SECONDS = 10.0
"""Default of --commit with --follow, seconds."""


def add_options(batch: argparse.ArgumentParser) -> None:
    """The options of digitlens batch."""
    batch.set_defaults(run=run)
    batch.add_argument(
        "sources", nargs="*", metavar="SOURCE",
        help="a document, a folder, a zip or tar, a glob, a manifest (.csv, .jsonl), an address, or -",
    )  # fmt: skip
    batch.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where tables and report are written"
    )
    batch.add_argument(
        "--workers", type=positive, default=len(os.sched_getaffinity(0)), metavar="N",
        help="processes that read, each with one thread (default: one a core, here %(default)s)",
    )  # fmt: skip
    batch.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0], help="of the tables (default: %(default)s)"
    )
    batch.add_argument(
        "--follow", action="store_true", help="watch the folders for new files until it is stopped"
    )
    batch.add_argument(
        "--settle", type=float, default=SETTLE, metavar="SECONDS",
        help="with --follow: how long a file must not change before it is read (default: %(default)g)",
    )  # fmt: skip
    batch.add_argument(
        "--commit", type=float, metavar="SECONDS",
        help=f"write what was read so often; as much is read again after a crash (default: "
        f"{SHARD_SECONDS:g}, with --follow {FOLLOW_SECONDS:g})",
    )  # fmt: skip
    batch.add_argument(
        "--part",
        type=part,
        metavar="K/N",
        help="read the Kth of N parts of the documents, into a DIR of its own",
    )
    batch.add_argument(
        "--page-seconds", type=float, default=PAGE_SECONDS, metavar="SECONDS",
        help="give a page up that takes longer (default: %(default)g)",
    )  # fmt: skip
    batch.add_argument("--engine", choices=("local", "ray"), default="local", help="what runs the workers")
    batch.add_argument(
        "--address", metavar="ADDRESS", help="of the Ray cluster; auto: the one that runs here"
    )
    batch.add_argument(
        "--sample",
        type=positive,
        metavar="N",
        help="draw N numbers of DIR for a person to check, with their crops",
    )
    batch.add_argument(
        "--score", action="store_true", help="put the error rate of the checked sample into the report"
    )
    batch.add_argument("--report", action="store_true", help="write the report of DIR anew")
    batch.add_argument(
        "--model", default=DEFAULT, metavar="NAME|PATH",
        help=f"{', '.join(cards.names())}, or a model file with its card beside it (default: %(default)s)",
    )  # fmt: skip
    batch.add_argument(
        "--separator", default="", metavar="SIGN", help="write SIGN for a decimal point or comma"
    )
    batch.add_argument(
        "--sheet", type=Path, metavar="TEMPLATE.toml", help="the pages are sheets of this form: a row a field"
    )
    add_reader_options(batch)


def part(text: str) -> tuple[int, int]:
    """An option K/N, 1 <= K <= N."""
    one, slash, parts = text.partition("/")
    if not slash or not one.isdecimal() or not parts.isdecimal() or not 1 <= int(one) <= int(parts):
        raise argparse.ArgumentTypeError(f"{text}: take K/N, such as 3/10")
    return int(one), int(parts)


def run(options: argparse.Namespace) -> int:
    """Read the sources, or report on what was read; 0 if nothing failed."""
    if options.sample is not None or options.score or options.report:
        if options.sources:
            raise BatchError(
                "--sample, --score and --report are about a DIR that is read: leave the sources out"
            )
        return _look(options)
    if not options.sources:
        raise BatchError("nothing to read: name a SOURCE, or take --sample, --score or --report")
    if options.follow and options.engine == "ray":
        raise BatchError("--follow needs --engine local")
    what = _what(options)
    seconds = options.commit or (FOLLOW_SECONDS if options.follow else SHARD_SECONDS)
    one = Run(options.out, tuple(options.sources), what, options.format, options.part, seconds)
    stop = threading.Event()
    listed = follow(options.sources, stop, options.settle) if options.follow else items(options.sources)
    line = ProgressLine(sys.stderr, None if options.follow else options.sources)
    with _stopping(stop):
        totals = one.go(listed, _readers(options, what), line.show, stop)
    line.end(totals)
    return _ended(options, totals)


def _what(options: argparse.Namespace) -> PageReaderOptions:
    """What is read of a page."""
    if options.sheet is None:
        return NumberOptions(
            options.model,
            options.separator,
            options.printed,
            options.turn,
            options.signs,
            options.least_confidence,
        )
    reject_number_options(options, BatchError)
    return SheetOptions(options.sheet, options.model)


def _readers(options: argparse.Namespace, what: PageReaderOptions) -> Callable[[], Readers]:
    if options.engine == "ray":
        from digitlens.batch.ray_data import RayReaders

        return lambda: RayReaders(what, options.workers, options.address, options.page_seconds)
    return lambda: Pool(what, options.workers, options.page_seconds)


def _ended(options: argparse.Namespace, totals: Totals) -> int:
    from digitlens.batch.report import write_report

    write_report(options.out)
    if totals.stopped and not options.follow:
        sys.stderr.write("digitlens: stopped; the same command goes on\n")
        return 130
    return 1 if totals.failed or totals.failed_before else 0


def _look(options: argparse.Namespace) -> int:
    from digitlens.batch.report import write_report
    from digitlens.batch.sample import draw
    from digitlens.batch.score import score

    if options.sample is not None:
        print(draw(options.out, options.sample))
    if options.score:
        print(score(options.out))
    print(write_report(options.out))
    return 0


class _stopping:  # noqa: N801  # a context manager
    """SIGINT and SIGTERM set an event; a second one ends the program."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._signalled)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        self._stop.set()

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
