"""Fit the network `cell_digits`: `digits`, trained on with cells of generated sheets.

A form's cells are often smaller than any writing that `digits` learnt, and their ink has lost the form's
lines: blur, filled loops and gaps are their own.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens_train import elastic, networks
from digitlens_train.crops import OTHER
from digitlens_train.data import DataError
from digitlens_train.digits import best, calibrate
from digitlens_train.networks import to_input
from digitlens_train.paper.material import Part
from digitlens_train.run import About, Figures, checkpoint, claim, finish, save_epoch, table
from digitlens_train.sheets.examples import Crops, Draw, gather_crops
from digitlens_train.warm_start import shipped, take_over

HEIGHTS = (0, 10, 12, 15, 20, 30)
"""Least heights of ink, pixels, of the rows of the table that is printed."""


@dataclass(frozen=True)
class CellDigitsConfig:
    """Everything that determines the network, besides the one that it begins with.

    Attributes:
        sheets: to learn from, by the hands that the networks learn.
        held_out_sheets: by the hands of the part `scores`, for temperature, threshold and the figure.
        heights: least and largest mean height of a sheet's digits, drawn log-uniformly, pixels.
        strikes: share of the cells that are struck out.
        distortions: strength, see elastic.distort, until the final epochs, and in them.
        kept_digits: share of the held-out digits that the threshold for *not a digit* keeps.
    """

    sheets: int = 1800
    held_out_sheets: int = 60
    seed: int = 2026
    heights: tuple[float, float] = (7.5, 36.0)
    strikes: float = 0.04
    epochs: int = 12
    final_epochs: int = 2
    distortions: tuple[float, float] = (0.5, 0.15)
    batch_size: int = 128
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02
    ema_momentum: float = 0.998
    bn_batches: int = 200
    kept_digits: float = 0.993
    warm_start: str = "digits"


def fit(
    config: CellDigitsConfig,
    templates: tuple[Path, ...],
    out: Path,
    data: Path | None,
    processes: int,
    resume: bool = False,
) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as cell_digits.keras.

    The cells are drawn once, into pictures.npz and held_out.npz.

    Raises:
        DataError: a file of `data` is missing or broken, or `out` holds another run.
        ModelError: there is no model `config.warm_start`.
    """
    history = claim(out, asdict(config), resume)
    learnt = _crops(config, templates, "learnt", data, processes, out / "pictures.npz")
    held = _crops(config, templates, "scores", data, processes, out / "held_out.npz")
    keras.utils.set_random_seed(config.seed)
    model = networks.digits()
    if not history:
        take_over(model, config.warm_start, to_input(learnt.pictures[:: max(1, len(learnt.labels) // 2000)]))
    _compile(model, config, len(learnt.labels) // config.batch_size)
    if history:
        model.load_weights(checkpoint(out, len(history)))
    for epoch in range(len(history) + 1, config.epochs + 1):
        started = time.perf_counter()
        pictures, labels = _epoch(learnt, config, epoch)
        fitted = model.fit(
            pictures, labels, config.batch_size, initial_epoch=epoch - 1, epochs=epoch, shuffle=False
        ).history
        figures: Figures = {"epoch": epoch, "loss": fitted["loss"][0], "accuracy": fitted["accuracy"][0]}
        figures["test_loss"], figures["test_accuracy"] = model.evaluate(
            to_input(held.pictures), held.labels, 1024, verbose=0
        )
        figures["seconds"] = time.perf_counter() - started
        history.append(figures)
        save_epoch(model, out, history)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the moving average
    pictures, _ = _epoch(learnt, config, config.epochs + 1)
    for start in range(0, min(len(pictures), config.bn_batches * config.batch_size), config.batch_size):
        model(
            pictures[start : start + config.batch_size], training=True
        )  # statistics of the averaged weights
    model.save(out / "cell_digits.keras")
    print(table(history))
    _finish(model, config, out, len(learnt.labels), held)
    return model


def _crops(
    config: CellDigitsConfig, templates: tuple[Path, ...], part: Part, data: Path | None, processes: int,
    kept: Path,
) -> Crops:  # fmt: skip
    """Cells, drawn once into the file `kept`, so that a resumed run learns the same ones."""
    if not kept.exists():
        count, seed = (config.sheets, 0) if part == "learnt" else (config.held_out_sheets, 1)
        draw = Draw(templates, part, None, config.seed + seed, config.heights, config.strikes)
        found, failed = gather_crops(draw, count, data, processes)
        print(
            f"{part}: {len(found.labels):,} cells of {count - failed} sheets, {failed} not aligned",
            flush=True,
        )
        partial = kept.with_name("partial.npz")
        np.savez_compressed(
            partial, x=found.pictures, y=found.labels, heights=found.heights, pages=found.pages
        )
        partial.replace(kept)
    try:
        with np.load(kept, allow_pickle=False) as arrays:
            return Crops(arrays["x"], arrays["y"], arrays["heights"], arrays["pages"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{kept}: not the cells of this command; delete it") from error


def _compile(model: keras.Model, config: CellDigitsConfig, steps: int) -> None:
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 10,
        max(1, steps * config.epochs - steps // 2),
        warmup_target=config.learning_rate,
        warmup_steps=steps // 2,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            rate, weight_decay=config.weight_decay, use_ema=True, ema_momentum=config.ema_momentum
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)


def _epoch(learnt: Crops, config: CellDigitsConfig, number: int) -> tuple[Floats, Gray]:
    """The network's input and labels of an epoch, numbered from 1; a function of `number` and the seed."""
    random = np.random.default_rng((config.seed, number))
    order = random.permutation(len(learnt.labels))
    order = order[: max(1, len(order) // config.batch_size) * config.batch_size]
    strength = config.distortions[number > config.epochs - config.final_epochs]
    return to_input(elastic.distort(learnt.pictures[order], random, strength)), learnt.labels[order]


def _finish(model: keras.Model, config: CellDigitsConfig, out: Path, count: int, held: Crops) -> None:
    """Fit temperature and threshold on the held-out cells, print the figures, write about.json."""
    logits = model.predict(to_input(held.pictures), batch_size=1024, verbose=0)
    temperature = calibrate(logits, held.labels)
    digit = held.labels != OTHER
    threshold = float(np.quantile(best(logits[digit] / temperature), 1 - config.kept_digits))
    right = logits[:, :OTHER].argmax(axis=1) == held.labels
    for low, high in zip(HEIGHTS, (*HEIGHTS[1:], np.inf), strict=True):
        part = digit & (held.heights >= low) & (held.heights < high)
        if part.any():
            print(f"digits of {low} to {high:.0f} pixels: {right[part].mean():.2%} of {part.sum():,} right")
    first = shipped(config.warm_start)
    settings = f"--sheets {config.sheets} --epochs {config.epochs} --seed {config.seed} --data DIR"
    finish(
        out,
        About(
            name="cell_digits",
            kind="tflite",
            description="for the cells of forms: `digits`, trained on with small and blurred digits",
            training_data=(
                f"{first.training_data}; then {count:,} cells of generated sheets "
                f"(digitlens_train.sheets); {config.epochs} epochs"
            ),
            make_again=(*first.make_again, f"python -m digitlens_train cell-digits {settings}"),
            temperature=temperature,
            threshold=threshold,
            others=float((~digit).mean()),
        ),
    )
