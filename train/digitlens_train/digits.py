"""Fit the shipped network: sources, pictures through the runtime's eyes, model, fit, calibrate."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from digitlens_train import crops, networks
from digitlens_train.crops import OTHER, Mix, Sources
from digitlens_train.data import load_mnist
from digitlens_train.elastic import wobble
from digitlens_train.networks import to_input
from digitlens_train.run import About, Row, checkpoint, claim, finish, save_epoch, table
from digitlens_train.warm_start import shipped, take_over

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Pair = tuple[Gray, Gray]
HELD_OUT = 4000
"""MNIST training digits that are never learnt: the temperature and the threshold are chosen on them."""
SETTLE = 400
"""Batches after which batch normalization's moving statistics are the averaged weights' own."""


@dataclass(frozen=True)
class Config:
    """What decides the fitted weights.

    An epoch is so many of MNIST's digits as they are (`light`), of digits cut out of paper (`heavy`), of
    what is no digit on paper (`other`) and of other signs as their sets have them (`signs`), each drawn
    without repeating one before all were seen, and each changed a little anew by `wobble`, of one strength
    for what is learnt as it is and another for what was made on paper; the rate
    falls from its peak to 0 along a cosine. The `last` epochs, at a low rate that falls to 0, hardly change
    the pictures any more: they are as the runtime will see them (after Touvron et al. 2019). `average` is
    the momentum of the weights' moving average, which is what is kept in the end; `keep` is the part of
    MNIST's held-out digits that the threshold for *not a digit* keeps. With a shipped network's name or
    path as `start` the run begins with its weights.
    """

    epochs: int = 46
    light: int = 54_000
    heavy: int = 44_000
    other: int = 20_000
    signs: int = 8_000
    strengths: tuple[float, float] = (1.0, 0.5)
    last: int = 6
    last_strengths: tuple[float, float] = (0.4, 0.0)
    last_rate: float = 3e-4
    batch: int = 256
    rate: float = 3e-3
    decay: float = 0.02
    smoothing: float = 0.0
    average: float = 0.999
    keep: float = 0.993
    seed: int = 2026
    start: str = ""
    mix: Mix = field(default_factory=Mix)
    held_mix: Mix = field(default_factory=lambda: Mix(8000, 4000, 2000, 1000, 0, 0, 500))

    @property
    def wanted(self) -> tuple[int, int, int, int]:
        """Pictures of an epoch: of MNIST, of paper's digits, of paper's other signs, of signs as they are."""
        return self.light, self.heavy, self.other, self.signs


def fit(
    config: Config,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    extra: Path | None = None,
    resume: bool = False,
) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as digits.keras.

    `data` is a folder with optdigits, semeion, omniglot and hasy as npz; what is not there is done
    without; `extra` one of a user's own crops. After each epoch `out` holds the checkpoint, history.csv
    and history.png; the pictures are kept in pictures.npz, made once.

    Raises:
        DataError: MNIST cannot be had, `out` holds another run, or `start` is of another network.
        ModelError: there is no such `start`.
    """
    half = load_mnist(mnist)
    mnist_learnt = half.x_train[:-HELD_OUT], half.y_train[:-HELD_OUT]
    mnist_held = half.x_train[-HELD_OUT:], half.y_train[-HELD_OUT:]
    learnt = crops.load_sources(mnist_learnt, data, extra)
    history = claim(out, asdict(config), resume)
    model = networks.digits()
    if config.start and not history:
        take_over(model, config.start, to_input(mnist_learnt[0][:2000]))
    # What is not a digit is drawn from the same signs: of them the held-out part only knows other pictures.
    held = Sources([(list(mnist_held[0]), mnist_held[1])], learnt.others)
    x, y = _pictures(learnt, config.mix, config.seed, out / "pictures.npz")
    x_held, y_held = _pictures(held, config.held_mix, config.seed + 1, out / "held_out.npz")

    keras.utils.set_random_seed(config.seed)
    sets = _sets(mnist_learnt, (x, y), crops.plain(learnt.others))
    steps = sum(config.wanted) // config.batch
    epochs = config.epochs + config.last
    model.compile(
        optimizer=keras.optimizers.AdamW(
            _Rate(config, steps),
            weight_decay=config.decay,
            use_ema=True,
            ema_momentum=config.average,
        ),
        loss=_smoothed(config.smoothing),
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    if history:
        model.load_weights(checkpoint(out, len(history)))
    if len(history) >= epochs:
        print(f"{out}: finished, all {epochs} epochs are there; nothing to train")
    with ThreadPoolExecutor(1) as ahead:  # the next epoch's pictures are made while this one is learnt
        coming = ahead.submit(_epoch, sets, config, len(history) + 1)
        for epoch in range(len(history) + 1, epochs + 1):
            started = time.perf_counter()
            pictures, labels = coming.result()
            if epoch < epochs:
                coming = ahead.submit(_epoch, sets, config, epoch + 1)
            fitted = model.fit(
                pictures, labels, config.batch, initial_epoch=epoch - 1, epochs=epoch, shuffle=False
            ).history
            row: Row = {"epoch": epoch, "loss": fitted["loss"][0], "accuracy": fitted["accuracy"][0]}
            row["test_loss"], row["test_accuracy"] = model.evaluate(
                to_input(mnist_held[0]), mnist_held[1], 1024, verbose=0
            )
            row["seconds"] = time.perf_counter() - started
            history.append(row)
            save_epoch(model, out, history)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the moving average
    _settle(model, sets, config)
    model.save(out / "digits.keras")
    _finish(model, config, out, (x_held, y_held), mnist_held, learnt)
    print(table(history))
    return model


class _Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Warm up, fall along a cosine, then fall again from the low rate of the last epochs."""

    def __init__(self, config: Config, steps: int) -> None:
        self.main, self.rest = config.epochs * steps, max(1, config.last * steps)
        self.last_rate = config.last_rate
        warm = min(2, config.epochs // 2) * steps
        self.cosine = keras.optimizers.schedules.CosineDecay(
            0.0, self.main - warm, warmup_target=config.rate, warmup_steps=warm
        )

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        done = keras.ops.cast(step, "float32") - self.main
        low = self.last_rate * keras.ops.maximum(1 - done / self.rest, 0.0)
        return keras.ops.where(done < 0, self.cosine(step), low)

    def get_config(self) -> dict[str, Any]:
        """Keras writes it beside the fitted weights; the run's config.json is what it is made of."""
        return {"main": self.main, "rest": self.rest, "last_rate": self.last_rate}


def _sets(mnist: Pair, paper: Pair, signs: Gray) -> list[Pair]:
    """What an epoch draws from: MNIST as it is, paper's digits and its other signs, signs as they are."""
    x, y = paper
    other = y == OTHER
    if not len(signs):  # no set of signs is there: paper's stand in for them
        signs = x[other]
    return [
        mnist,
        (x[~other], y[~other]),
        (x[other], y[other]),
        (signs, np.full(len(signs), OTHER, np.uint8)),
    ]


def _epoch(sets: list[Pair], config: Config, number: int) -> tuple[Floats, Gray]:
    """The pictures of one epoch as the network takes them, and their labels; the same for the same number."""
    random = np.random.default_rng((config.seed, number))
    plain, paper = config.strengths if number <= config.epochs else config.last_strengths
    pictures, labels = [], []
    strengths = plain, paper, paper, plain
    for (x, y), wanted, strength in zip(sets, config.wanted, strengths, strict=True):
        chosen = _order(len(y), number, wanted, config.seed)
        pictures.append(wobble(x[chosen], random, strength))
        labels.append(y[chosen])
    order = random.permutation(sum(map(len, labels)))
    order = order[: len(order) // config.batch * config.batch]
    return to_input(np.concatenate(pictures)[order]), np.concatenate(labels)[order]


def _settle(model: keras.Model, sets: list[Pair], config: Config) -> None:
    """Let batch normalization see what the averaged weights, not the last ones, make of the pictures."""
    pictures, _ = _epoch(sets, config, config.epochs + config.last + 1)
    for start in range(0, min(len(pictures), SETTLE * config.batch), config.batch):
        model(pictures[start : start + config.batch], training=True)


def calibrate(logits: Floats, labels: Gray) -> float:
    """The temperature that makes softmax(logits / temperature) most likely (Guo et al. 2017)."""
    candidates = np.exp(np.linspace(np.log(0.3), np.log(3), 200))
    return float(min(candidates, key=lambda t: _surprise(logits / np.float32(t), labels)))


def _surprise(logits: Floats, labels: Gray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    likely = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
    return -float(likely.mean())


def _best(logits: Floats) -> Floats:
    """The best digit's probability, (N,), what is left of 1 being doubt."""
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    best: Floats = likely[:, :OTHER].max(axis=1) / likely.sum(axis=1)
    return best


def _pictures(sources: Sources, mix: Mix, seed: int, kept: Path) -> tuple[Gray, Gray]:
    """Made once and kept in the run's folder: a resumed run goes on with the same ones."""
    if not kept.exists():
        x, y = crops.make(sources, mix, seed, os.cpu_count() or 1)
        partial = kept.with_name("partial.npz")
        np.savez(partial, x=x, y=y)
        partial.replace(kept)
    with np.load(kept, allow_pickle=False) as arrays:
        return arrays["x"], arrays["y"]


def _order(total: int, epoch: int, wanted: int, seed: int) -> npt.NDArray[np.intp]:
    """The pictures of one epoch: pass after pass over all of them, each pass in an order of its own."""
    start, end = (epoch - 1) * wanted, epoch * wanted
    passes = range(start // total, -(-end // total))
    shuffled = [np.random.default_rng((seed, number)).permutation(total) for number in passes]
    order: npt.NDArray[np.intp] = np.concatenate(shuffled)[start - passes[0] * total :][:wanted]
    return order


def _smoothed(smoothing: float) -> keras.losses.Loss:
    def loss(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        wanted = keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), OTHER + 1)
        return keras.losses.categorical_crossentropy(
            wanted, logits, from_logits=True, label_smoothing=smoothing
        )

    return loss


def _finish(model: keras.Model, config: Config, out: Path, paper: Pair, plain: Pair, learnt: Sources) -> None:
    """Calibrate on the held-out pictures; set the threshold by the held-out digits as MNIST has them."""
    on_paper, as_is = (model.predict(to_input(x), batch_size=1024, verbose=0) for x, _ in (paper, plain))
    labels = paper[1]
    temperature = calibrate(np.concatenate([on_paper, as_is]), np.concatenate([labels, plain[1]]))
    threshold = float(np.quantile(_best(as_is / temperature), 1 - config.keep))
    digit = labels != OTHER
    right = np.mean(on_paper.argmax(axis=1)[digit] == labels[digit])
    right_plain = np.mean(as_is.argmax(axis=1) == plain[1])
    passed = np.mean(_best(on_paper[~digit] / temperature) >= threshold)
    print(
        f"held out: {right_plain:.2%} of MNIST's digits right, {right:.2%} on paper; "
        f"at {threshold:.3f} {passed:.2%} of others pass; temperature {temperature:.3f}"
    )
    sets = ", ".join(f"{len(labels):,}" for _, labels in learnt.digits)
    epoch = sum(config.wanted)
    trained = (
        f"MNIST and further digits ({sets}), {sum(map(len, learnt.others)):,} other signs, as they are and "
        f"drawn on paper and cut out ({config.mix.total:,}); "
        f"{config.epochs + config.last} epochs of {epoch:,}"
    )
    settings = f"--epochs {config.epochs} --pictures {config.mix.total} --seed {config.seed} --data DIR"
    before: tuple[str, ...] = ()
    if config.start:
        first = shipped(config.start)
        before, trained = first.make_again, f"{first.training_data}; then {trained}"
        settings = f"--start {config.start} --rate {config.rate} {settings}"
    again = f"python -m digitlens_train digits {settings}"
    finish(
        out,
        About(
            name="digits",
            kind="tflite",
            description="for crops of paper: six convolutions, ten digits and not a digit",
            training_data=trained,
            make_again=(*before, again),
            temperature=temperature,
            threshold=threshold,
            others=(config.other + config.signs) / epoch,
        ),
    )
