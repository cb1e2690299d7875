"""Fit the shipped network `digits`: data, crops as the runtime cuts them, model, fit, evaluate."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats, Gray
from digitlens_train import crops, elastic, networks
from digitlens_train.crops import OTHER, Mix, Sources
from digitlens_train.data import load_mnist
from digitlens_train.networks import to_input
from digitlens_train.run import About, Figures, checkpoint, claim, finish, save_epoch, table
from digitlens_train.warm_start import shipped, take_over

Pair = tuple[Gray, Gray]


@dataclass(frozen=True)
class DigitsConfig:
    """Everything that determines the fitted weights.

    An epoch has four parts, each drawn without replacement until its set is exhausted, and distorted
    elastically. The learning rate warms up and decays to 0 along a cosine. The final epochs, at a low rate
    that falls linearly to 0, hardly distort the pictures, so that the network ends on the distribution of
    the runtime (after Touvron et al. 2019).

    Attributes:
        plain_digits: MNIST digits of an epoch, as they are.
        paper_digits: digits of an epoch, cut out of paper.
        paper_negatives: non-digits of an epoch, cut out of paper.
        plain_negatives: other characters of an epoch, as their sets have them.
        distortions: strengths for plain pictures and for those cut out of paper, see elastic.distort.
        final_epochs: epochs at `final_learning_rate` with `final_distortions`.
        ema_momentum: of the exponential moving average of the weights, which the run keeps.
        bn_batches: batches that re-estimate batch normalization's statistics for the averaged weights.
        kept_digits: share of the held-out digits that the threshold for *not a digit* keeps.
        held_out_digits: MNIST training digits that are not learned; temperature and threshold are fitted
            on them.
        warm_start: name or path of a shipped network to begin with; "" begins with random weights.
        mix: crops drawn to learn from.
        held_out_mix: crops drawn to calibrate on.
    """

    epochs: int = 46
    plain_digits: int = 54_000
    paper_digits: int = 44_000
    paper_negatives: int = 20_000
    plain_negatives: int = 8_000
    distortions: tuple[float, float] = (1.0, 0.5)
    final_epochs: int = 6
    final_distortions: tuple[float, float] = (0.4, 0.0)
    final_learning_rate: float = 3e-4
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.0
    ema_momentum: float = 0.999
    bn_batches: int = 400
    kept_digits: float = 0.993
    held_out_digits: int = 4000
    seed: int = 2026
    warm_start: str = ""
    mix: Mix = field(default_factory=Mix)
    held_out_mix: Mix = field(default_factory=lambda: Mix(8000, 4000, 2000, 1000, 0, 0, 500))

    @property
    def all_epochs(self) -> int:
        """Epochs of the run, the final ones included."""
        return self.epochs + self.final_epochs

    @property
    def epoch_parts(self) -> tuple[int, int, int, int]:
        """Pictures of an epoch by part, in the order of _parts."""
        return self.plain_digits, self.paper_digits, self.paper_negatives, self.plain_negatives


def fit(
    config: DigitsConfig,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    user_crops: Path | None = None,
    resume: bool = False,
) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as digits.keras.

    After each epoch `out` holds its checkpoint, history.csv and history.png; the crops are drawn once,
    into pictures.npz.

    Args:
        config: see DigitsConfig.
        out: folder of the run.
        mnist: MNIST as npz; None downloads it.
        data: folder with optdigits, semeion, omniglot and hasy as npz; any of them may be absent.
        user_crops: folder of a user's own crops, see digitlens_train.user_crops.
        resume: continue after the last completed epoch in `out`.

    Raises:
        DataError: MNIST is not available, `out` holds another run, or `config.warm_start` has other layers.
        ModelError: there is no model `config.warm_start`.
    """
    half, count = load_mnist(mnist), config.held_out_digits
    mnist_learned = half.x_train[:-count], half.y_train[:-count]
    mnist_held = half.x_train[-count:], half.y_train[-count:]
    learned = crops.load_sources(mnist_learned, data, user_crops)
    # Negatives are not split: the held-out crops have other drawings of the same characters.
    held = Sources([(list(mnist_held[0]), mnist_held[1])], learned.negatives)
    history = claim(out, asdict(config), resume)

    model = networks.digits()
    if config.warm_start and not history:
        take_over(model, config.warm_start, to_input(mnist_learned[0][:2000]))
    paper = _crops(learned, config.mix, config.seed, out / "pictures.npz")
    paper_held = _crops(held, config.held_out_mix, config.seed + 1, out / "held_out.npz")
    keras.utils.set_random_seed(config.seed)
    sets = _parts(mnist_learned, paper, crops.plain(learned.negatives))
    _compile(model, config)
    if history:
        model.load_weights(checkpoint(out, len(history)))

    _fit(model, config, out, history, sets, mnist_held)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the moving average
    _update_batch_norm(model, sets, config)
    model.save(out / "digits.keras")
    _evaluate(model, config, out, paper_held, mnist_held, learned)
    print(table(history))
    return model


