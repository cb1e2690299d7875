"""Fit the networks `cells` and `marks`: how far the digit networks are right in a form's cell, and marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from digitlens.core.arrays import Doubles
from digitlens.models import cards
from digitlens.models.cards import Card, TensorSpec
from digitlens.models.perceptron import Perceptron
from digitlens.sheets import marks
from digitlens.sheets.probabilities import DEFAULT_MODEL, FEATURES, NO_DIGIT, NOTHING, RIGHT, WRONG
from digitlens_convert.stats import accuracy
from digitlens_train.data import DataError
from digitlens_train.paper.material import Part
from digitlens_train.sheets.examples import Draw, Examples, gather

ANSWERS = {RIGHT: "the best digit is right", WRONG: "another one is", NO_DIGIT: "no digit", NOTHING: "no ink"}


class Kind(NamedTuple):
    """What a network's card says of it; `held` are the cells of its accuracy."""

    description: str
    inputs: int
    outputs: int
    held: str


CELLS = Kind(
    "whether the digit networks are right in a form's cell, or the cell holds no digit",
    len(FEATURES), len(ANSWERS),
    "cells with ink of generated sheets by held-out hands; the interval takes them as independent",
)  # fmt: skip
MARKS = Kind(
    "whether a form's cell is marked",
    len(marks.FEATURES), 1,
    "cells to mark of generated sheets by held-out hands; the interval takes them as independent",
)  # fmt: skip
FEWEST = 200
"""Fewest cells that the network is fitted to."""


@dataclass(frozen=True)
class CellsConfig:
    """Everything that determines the network, besides the digit network.

    Attributes:
        sheets: to learn from.
        held_out_sheets: by other hands, for the figure.
        digits: least and largest height of a digit, drawn log-uniformly, pixels.
        strikes: share of the cells that are struck out.
        hidden: sizes of the hidden layers of `cells`.
        decay: weight of the squared weights in its loss.
        mark_hidden: sizes of the hidden layers of `marks`.
        mark_decay: weight of the squared weights in its loss.
    """

    sheets: int = 480
    held_out_sheets: int = 40
    seed: int = 2026
    digits: tuple[float, float] = (7.5, 36.0)
    strikes: float = 0.025
    hidden: tuple[int, ...] = (24,)
    decay: float = 0.3
    batch: int = 128
    learning_rate: float = 2e-3
    epochs: int = 40
    mark_hidden: tuple[int, ...] = (12,)
    mark_decay: float = 0.1
    mark_epochs: int = 200


