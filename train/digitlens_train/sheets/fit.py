"""Fit the network `cells`: how far the digit network is right in a form's cell."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from digitlens.models import cards
from digitlens.models.cards import Card, TensorSpec
from digitlens.models.perceptron import Perceptron
from digitlens.sheets.probabilities import DEFAULT_MODEL, FEATURES, NO_DIGIT, NOTHING, RIGHT, WRONG
from digitlens_convert.stats import accuracy
from digitlens_train.data import DataError
from digitlens_train.paper.material import Part
from digitlens_train.sheets.examples import Draw, Examples, gather

ANSWERS = {RIGHT: "the best digit is right", WRONG: "another one is", NO_DIGIT: "no digit", NOTHING: "no ink"}
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
        hidden: sizes of the hidden layers.
        decay: weight of the squared weights in the loss.
    """

    sheets: int = 120
    held_out_sheets: int = 30
    seed: int = 2026
    digits: tuple[float, float] = (7.5, 36.0)
    strikes: float = 0.025
    hidden: tuple[int, ...] = (24,)
    decay: float = 0.3
    batch: int = 128
    learning_rate: float = 2e-3
    epochs: int = 40


def run(
    config: CellsConfig, templates: tuple[Path, ...], out: Path, data: Path | None, model: str,
    processes: int,
    again: bool = False,
) -> None:  # fmt: skip
    """Collect cells of generated sheets, fit the network to them, and write it with its card to `out`.

    The hands are those of the part `scores`, which neither the networks nor the figures of `sheets` have.

    Raises:
        DataError: a file of `data` is missing or broken, or there are too few cells.
        ModelError: no such digit network.
    """
    out.mkdir(parents=True, exist_ok=True)
    parts = []
    for name, count, seed in (("learnt", config.sheets, 0), ("held_out", config.held_out_sheets, 1)):
        path = out / f"cells_{name}.npz"
        if not again:
            part: Part = "scores" if name == "learnt" else "held_out"
            draw = Draw(templates, part, None, config.seed + seed, config.digits, config.strikes)
            found, failed = gather(draw, count, data, model, processes)
            print(
                f"{name}: {len(found.answers):,} cells of {count - failed} sheets, {failed} not aligned",
                flush=True,
            )
            np.savez_compressed(path, features=found.features, answers=found.answers, pages=found.pages)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                parts.append(Examples(arrays["features"], arrays["answers"], arrays["pages"]))
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"{path}: not the cells of this command; leave out --again") from error
    learnt, held = parts
    if len(learnt.answers) < FEWEST:
        raise DataError(f"{len(learnt.answers)} cells are too few; draw more --sheets")
    network = fit(config, learnt)
    print(table(network, held))
    _write(network, learnt, held, config, out, model)


def fit(config: CellsConfig, examples: Examples) -> Perceptron:
    """A perceptron with an output for each of ANSWERS; the same seed gives the same."""
    mean, deviation = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-3
    classifier = MLPClassifier(
        config.hidden, alpha=config.decay, batch_size=config.batch, learning_rate_init=config.learning_rate,
        max_iter=config.epochs, random_state=config.seed,
    )  # fmt: skip
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)
        classifier.fit((examples.features - mean) / deviation, examples.answers)
    *hidden, (weights, bias) = zip(classifier.coefs_, classifier.intercepts_, strict=True)
    full = np.zeros((weights.shape[0], len(ANSWERS))), np.full(len(ANSWERS), -12.0)
    full[0][:, classifier.classes_], full[1][classifier.classes_] = weights, bias
    layers = tuple((one.astype(np.float32), other.astype(np.float32)) for one, other in [*hidden, full])
    return Perceptron(mean.astype(np.float32), deviation.astype(np.float32), layers)


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
    network: Perceptron, learnt: Examples, held: Examples, config: CellsConfig, out: Path, model: str
) -> None:
    path = out / f"{DEFAULT_MODEL}.npz"
    content = network.save(path)
    hits = int((chances(network, held).argmax(axis=1) == held.answers).sum())
    digest = cards.load(cards.find(model))[0].sha256
    card = Card(
        name=DEFAULT_MODEL,
        kind="perceptron",
        description="whether the digit network is right in a form's cell, or the cell holds no digit",
        bytes=len(content),
        sha256=cards.digest(content),
        quantization="float32",
        input=TensorSpec((-1, len(FEATURES)), "float32"),
        output=TensorSpec((-1, len(ANSWERS)), "float32"),
        training_data=(
            f"{len(learnt.answers):,} cells of generated sheets (digitlens_train.sheets), read with the "
            f"digit network of sha256 {digest[:12]}"
        ),
        accuracy=accuracy(
            "cells with ink of generated sheets by held-out hands; the interval takes them as independent",
            hits, len(held.answers),
        ),
        make_again=(
            f"python -m digitlens_train cells --data DIR --sheets {config.sheets} --seed {config.seed}",
        ),
    )  # fmt: skip
    cards.save(card, path.with_suffix(".json"))
