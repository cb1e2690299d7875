"""python -m digitlens_convert convert | benchmark | papers | sheets | steady."""

import argparse
import os
import sys
from pathlib import Path

from digitlens.commands.terminal import complain, positive
from digitlens.core.errors import DigitLensError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if options.command == "convert":
            from digitlens_convert.convert import convert

            for run in options.runs:
                convert(run, options.out, options.mnist)
        elif options.command == "papers":
            from digitlens_convert import papers

            papers.run(options.folders, options.model, options.peers, options.json)
        elif options.command == "sheets":
            from digitlens_convert import sheets

            sheets.run(
                options.templates, options.count, options.data, options.model, options.seed,
                options.processes, options.strikes, options.json,
            )  # fmt: skip
        elif options.command == "steady":
            from digitlens_convert import benchmark

            benchmark.run_steady(
                options.out, options.model, options.mnist, options.frames, options.count, options.seed
            )
        else:
            from digitlens_convert import benchmark

            if options.speed:
                benchmark.run_speed(options.out, options.model, options.mnist, options.peers)
            elif options.ink:
                benchmark.run_ink(options.out, options.ink, options.ink_run)
            elif options.strips:
                benchmark.run_strips(
                    options.out, options.strips, options.numbers, options.numbers_run, options.peers
                )
            elif options.pages:
                benchmark.run_pages(
                    options.out,
                    options.pages,
                    options.model,
                    options.notebook,
                    options.keras,
                    options.peers,
                )
            else:
                benchmark.run_digits(
                    options.out,
                    options.model,
                    options.run,
                    options.others,
                    options.validation,
                    options.mnist,
                    options.peers,
                )
    except DigitLensError as error:
        complain(error, "digitlens_convert")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitlens_convert", description="Quantize the networks; measure them."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("convert", help="a finished training run -> model files with their cards")
    convert.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folder of python -m digitlens_train"
    )
    convert.add_argument(
        "--out",
        type=Path,
        default=Path("edge/digitlens/models"),
        help="folder for the shipped files (default: %(default)s); the float32 file stays in the run's",
    )
    benchmark = commands.add_parser(
        "benchmark",
        help="float32 against int8 on digits; --ink: on pixels; --pages, --strips or --speed: the reader",
    )
    benchmark.add_argument(
        "--out", type=Path, default=Path("benchmarks"), help="folder (default: %(default)s)"
    )
    benchmark.add_argument(
        "--model", default="digits", metavar="NAME|PATH", help="int8 (default: %(default)s)"
    )
    benchmark.add_argument(
        "--run",
        type=Path,
        default=Path("runs/digits"),
        metavar="DIR",
        help="its training run, with its float files (default: %(default)s; convert writes them)",
    )
    benchmark.add_argument(
        "--others",
        nargs="*",
        default=["seed", "svm"],
        metavar="NAME",
        help="more models in the table (default: seed svm)",
    )
    benchmark.add_argument(
        "--validation",
        type=Path,
        metavar="DIR",
        help="folders of labeled pictures, and hasy.npz with negatives",
    )
    benchmark.add_argument(
        "--peers",
        action="store_true",
        help="peers in the same run: ONNX Runtime, OpenCV and Keras on the same weights; with --pages, "
        "RapidOCR and, where it is installed, Tesseract; with --strips or --speed, RapidOCR",
    )
    benchmark.add_argument(
        "--pages", nargs="+", type=Path, metavar="DIR", help="folders of pictures with a labels.json"
    )
    benchmark.add_argument(
        "--strips",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="such folders: rows cut into digits against rows read by the network, float32 against int8",
    )
    benchmark.add_argument(
        "--ink",
        nargs="?",
        const="ink",
        metavar="NAME|PATH",
        help="the ink network, int8, against its float32 file, by pixels (default: ink)",
    )
    benchmark.add_argument(
        "--ink-run",
        type=Path,
        default=Path("runs/ink"),
        metavar="DIR",
        help="with --ink: its training run, with its float32 file (default: %(default)s)",
    )
    benchmark.add_argument(
        "--numbers", default="numbers", metavar="NAME|PATH", help="with --strips: int8 (default: %(default)s)"
    )
    benchmark.add_argument(
        "--numbers-run",
        type=Path,
        default=Path("runs/numbers"),
        metavar="DIR",
        help="with --strips: its training run, with its float32 file (default: %(default)s)",
    )
    benchmark.add_argument(
        "--speed", action="store_true", help="the reader's time against a lower bound, by pixels and digits"
    )
    benchmark.add_argument(
        "--notebook",
        type=Path,
        metavar="FILE",
        help="with --pages: time the notebook's reader on this page, too",
    )
    benchmark.add_argument(
        "--keras",
        type=Path,
        default=Path("runs/seed/seed.keras"),
        metavar="FILE",
        help="the network for --notebook",
    )
    papers = commands.add_parser(
        "papers", help="the reader on other people's paper: numbers found and false, by kind and by source"
    )
    papers.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="DIR",
        help='folders of pictures with a labels.json: {"a.jpg": {"numbers": ["12", "8/12"], '
        '"printed": ["3"], "kind": "table"}}, and, if there is one, a sources.json: '
        '{"a.jpg": {"repo": "name"}}',
    )
    papers.add_argument("--model", default="digits", metavar="NAME|PATH", help="default: %(default)s")
    papers.add_argument("--peers", action="store_true", help="RapidOCR in the same run")
    papers.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every picture there")
    _sheets(commands.add_parser("sheets", help="sheet read on generated sheets by held-out hands"))
    steady = commands.add_parser(
        "steady",
        help="the tracker over pages under hand shake and blank sheets: when steady, and whether right",
    )
    steady.add_argument("--out", type=Path, default=Path("benchmarks"), help="folder (default: %(default)s)")
    steady.add_argument("--model", default="digits", metavar="NAME|PATH", help="default: %(default)s")
    steady.add_argument(
        "--frames", type=positive, default=1000, help="of each sequence (default: %(default)s)"
    )
    steady.add_argument(
        "--count", type=positive, default=3, help="of pages, and of blank sheets (default: %(default)s)"
    )
    steady.add_argument("--seed", type=int, default=2026, help="of everything random (default: %(default)s)")
    for command in (convert, benchmark, steady):
        command.add_argument(
            "--mnist", type=Path, metavar="FILE", help="MNIST as npz (default: through keras.datasets)"
        )
    return parser


def _sheets(sheets: argparse.ArgumentParser) -> None:
    sheets.add_argument("templates", nargs="+", type=Path, metavar="TEMPLATE.toml")
    sheets.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with the data sets; without: drawn digits"
    )
    sheets.add_argument("--count", type=positive, default=300, help="of sheets (default: %(default)s)")
    sheets.add_argument("--model", default="digits", metavar="NAME|PATH", help="default: %(default)s")
    sheets.add_argument("--seed", type=int, default=2027, help="of everything random (default: %(default)s)")
    sheets.add_argument("--processes", type=positive, default=2, help="default: %(default)s")
    sheets.add_argument(
        "--strikes",
        type=float,
        default=0.002,
        metavar="SHARE",
        help="of cells struck out (default: %(default)s)",
    )
    sheets.add_argument("--json", type=Path, metavar="FILE", help="write every field of every sheet there")


if __name__ == "__main__":
    sys.exit(main())