def run(
    config: CellsConfig, templates: tuple[Path, ...], out: Path, data: Path | None, model: str,
    processes: int,
    again: bool = False,
) -> None:  # fmt: skip
    """Collect cells of generated sheets, fit both networks to them, and write them with their cards to `out`.

    The hands are those of the part `scores`, which neither the networks nor the figures of `sheets` have.

    Raises:
        DataError: a file of `data` is missing or broken, or there are too few cells.
        ModelError: no such digit network.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, count, seed in (("learnt", config.sheets, 0), ("held_out", config.held_out_sheets, 1)):
        if again:
            continue
        part: Part = "scores" if name == "learnt" else "held_out"
        draw = Draw(templates, part, None, config.seed + seed, config.digits, config.strikes)
        cells, marked, failed = gather(draw, count, data, model, processes)
        print(
            f"{name}: {len(cells.answers):,} cells with ink, and {len(marked.answers):,} that may be marked, "
            f"of {count - failed} sheets, {failed} not aligned",
            flush=True,
        )
        for kind, found in (("cells", cells), ("marks", marked)):
            path = out / f"{kind}_{name}.npz"
            np.savez_compressed(path, features=found.features, answers=found.answers, pages=found.pages)
    learnt, held = _kept(out / "cells_learnt.npz"), _kept(out / "cells_held_out.npz")
    learnt_marks, held_marks = _kept(out / "marks_learnt.npz"), _kept(out / "marks_held_out.npz")
    if len(learnt.answers) < FEWEST:
        raise DataError(f"{len(learnt.answers)} cells are too few; draw more --sheets")
    network = fit(config, learnt)
    print(table(network, held))
    hits = int((chances(network, held).argmax(axis=1) == held.answers).sum())
    _write(
        network, DEFAULT_MODEL, CELLS, f"{len(learnt.answers):,} cells", hits, len(held.answers), config, out,
        model,
    )  # fmt: skip
    if len(np.unique(learnt_marks.answers)) < 2:
        print("no form has cells to mark: the network `marks` is left as it is")
        return
    mark_network = fit_marks(config, learnt_marks)
    right = (mark_network.logits(held_marks.features) > 0) == (held_marks.answers > 0)
    print(f"marks: {int((~right).sum())} of {len(right):,} wrong")
    trained_on = f"{len(learnt_marks.answers):,} cells that may be marked"
    _write(
        mark_network, marks.DEFAULT_MODEL, MARKS, trained_on, int(right.sum()), len(right), config, out, model
    )


def _kept(path: Path) -> Examples:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Examples(arrays["features"], arrays["answers"], arrays["pages"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path}: not the cells of this command; leave out --again") from error


def fit(config: CellsConfig, examples: Examples) -> Perceptron:
    """A perceptron with an output for each of ANSWERS; the same seed gives the same."""
    classifier, mean, deviation = _fitted(config, config.hidden, config.decay, config.epochs, examples)
    *hidden, (weights, bias) = zip(classifier.coefs_, classifier.intercepts_, strict=True)
    full = np.zeros((weights.shape[0], len(ANSWERS))), np.full(len(ANSWERS), -12.0)
    full[0][:, classifier.classes_], full[1][classifier.classes_] = weights, bias
    return _perceptron(mean, deviation, [*hidden, full])


def fit_marks(config: CellsConfig, examples: Examples) -> Perceptron:
    """A perceptron whose output is the log-odds of a mark; the same seed gives the same."""
    classifier, mean, deviation = _fitted(
        config, config.mark_hidden, config.mark_decay, config.mark_epochs, examples
    )
    return _perceptron(mean, deviation, list(zip(classifier.coefs_, classifier.intercepts_, strict=True)))


def _fitted(
    config: CellsConfig, hidden: tuple[int, ...], decay: float, epochs: int, examples: Examples
) -> tuple[MLPClassifier, Doubles, Doubles]:
    """The fitted classifier of standardized inputs, their means and deviations."""
    mean, deviation = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-3
    classifier = MLPClassifier(
        hidden, alpha=decay, batch_size=config.batch, learning_rate_init=config.learning_rate,
        max_iter=epochs, random_state=config.seed,
    )  # fmt: skip
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)
        classifier.fit((examples.features - mean) / deviation, examples.answers)
    return classifier, mean, deviation


def _perceptron(mean: Doubles, deviation: Doubles, layers: Sequence[tuple[Doubles, Doubles]]) -> Perceptron:
    each = tuple((weights.astype(np.float32), bias.astype(np.float32)) for weights, bias in layers)
    return Perceptron(mean.astype(np.float32), deviation.astype(np.float32), each)


def chances(network: Perceptron, examples: Examples) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(N, 4) probabilities of ANSWERS."""
    logits = network.outputs(examples.features).astype(np.float64)
    each = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(each / each.sum(axis=1, keepdims=True), np.float64)


def table(network: Perceptron, held: Examples) -> str:
    """How often cells are right, by the probability that the network gives."""
    right = chances(network, held)[:, RIGHT]
    lines = ["probability   cells    right   expected"]
    edges = (0.0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999, 1.0)
    for low, high in pairwise(edges):
        part = (right >= low) & (right < high + (high == 1))
        if part.any():
            share = (held.answers[part] == RIGHT).mean()
            lines.append(f"{low:6.3f}-{high:5.3f}  {part.sum():6,}  {share:7.2%}  {right[part].mean():7.2%}")
    return "\n".join(lines)


def _write(
    network: Perceptron, name: str, kind: Kind, learnt: str, hits: int, total: int, config: CellsConfig,
    out: Path, model: str,
) -> None:  # fmt: skip
    path = out / f"{name}.npz"
    content = network.save(path)
    digest = cards.load(cards.find(model))[0].sha256
    card = Card(
        name=name,
        kind="perceptron",
        description=kind.description,
        bytes=len(content),
        sha256=cards.digest(content),
        quantization="float32",
        input=TensorSpec((-1, kind.inputs), "float32"),
        output=TensorSpec((-1, kind.outputs), "float32"),
        training_data=(
            f"{learnt} of generated sheets (digitlens_train.sheets), read with the digit network of sha256 "
            f"{digest[:12]}"
        ),
        accuracy=accuracy(kind.held, hits, total),
        make_again=(
            f"python -m digitlens_train cells --data DIR --sheets {config.sheets} --seed {config.seed}",
        ),
    )
    cards.save(card, path.with_suffix(".json"))
