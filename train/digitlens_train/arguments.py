"""The command line of python -m digitlens_train."""

import argparse
import os
import sys
from pathlib import Path

from digitlens.commands.terminal import Renamed, positive
from digitlens_train.synthetic import KINDS

FORMS = ("exam_marks", "inventory_count", "score_card")
DATA = "folder with optdigits, semeion, omniglot, hasy as npz"


class _Renamed(Renamed):
    """Warns once, however often the option is given."""

    warned = False

    def report(self, option: str | None) -> None:
        """See Renamed."""
        if not self.warned:
            print(f"digitlens_train: {option} is deprecated; use {self.to}", file=sys.stderr)
            self.warned = True


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="digitlens_train", description="Fit the classifiers on a workstation."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    digits = commands.add_parser("digits", help="the network for crops of paper")
    numbers = commands.add_parser("numbers", help="the network that reads a row without segmentation")
    teacher = commands.add_parser("teacher", help="a large network for rows, for `distill` (extra gpu)")
    distill = commands.add_parser("distill", help="numbers, to answer as a teacher does (extra gpu)")
    ink = commands.add_parser("ink", help="the network that classifies a picture's pixels (extra gpu)")
    scores = commands.add_parser("scores", help="the small networks pairs and plausibility")
    hypotheses = commands.add_parser("hypotheses", help="the score of a row's hypotheses")
    cells = commands.add_parser(
        "cells", help="the small networks that say how far a form's cells are read right, and what is marked"
    )
    cell_digits = commands.add_parser(
        "cell-digits", help="the digit network of forms' cells: `digits`, trained on with generated sheets"
    )
    cnn = commands.add_parser("cnn", help="the original notebook's convolutional network (seed)")
    svm = commands.add_parser("svm", help="the notebook's other classifier: HOG features and a linear SVM")
    sheet = commands.add_parser("sheet", help="a page of MNIST's test digits, such as the README's example")
    film = commands.add_parser("film", help="such a page under a hand-held camera, for digitlens live")
    pages = commands.add_parser("pages", help="synthetic pages with a labels.json, for the benchmark")
    paper = commands.add_parser(
        "paper", help="generated paper: patches above their truth, to look at, or pages with a labels.json"
    )
    hands = commands.add_parser(
        "hands",
        help="strips by held-out writers and fonts with a labels.json, for `digitlens_convert papers`",
    )
    hands.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    hands.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with unipen_*.npz")
    hands.add_argument("--count", type=positive, default=500, help="of each kind (default: %(default)s)")
    looks = commands.add_parser("looks", help="what many looks at a number in films add to its confidence")
    _digits(digits)
    _numbers(numbers)
    distill.add_argument(
        "--teacher", type=Path, required=True, metavar="FILE", help="a teacher.npz of the command `teacher`"
    )
    for command in (teacher, distill):
        _distill(command)
    _ink(ink)
    _scores(scores)
    _hypotheses(hypotheses)
    _cells(cells)
    _cell_digits(cell_digits)
    _notebook(cnn, svm)
    _pictures(sheet, film, pages)
    _paper(paper)
    looks.add_argument("--films", type=positive, default=200, help="to fit on (default: %(default)s)")
    looks.add_argument("--processes", type=positive, default=2, help="that read them (default: %(default)s)")
    looks.add_argument("--out", type=Path, default=Path("runs/looks"), help="folder of the run")
    of_mnist = (
        digits,
        numbers,
        teacher,
        distill,
        hypotheses,
        cnn,
        svm,
        sheet,
        film,
        pages,
        looks,
    )
    for command in of_mnist:
        command.add_argument(
            "--mnist", type=Path, metavar="FILE", help="MNIST as npz (default: through keras.datasets)"
        )
    for command in (*of_mnist, paper, ink, scores, hands, cells, cell_digits):
        command.add_argument(
            "--seed", type=int, default=2026, help="of everything random (default: %(default)s)"
        )
    return parser


