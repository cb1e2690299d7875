"""python -m digitlens_train COMMAND.

digits, numbers, teacher, distill, ink, scores, hypotheses, cells, cell-digits, cnn and svm fit networks;
looks fits what many looks at a number add to its confidence; sheet, film, pages and paper draw.
"""

import argparse
import os
import sys
from collections.abc import Callable

from digitlens.commands.terminal import complain
from digitlens.core.errors import DigitLensError
from digitlens_train import arguments


def main(command_line: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = arguments.parser().parse_args(command_line)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        COMMANDS[options.command](options)
    except DigitLensError as error:
        complain(error, "digitlens_train")
        return 1
    except KeyboardInterrupt:
        print("digitlens_train: stopped; continue a saved run with --resume", file=sys.stderr)
        return 130
    return 0


def _digits(options: argparse.Namespace) -> None:
    from digitlens_train import crops, digits

    config = digits.DigitsConfig(
        epochs=options.epochs,
        seed=options.seed,
        learning_rate=options.rate,
        warm_start=options.warm_start,
        mix=crops.Mix.of(options.pictures) if options.pictures else crops.Mix(),
    )
    digits.fit(config, options.out, options.mnist, options.data, options.user_crops, options.resume)


def _numbers(options: argparse.Namespace) -> None:
    from digitlens_train import numbers

    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(options.threads))
    config = numbers.NumbersConfig(epochs=options.epochs, learning_rate=options.rate, seed=options.seed)
    files = options.mnist, options.data
    numbers.fit(config, options.out, *files, options.resume, options.warm_start, options.threads)


def _distill(options: argparse.Namespace) -> None:
    _need_torch(options.command)
    from digitlens_train import distill

    config = distill.DistillConfig(
        epochs=options.epochs, batch_pixels=options.pixels, learning_rate=options.rate, seed=options.seed
    )
    taught_by = options.teacher if options.command == "distill" else None
    files = options.mnist, options.data
    distill.fit(config, options.out, *files, options.resume, options.warm_start, taught_by)


def _ink(options: argparse.Namespace) -> None:
    _need_torch(options.command)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from digitlens_train import ink

    config = ink.InkConfig(steps=options.steps, learning_rate=options.rate, seed=options.seed)
    ink.fit(config, options.out, options.data, options.resume, options.warm_start, options.processes)


def _scores(options: argparse.Namespace) -> None:
    from digitlens_train import page_scores, scores

    config = page_scores.ScoresConfig(
        pages=options.pages, held_out_pages=options.held_out_pages, seed=options.seed
    )
    again, mean_with = options.again, options.mean_with
    scores.run(config, options.out, options.data, options.ink, options.processes, again, mean_with)


def _cells(options: argparse.Namespace) -> None:
    from digitlens_train.sheets import fit

    config = fit.CellsConfig(
        sheets=options.sheets, held_out_sheets=options.held_out_sheets, seed=options.seed
    )
    fit.run(
        config,
        tuple(options.templates),
        options.out,
        options.data,
        options.model,
        options.processes,
        options.again,
    )


def _cell_digits(options: argparse.Namespace) -> None:
    from digitlens_train.sheets import cell_digits

    config = cell_digits.CellDigitsConfig(
        sheets=options.sheets,
        held_out_sheets=options.held_out_sheets,
        epochs=options.epochs,
        seed=options.seed,
    )
    cell_digits.fit(
        config, tuple(options.templates), options.out, options.data, options.processes, options.resume
    )


def _need_torch(command: str) -> None:
    from importlib.util import find_spec

    from digitlens_train.data import DataError

    if find_spec("torch") is None:
        raise DataError(f"{command}: needs PyTorch; install digitlens with the extra gpu")


def _cnn(options: argparse.Namespace) -> None:
    from digitlens_train import cnn

    config = cnn.CnnConfig(phases=tuple(options.phases), seed=options.seed, limit=options.limit)
    cnn.fit(config, options.out, options.mnist, options.resume)


def _svm(options: argparse.Namespace) -> None:
    from digitlens_train import svm

    svm.fit(svm.SvmConfig(seed=options.seed, limit=options.limit), options.out, options.mnist)


def _sheet(options: argparse.Namespace) -> None:
    """The commands sheet and film."""
    from digitlens.images import pictures
    from digitlens_train import pages
    from digitlens_train.data import DataError, load_mnist

    for row in options.rows:
        if not row or set(row) - set("0123456789 "):
            raise DataError(f"{row!r}: a row has only digits and spaces")
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
        raise DataError(f"{options.out}: exists already; name a new folder with --out")
    data = load_mnist(options.mnist)
    characters = crops.load_sources((data.x_test, data.y_test), options.data).negatives[:1]
    options.out.mkdir(parents=True)
    labels = {}
    for number in range(options.count):
        random = np.random.default_rng((options.seed, number))
        letters = characters[0] if characters else []
        digits = list(data.x_test), data.y_test
        page, rows = synthetic.page(options.kind, digits, letters, random, options.strip)
        name = f"{options.kind}_{number:04}.png"
        pictures.save(options.out / name, page)
        labels[name] = rows
    (options.out / "labels.json").write_text(json.dumps(labels, indent=1))


def _hypotheses(options: argparse.Namespace) -> None:
    from digitlens_train.hypotheses import HypothesesConfig, run

    config = HypothesesConfig(options.pictures, options.held_out_pictures, seed=options.seed)
    run(config, options.out, options.mnist, options.data)


def _hands(options: argparse.Namespace) -> None:
    from digitlens_train import held_out_hands

    held_out_hands.write(options.out, options.data, options.seed, options.count)


def _paper(options: argparse.Namespace) -> None:
    from digitlens_train.data import DataError
    from digitlens_train.paper import contact, layouts, pages

    if options.pages is not None:
        chosen = layouts.HELD_OUT if options.held_out else options.layout
        pages.write(options.out, options.data, options.seed, options.pages, chosen)
    elif options.held_out or options.layout:
        raise DataError("--layout and --held-out choose pages; say how many with --pages N")
    else:
        contact.write(options.out, options.data, options.seed, options.count)


def _looks(options: argparse.Namespace) -> None:
    from digitlens_train import looks

    looks.run(options.out, options.mnist, options.films, options.seed, options.processes)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "digits": _digits,
    "numbers": _numbers,
    "teacher": _distill,
    "distill": _distill,
    "ink": _ink,
    "scores": _scores,
    "hypotheses": _hypotheses,
    "cells": _cells,
    "cell-digits": _cell_digits,
    "cnn": _cnn,
    "svm": _svm,
    "sheet": _sheet,
    "film": _sheet,
    "pages": _pages,
    "paper": _paper,
    "hands": _hands,
    "looks": _looks,
}


if __name__ == "__main__":
    sys.exit(main())
