"""python -m digitlens_train digits | numbers | teacher | distill | cnn | svm | sheet | film | pages."""

import argparse
import os
import sys
from pathlib import Path

from digitlens.commands.terminal import complain, positive
from digitlens.core.errors import DigitLensError
from digitlens_train.synthetic import KINDS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="digitlens_train", description="Fit the classifiers on a workstation."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    digits = commands.add_parser("digits", help="the network for crops of paper")
    digits.add_argument("--out", type=Path, default=Path("runs/digits"), help="folder of the run")
    digits.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    digits.add_argument(
        "--epochs",
        type=positive,
        default=46,
        help="of 120,000 pictures; 6 more end the run (default: %(default)s)",
    )
    digits.add_argument(
        "--pictures",
        type=positive,
        metavar="N",
        help="drawn on paper before the first epoch, for all of them to choose from (default: 582,000)",
    )
    digits.add_argument(
        "--start",
        default="",
        metavar="NAME|FILE",
        help="begin with the weights of this int8 network, such as digits, instead of from nothing",
    )
    digits.add_argument("--rate", type=float, default=3e-3, help="learning rate (default: %(default)s)")
    digits.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with optdigits, semeion, omniglot, hasy as npz"
    )
    digits.add_argument(
        "--extra", type=Path, metavar="DIR", help="your own crops, in folders named 0 to 9 and other"
    )
    numbers = commands.add_parser("numbers", help="the network that reads a row whole")
    numbers.add_argument("--out", type=Path, default=Path("runs/numbers"), help="folder of the run")
    numbers.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    numbers.add_argument(
        "--epochs", type=positive, default=20, help="of 21,000 strips (default: %(default)s)"
    )
    numbers.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with optdigits, semeion, omniglot, hasy as npz"
    )
    numbers.add_argument("--start", type=Path, metavar="FILE", help="a fitted numbers.keras, which learns on")
    numbers.add_argument(
        "--rate", type=float, default=3e-3, help="the highest of learning (default: %(default)s)"
    )
    numbers.add_argument(
        "--threads", type=positive, default=os.cpu_count(), help="to learn and to draw strips with"
    )
    large = commands.add_parser("teacher", help="a large network for rows, for `distill` (extra gpu)")
    distill = commands.add_parser("distill", help="numbers, to answer as a teacher does (extra gpu)")
    distill.add_argument(
        "--teacher", type=Path, required=True, metavar="FILE", help="a teacher.npz, of the command `teacher`"
    )
    for command in (large, distill):
        command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
        command.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
        command.add_argument(
            "--epochs", type=positive, default=50, help="of 25,000 strips (default: %(default)s)"
        )
        command.add_argument(
            "--data", type=Path, metavar="DIR", help="folder with optdigits, semeion, omniglot, hasy as npz"
        )
        command.add_argument(
            "--start", type=Path, metavar="FILE", help="weights that learn on: a teacher.npz or numbers.keras"
        )
        command.add_argument(
            "--pixels", type=positive, default=6144, help="of a batch's rows (default: %(default)s)"
        )
        command.add_argument(
            "--rate", type=float, default=1.2e-3, help="the highest of learning (default: %(default)s)"
        )
    cnn = commands.add_parser("cnn", help="the original notebook's convolutional network (seed)")
    cnn.add_argument(
        "--out", type=Path, default=Path("runs/seed"), help="folder of the run (default: %(default)s)"
    )
    cnn.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    cnn.add_argument(
        "--phases",
        type=positive,
        nargs="+",
        default=[3, 3],
        metavar="EPOCHS",
        help="epochs of each fit; the test set is looked at after each (default: 3 3)",
    )
    svm = commands.add_parser("svm", help="the notebook's other classifier: HOG features and a linear SVM")
    svm.add_argument(
        "--out", type=Path, default=Path("runs/svm"), help="folder of the run (default: %(default)s)"
    )
    sheet = commands.add_parser("sheet", help="a page of MNIST's test digits, such as the README's example")
    sheet.add_argument("rows", nargs="+", metavar="ROW", help="digits and spaces of one row")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture to write")
    film = commands.add_parser("film", help="such a page under a hand-held camera, for digitlens live")
    film.add_argument("rows", nargs="+", metavar="ROW", help="digits and spaces of one row")
    film.add_argument("--frames", type=positive, default=300, help="of 30 a second (default: %(default)s)")
    film.add_argument("--still", action="store_true", help="the camera stands still: its noise alone")
    film.add_argument("--out", type=Path, required=True, metavar="FILE.avi", help="the film to write")
    pages = commands.add_parser("pages", help="synthetic pages with a labels.json, for the benchmark")
    pages.add_argument("--kind", choices=KINDS, default="numbers", help="default: %(default)s")
    pages.add_argument("--strip", action="store_true", help="of one row each, cut out closely")
    pages.add_argument("--count", type=positive, default=100, help="of pages (default: %(default)s)")
    pages.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    pages.add_argument("--data", type=Path, metavar="DIR", help="folder with omniglot as npz, for the words")
    for command in (cnn, svm):
        command.add_argument("--limit", type=positive, metavar="N", help="only the first N training pictures")
    for command in (sheet, film):
        command.add_argument("--blank", action="store_true", help="on paper without ruled lines")
    for command in (digits, numbers, large, distill, cnn, svm, sheet, film, pages):
        command.add_argument(
            "--mnist", type=Path, metavar="FILE", help="MNIST as npz (default: through keras.datasets)"
        )
        command.add_argument(
            "--seed", type=int, default=2026, help="of everything random (default: %(default)s)"
        )
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if options.command == "digits":
            from digitlens_train import crops
            from digitlens_train import digits as digits_run

            settings = digits_run.Config(
                epochs=options.epochs,
                seed=options.seed,
                rate=options.rate,
                start=options.start,
                mix=crops.Mix.of(options.pictures) if options.pictures else crops.Mix(),
            )
            sources = options.mnist, options.data, options.extra
            digits_run.fit(settings, options.out, *sources, options.resume)
        elif options.command == "numbers":
            from digitlens_train import numbers as numbers_run

            os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(options.threads))
            config_ = numbers_run.Config(epochs=options.epochs, rate=options.rate, seed=options.seed)
            files = options.mnist, options.data
            numbers_run.fit(config_, options.out, *files, options.resume, options.start, options.threads)
        elif options.command in ("teacher", "distill"):
            _distill(options)
        elif options.command == "cnn":
            from digitlens_train import cnn as cnn_run

            config = cnn_run.Config(phases=tuple(options.phases), seed=options.seed, limit=options.limit)
            cnn_run.fit(config, options.out, options.mnist, options.resume)
        elif options.command in ("sheet", "film"):
            _sheet(options)
        elif options.command == "pages":
            _pages(options)
        else:
            from digitlens_train import svm as svm_run

            svm_run.fit(options.out, options.mnist, seed=options.seed, limit=options.limit)
    except DigitLensError as error:
        complain(error, "digitlens_train")
        return 1
    except KeyboardInterrupt:
        print("digitlens_train: stopped; what was saved stays, go on with --resume", file=sys.stderr)
        return 130
    return 0