def _digits(digits: argparse.ArgumentParser) -> None:
    digits.add_argument("--out", type=Path, default=Path("runs/digits"), help="folder of the run")
    _resume(digits)
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
        help="crops drawn on paper before the first epoch (default: 582,000)",
    )
    digits.add_argument(
        "--warm-start",
        default="",
        metavar="NAME|FILE",
        help="begin with the weights of this int8 network, such as digits, and not with random ones",
    )
    digits.add_argument("--start", action=_Renamed, to="--warm-start", dest="warm_start")
    digits.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (default: %(default)s)")
    digits.add_argument("--data", type=Path, metavar="DIR", help=DATA)
    digits.add_argument(
        "--user-crops", type=Path, metavar="DIR", help="your own crops, in folders named 0 to 9 and other"
    )
    digits.add_argument("--extra", action=_Renamed, to="--user-crops", dest="user_crops", type=Path)


def _numbers(numbers: argparse.ArgumentParser) -> None:
    numbers.add_argument("--out", type=Path, default=Path("runs/numbers"), help="folder of the run")
    _resume(numbers)
    numbers.add_argument("--epochs", type=positive, default=20, help="of 21,000 rows (default: %(default)s)")
    numbers.add_argument("--data", type=Path, metavar="DIR", help=DATA)
    _warm_start(numbers, "a fitted numbers.keras to begin with")
    numbers.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (default: %(default)s)")
    numbers.add_argument(
        "--threads", type=positive, default=os.cpu_count(), help="that learn, and processes that draw rows"
    )


def _distill(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    _resume(command)
    command.add_argument("--epochs", type=positive, default=50, help="of 25,000 rows (default: %(default)s)")
    command.add_argument("--data", type=Path, metavar="DIR", help=DATA)
    _warm_start(command, "weights to begin with: a teacher.npz or numbers.keras")
    command.add_argument(
        "--pixels", type=positive, default=6144, help="pixel columns of a batch (default: %(default)s)"
    )
    command.add_argument(
        "--rate", type=float, default=1.2e-3, help="peak learning rate (default: %(default)s)"
    )


def _ink(ink: argparse.ArgumentParser) -> None:
    ink.add_argument("--out", type=Path, default=Path("runs/ink"), help="folder of the run")
    _resume(ink)
    ink.add_argument("--steps", type=positive, default=60_000, help="of 16 patches (default: %(default)s)")
    ink.add_argument("--data", type=Path, metavar="DIR", help="folder with handwriting as npz")
    _warm_start(ink, "an ink.keras, or a checkpoint epoch-NN.pt, to begin with")
    ink.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (default: %(default)s)")
    ink.add_argument(
        "--processes",
        type=positive,
        default=0,
        metavar="N",
        help="that draw patches (default: one less than there are cores); the other cores learn",
    )


def _scores(scores: argparse.ArgumentParser) -> None:
    scores.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of both networks")
    scores.add_argument("--data", type=Path, metavar="DIR", help="folder with handwriting as npz")
    scores.add_argument(
        "--pages", type=positive, default=1500, metavar="N", help="to learn from (default: %(default)s)"
    )
    scores.add_argument(
        "--held-out-pages",
        type=positive,
        default=400,
        metavar="N",
        help="by other hands, for the figures (default: %(default)s)",
    )
    scores.add_argument(
        "--processes", type=positive, default=2, metavar="N", help="that read pages (default: %(default)s)"
    )
    scores.add_argument(
        "--ink", default="ink", metavar="NAME|FILE", help="network to read with (default: %(default)s)"
    )
    scores.add_argument(
        "--again",
        action="store_true",
        help="fit anew to the learnt.npz and held_out.npz in --out, with their seed",
    )
    scores.add_argument(
        "--mean-with", type=Path, metavar="DIR", help="write the mean of this fit and of the networks in DIR"
    )


def _hypotheses(hypotheses: argparse.ArgumentParser) -> None:
    hypotheses.add_argument(
        "--out", type=Path, default=Path("runs/hypotheses"), help="folder of weights and card"
    )
    hypotheses.add_argument("--data", type=Path, metavar="DIR", help="folder with handwriting as npz")
    hypotheses.add_argument(
        "--pictures", type=positive, default=6000, metavar="N", help="to learn from (default: %(default)s)"
    )
    hypotheses.add_argument(
        "--held-out-pictures",
        type=positive,
        default=1500,
        metavar="N",
        help="by other hands, for the figures (default: %(default)s)",
    )


def _notebook(cnn: argparse.ArgumentParser, svm: argparse.ArgumentParser) -> None:
    cnn.add_argument(
        "--out", type=Path, default=Path("runs/seed"), help="folder of the run (default: %(default)s)"
    )
    _resume(cnn)
    cnn.add_argument(
        "--phases",
        type=positive,
        nargs="+",
        default=[3, 3],
        metavar="EPOCHS",
        help="epochs of each fit; the test set is evaluated after each (default: 3 3)",
    )
    svm.add_argument(
        "--out", type=Path, default=Path("runs/svm"), help="folder of the run (default: %(default)s)"
    )
    for command in (cnn, svm):
        command.add_argument("--limit", type=positive, metavar="N", help="only the first N training pictures")


def _pictures(
    sheet: argparse.ArgumentParser, film: argparse.ArgumentParser, pages: argparse.ArgumentParser
) -> None:
    for command in (sheet, film):
        command.add_argument("rows", nargs="+", metavar="ROW", help="digits and spaces of one row")
        command.add_argument("--blank", action="store_true", help="on paper without ruled lines")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture to write")
    film.add_argument("--frames", type=positive, default=300, help="of 30 a second (default: %(default)s)")
    film.add_argument("--still", action="store_true", help="the camera stands still; only its noise moves")
    film.add_argument("--out", type=Path, required=True, metavar="FILE.avi", help="the film to write")
    pages.add_argument("--kind", choices=KINDS, default="numbers", help="default: %(default)s")
    pages.add_argument("--strip", action="store_true", help="of one row each, cut out closely")
    pages.add_argument("--count", type=positive, default=100, help="of pages (default: %(default)s)")
    pages.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    pages.add_argument("--data", type=Path, metavar="DIR", help="folder with omniglot as npz, for the words")


def _paper(paper: argparse.ArgumentParser) -> None:
    counts = paper.add_mutually_exclusive_group()
    counts.add_argument("--count", type=positive, default=96, help="of patches (default: %(default)s)")
    counts.add_argument(
        "--pages",
        type=positive,
        metavar="N",
        help="pages and no patches, by held-out hands and fonts, of all layouts in turn; for "
        "`digitlens_convert papers`",
    )
    layouts = paper.add_mutually_exclusive_group()
    layouts.add_argument("--layout", nargs="+", default=[], metavar="NAME", help="pages of these layouts")
    layouts.add_argument(
        "--held-out", action="store_true", help="pages of the layouts that training leaves out"
    )
    paper.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the sheets; of pages a new one"
    )
    paper.add_argument("--data", type=Path, metavar="DIR", help="folder with handwriting as npz")