def _crops(sources: Sources, mix: Mix, seed: int, kept: Path) -> tuple[Gray, Gray]:
    """Crops, drawn once into the file `kept`, so that a resumed run learns the same ones."""
    if not kept.exists():
        x, y = crops.make(sources, mix, seed, os.cpu_count() or 1)
        partial = kept.with_name("partial.npz")
        np.savez(partial, x=x, y=y)
        partial.replace(kept)
    with np.load(kept, allow_pickle=False) as arrays:
        return arrays["x"], arrays["y"]


def _parts(mnist: Pair, paper: Pair, negatives: Gray) -> list[Pair]:
    """The sets of an epoch's parts: MNIST, digits on paper, negatives on paper, negatives as they are."""
    x, y = paper
    other = y == OTHER
    if not len(negatives):  # without a set of other characters, those on paper stand in
        negatives = x[other]
    return [
        mnist,
        (x[~other], y[~other]),
        (x[other], y[other]),
        (negatives, np.full(len(negatives), OTHER, np.uint8)),
    ]


def _epoch(sets: list[Pair], config: DigitsConfig, number: int) -> tuple[Floats, Gray]:
    """The network's input and labels of an epoch, numbered from 1; a function of `number` and the seed."""
    random = np.random.default_rng((config.seed, number))
    plain, paper = config.distortions if number <= config.epochs else config.final_distortions
    pictures, labels = [], []
    strengths = plain, paper, paper, plain
    for (x, y), wanted, strength in zip(sets, config.epoch_parts, strengths, strict=True):
        chosen = _order(len(y), number, wanted, config.seed)
        pictures.append(elastic.distort(x[chosen], random, strength))
        labels.append(y[chosen])
    order = random.permutation(sum(map(len, labels)))
    order = order[: len(order) // config.batch_size * config.batch_size]
    return to_input(np.concatenate(pictures)[order]), np.concatenate(labels)[order]


def _order(total: int, epoch: int, wanted: int, seed: int) -> npt.NDArray[np.intp]:
    """The pictures of one epoch: pass after pass over all of them, each pass in an order of its own."""
    start, end = (epoch - 1) * wanted, epoch * wanted
    passes = range(start // total, -(-end // total))
    shuffled = [np.random.default_rng((seed, number)).permutation(total) for number in passes]
    order: npt.NDArray[np.intp] = np.concatenate(shuffled)[start - passes[0] * total :][:wanted]
    return order


def _compile(model: keras.Model, config: DigitsConfig) -> None:
    model.compile(
        optimizer=keras.optimizers.AdamW(
            _Schedule(config, sum(config.epoch_parts) // config.batch_size),
            weight_decay=config.weight_decay,
            use_ema=True,
            ema_momentum=config.ema_momentum,
        ),
        loss=_cross_entropy(config.label_smoothing),
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Warm-up, cosine decay, then a linear decay from the final epochs' low rate."""

    def __init__(self, config: DigitsConfig, steps: int) -> None:
        self.main, self.rest = config.epochs * steps, max(1, config.final_epochs * steps)
        self.last_rate = config.final_learning_rate
        warm = min(2, config.epochs // 2) * steps
        self.cosine = keras.optimizers.schedules.CosineDecay(
            0.0, self.main - warm, warmup_target=config.learning_rate, warmup_steps=warm
        )

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        done = keras.ops.cast(step, "float32") - self.main
        low = self.last_rate * keras.ops.maximum(1 - done / self.rest, 0.0)
        return keras.ops.where(done < 0, self.cosine(step), low)

    def get_config(self) -> dict[str, Any]:
        """Keras saves it with the model; the run's config.json has what it is derived from."""
        return {"main": self.main, "rest": self.rest, "last_rate": self.last_rate}


def _cross_entropy(label_smoothing: float) -> keras.losses.Loss:
    def loss(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        wanted = keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), OTHER + 1)
        return keras.losses.categorical_crossentropy(
            wanted, logits, from_logits=True, label_smoothing=label_smoothing
        )

    return loss


def _fit(
    model: keras.Model,
    config: DigitsConfig,
    out: Path,
    history: list[Figures],
    sets: list[Pair],
    held: Pair,
) -> None:
    """The epochs after those in `history`, which grows."""
    epochs = config.all_epochs
    if len(history) >= epochs:
        print(f"{out}: finished, all {epochs} epochs are done; nothing to train")
    with ThreadPoolExecutor(1) as ahead:  # distorts the next epoch's pictures while this one is learned
        coming = ahead.submit(_epoch, sets, config, len(history) + 1)
        for epoch in range(len(history) + 1, epochs + 1):
            started = time.perf_counter()
            pictures, labels = coming.result()
            if epoch < epochs:
                coming = ahead.submit(_epoch, sets, config, epoch + 1)
            fitted = model.fit(
                pictures, labels, config.batch_size, initial_epoch=epoch - 1, epochs=epoch, shuffle=False
            ).history
            figures: Figures = {"epoch": epoch, "loss": fitted["loss"][0], "accuracy": fitted["accuracy"][0]}
            figures["test_loss"], figures["test_accuracy"] = model.evaluate(
                to_input(held[0]), held[1], 1024, verbose=0
            )
            figures["seconds"] = time.perf_counter() - started
            history.append(figures)
            save_epoch(model, out, history)


def _update_batch_norm(model: keras.Model, sets: list[Pair], config: DigitsConfig) -> None:
    """Re-estimate batch normalization's moving statistics, which are still the last weights'."""
    pictures, _ = _epoch(sets, config, config.all_epochs + 1)
    for start in range(0, min(len(pictures), config.bn_batches * config.batch_size), config.batch_size):
        model(pictures[start : start + config.batch_size], training=True)


def _evaluate(
    model: keras.Model, config: DigitsConfig, out: Path, paper: Pair, plain: Pair, learned: Sources
) -> None:
    """Fit temperature and threshold on the held-out pictures, print the figures, write about.json."""
    on_paper, as_is = (model.predict(to_input(x), batch_size=1024, verbose=0) for x, _ in (paper, plain))
    labels = paper[1]
    temperature = calibrate(np.concatenate([on_paper, as_is]), np.concatenate([labels, plain[1]]))
    threshold = float(np.quantile(best(as_is / temperature), 1 - config.kept_digits))
    digit = labels != OTHER
    right = np.mean(on_paper.argmax(axis=1)[digit] == labels[digit])
    right_plain = np.mean(as_is.argmax(axis=1) == plain[1])
    passed = np.mean(best(on_paper[~digit] / temperature) >= threshold)
    print(
        f"held out: {right_plain:.2%} of MNIST's digits right, {right:.2%} on paper; "
        f"at threshold {threshold:.3f} {passed:.2%} of non-digits pass; temperature {temperature:.3f}"
    )
    _describe(config, out, learned, temperature, threshold)


def calibrate(logits: Floats, labels: Gray) -> float:
    """The temperature that maximizes the likelihood of softmax(logits / temperature) (Guo et al. 2017)."""
    candidates = np.exp(np.linspace(np.log(0.3), np.log(3), 200))
    return float(min(candidates, key=lambda t: _negative_log_likelihood(logits / np.float32(t), labels)))


def _negative_log_likelihood(logits: Floats, labels: Gray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    likely = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
    return -float(likely.mean())


def best(logits: Floats) -> Floats:
    """The best digit's probability, (N,); the non-digit's counts against it."""
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    best: Floats = likely[:, :OTHER].max(axis=1) / likely.sum(axis=1)
    return best


def _describe(
    config: DigitsConfig, out: Path, learned: Sources, temperature: float, threshold: float
) -> None:
    epoch = sum(config.epoch_parts)
    trained = (
        f"{learned.description}, as they "
        f"are and drawn on paper and cut out ({config.mix.total:,}); {config.all_epochs} epochs of {epoch:,}"
    )
    settings = f"--epochs {config.epochs} --pictures {config.mix.total} --seed {config.seed} --data DIR"
    before: tuple[str, ...] = ()
    if config.warm_start:
        first = shipped(config.warm_start)
        before, trained = first.make_again, f"{first.training_data}; then {trained}"
        settings = f"--warm-start {config.warm_start} --rate {config.learning_rate} {settings}"
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
            others=(config.paper_negatives + config.plain_negatives) / epoch,
        ),
    )