def _distill(options: argparse.Namespace) -> None:
    from importlib.util import find_spec

    from digitlens_train.data import DataError

    if find_spec("torch") is None:
        raise DataError(f"{options.command}: needs PyTorch; install digitlens with the extra gpu")
    from digitlens_train import distill

    config = distill.Config(
        epochs=options.epochs, pixels=options.pixels, rate=options.rate, seed=options.seed
    )
    taught_by = options.teacher if options.command == "distill" else None
    files = options.mnist, options.data
    distill.fit(config, options.out, *files, options.resume, options.start, taught_by)


def _sheet(options: argparse.Namespace) -> None:
    from digitlens.images import pictures
    from digitlens_train import pages
    from digitlens_train.data import DataError, load_mnist

    for row in options.rows:
        if not row or set(row) - set("0123456789 "):
            raise DataError(f"{row!r}: a row is written with digits and spaces")
    data = load_mnist(options.mnist)
    paper = pages.Paper(rule=None) if options.blank else pages.Paper()
    page = pages.compose(options.rows, data.x_test, data.y_test, options.seed, paper)
    if options.command == "film":
        from digitlens_train import film

        film.write(options.out, page, options.frames, options.seed, options.still)
    else:
        pictures.save(options.out, page)


def _pages(options: argparse.Namespace) -> None:
    import json

    import numpy as np

    from digitlens.images import pictures
    from digitlens_train import crops, synthetic
    from digitlens_train.data import DataError, load_mnist

    if options.out.exists():
        raise DataError(f"{options.out}: is there already; name a new folder with --out")
    data = load_mnist(options.mnist)
    signs = crops.load_sources((data.x_test, data.y_test), options.data).others[:1]
    options.out.mkdir(parents=True)
    labels = {}
    for number in range(options.count):
        random = np.random.default_rng((options.seed, number))
        letters = signs[0] if signs else []
        digits = list(data.x_test), data.y_test
        page, rows = synthetic.page(options.kind, digits, letters, random, options.strip)
        name = f"{options.kind}_{number:04}.png"
        pictures.save(options.out / name, page)
        labels[name] = rows
    (options.out / "labels.json").write_text(json.dumps(labels, indent=1))


if __name__ == "__main__":
    sys.exit(main())