def _resume(command: argparse.ArgumentParser) -> None:
    command.add_argument("--resume", action="store_true", help="continue from the last checkpoint in --out")


def _warm_start(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--warm-start", type=Path, metavar="FILE", help=what)
    command.add_argument("--start", action=_Renamed, to="--warm-start", dest="warm_start", type=Path)


def _cells(cells: argparse.ArgumentParser) -> None:
    _of_sheets(cells, "cells", 480, 40)
    cells.add_argument(
        "--model", default="digits", metavar="NAME|PATH", help="the digit network (default: %(default)s)"
    )
    cells.add_argument("--again", action="store_true", help="fit anew to the cells that --out holds already")


def _cell_digits(cell_digits: argparse.ArgumentParser) -> None:
    _of_sheets(cell_digits, "cell_digits", 1800, 60)
    _resume(cell_digits)
    cell_digits.add_argument("--epochs", type=positive, default=12, help="default: %(default)s")


def _of_sheets(command: argparse.ArgumentParser, run: str, learnt: int, held_out: int) -> None:
    command.add_argument(
        "--templates", nargs="+", type=Path, metavar="TEMPLATE.toml",
        default=[Path("examples/sheets") / f"{name}.toml" for name in FORMS],
        help="forms that are filled in (default: those of examples/sheets)",
    )  # fmt: skip
    command.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with the data sets; without: drawn digits"
    )
    command.add_argument("--out", type=Path, default=Path("runs") / run, help="folder of the run")
    command.add_argument(
        "--sheets", type=positive, default=learnt, help="to learn from (default: %(default)s)"
    )
    command.add_argument("--held-out-sheets", type=positive, default=held_out, help="default: %(default)s")
    command.add_argument("--processes", type=positive, default=2, help="default: %(default)s")
