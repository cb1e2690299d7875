"""Fit the network `numbers`, which reads a row without segmenting it: data, model, fit, evaluate."""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats, Gray
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import NETWORK_BLANK, NETWORK_CLASSES
from digitlens_train import crops, networks, row_photos, shards
from digitlens_train.crops import Sources
from digitlens_train.data import load_mnist
from digitlens_train.paper.material import Material
from digitlens_train.row_photos import MAX_LABELS
from digitlens_train.run import About, Figures, Observer, checkpoint, claim, finish, save_epoch, table
from digitlens_train.shards import Dataset
from digitlens_train.traced_writing import UNKNOWN

CTC_WEIGHT = 1 / 8
"""Weight of the CTC loss, a sum over the row, beside the columns' cross entropy, a mean."""
MEAN_WIDTH = 190
"""Mean width of a padded row, in pixels."""
DESCRIPTION = "reads a row without segmentation: ten digits, ten kinds of signs, blank; CTC"


@dataclass(frozen=True)
class NumbersConfig:
    """Everything that determines the fitted weights.

    The loss is CTC's (Graves et al. 2006) plus a cross entropy of the columns whose label is known, which
    guides CTC's alignment; its weight falls from 1 to `guide_weight` over the first half of the epochs.

    Attributes:
        shard_size: rows of a shard.
        new_shards: shards drawn for each epoch.
        window: latest shards that an epoch learns, so each row is learned window / new_shards times, with
            another augmentation each time.
        batch_pixels: pixel columns of a batch.
        learning_rate: peak of the schedule, a warm-up and a cosine decay to 0.
        ema_momentum: of the exponential moving average of the weights, which the run keeps.
        bn_batches: batches that re-estimate batch normalization's statistics for the averaged weights.
        held_out_digits: MNIST training digits that are not learned; held-out rows are drawn from them.
        held_out_rows: rows that each epoch is evaluated on.
    """

    epochs: int = 20
    shard_size: int = 1000
    new_shards: int = 7
    window: int = 21
    batch_pixels: int = 8192
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    guide_weight: float = 0.1
    ema_momentum: float = 0.999
    bn_batches: int = 300
    held_out_digits: int = 4000
    held_out_rows: int = 2000
    seed: int = 2026

    @property
    def plan(self) -> shards.Plan:
        """Which shards each epoch learns."""
        return shards.Plan(self.shard_size, self.new_shards, self.window, self.seed)


def fit(
    config: NumbersConfig,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    resume: bool = False,
    warm_start: Path | None = None,
    processes: int = 0,
    observe: Observer | None = None,
) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as numbers.keras.

    Args:
        config: see NumbersConfig.
        out: folder of the run.
        mnist: MNIST as npz; None downloads it.
        data: folder with optdigits, semeion, omniglot and hasy as npz; any of them may be absent.
        resume: continue after the last completed epoch in `out`.
        warm_start: a fitted numbers.keras to begin with.
        processes: workers that draw rows; 0 takes one a core.
        observe: see run.Observer.

    Raises:
        DataError: MNIST is not available, or `out` holds another run.
    """
    learned, held = sources(mnist, data, config.held_out_digits)
    history = claim(out, asdict(config), resume)
    keras.utils.set_random_seed(config.seed)
    model, guide = compiled(config)
    if warm_start is not None:
        model.set_weights(keras.models.load_model(warm_start, compile=False).get_weights())
    if history:
        model.load_weights(checkpoint(out, len(history)))
    held_rows = held_out(held, config.seed, config.held_out_rows, out / "held_out.npz")
    drawn = shards.Shards(learned, config.plan, out / "shards", processes or os.cpu_count() or 1)
    try:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            done = min(1.0, 2 * epoch / config.epochs) if warm_start is None else 1.0
            guide.assign(1 - (1 - config.guide_weight) * done)
            learning = drawn.window(epoch)
            figures: Figures = {"epoch": epoch + 1, "loss": _fit_epoch(model, learning, config, epoch)}
            figures["accuracy"] = exact(model, {w: (x[:200], y[:200]) for w, (x, y) in learning.items()})
            figures["test_loss"], figures["test_accuracy"] = _loss(model, held_rows), exact(model, held_rows)
            figures["seconds"] = time.perf_counter() - started
            if observe is not None:
                observe(figures)
            history.append(figures)
            save_epoch(model, out, history)
            print(table(history[-1:]))
        average_weights(model)
        _update_batch_norm(model, drawn.window(config.epochs - 1), config)
    finally:
        drawn.close()
    model.save(out / "numbers.keras")
    print(f"held out: {exact(model, held_rows):.2%} of the rows exact")
    _describe(config, out, learned, warm_start)
    print(table(history))
    return model


def sources(mnist: Path | None, data: Path | None, held_out_digits: int) -> tuple[Sources, Sources]:
    """The sources of learned rows, and held-out ones: of MNIST's last training digits, and other hands.

    Raises:
        DataError: MNIST is not available, or a data set is broken.
    """
    half = load_mnist(mnist)
    learned = crops.load_sources((half.x_train[:-held_out_digits], half.y_train[:-held_out_digits]), data)
    held = list(half.x_train[-held_out_digits:]), half.y_train[-held_out_digits:]
    hands = Material.load(data, "held_out") if learned.hands is not None else None
    return learned, Sources([held], learned.negatives, hands)


def held_out(drawn_from: Sources, seed: int, count: int, kept: Path) -> Dataset:
    """Rows to evaluate on, drawn once into the file `kept`."""
    if not kept.exists():
        random = np.random.default_rng((seed, 10**6))
        shards.save(kept, [row_photos.make(drawn_from, random) for _ in range(count)])
    return shards.load(kept)


def compiled(config: NumbersConfig) -> tuple[keras.Model, Any]:
    """The network with its loss and optimizer, and the variable with the columns' weight in the loss."""
    import tensorflow as tf

    model = networks.numbers()
    guide = tf.Variable(1.0, trainable=False, dtype=tf.float32)
    steps = config.plan.rows_learned(config.epochs) * MEAN_WIDTH // config.batch_pixels
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, int(0.95 * steps), warmup_target=config.learning_rate, warmup_steps=min(600, steps // 10)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            schedule,
            weight_decay=config.weight_decay,
            global_clipnorm=5.0,
            use_ema=True,
            ema_momentum=config.ema_momentum,
        ),
        loss=loss_of(guide),
        jit_compile=False,  # it would compile once for each width
    )
    model.optimizer.build(model.trainable_variables)
    return model, guide


def loss_of(guide: Any) -> Any:
    """The loss: CTC_WEIGHT times CTC's, plus `guide` times the columns' cross entropy.

    It takes targets as in Dataset, (N, MAX_LABELS + T), and outputs (N, 1, T / 2, 2 * NETWORK_CLASSES).
    """
    import tensorflow as tf

    def loss(targets: Any, outputs: Any) -> Any:
        logits = columns(outputs)  # (N, T, NETWORK_CLASSES)
        targets = tf.cast(targets, tf.int32)
        labels, shown = targets[:, :MAX_LABELS], targets[:, MAX_LABELS:]
        empty = tf.reduce_all(labels == UNKNOWN, axis=1)
        # TensorFlow's CTC rejects empty rows; their loss is that of blank in every column.
        first = tf.one_hot(0, MAX_LABELS, on_value=True, off_value=False, dtype=tf.bool)
        labels = tf.where(empty[:, tf.newaxis] & first, 0, labels)
        places = tf.where(labels != UNKNOWN)
        sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), tf.shape(labels, out_type=tf.int64))
        length = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
        ctc = tf.nn.ctc_loss(sparse, logits, None, length, logits_time_major=False, blank_index=NETWORK_BLANK)
        all_blank = -tf.reduce_sum(tf.nn.log_softmax(logits)[:, :, NETWORK_BLANK], axis=1)
        row = tf.reduce_mean(tf.where(empty, all_blank, ctc))
        known = tf.cast(shown != UNKNOWN, tf.float32)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.minimum(shown, NETWORK_BLANK), logits)
        column = tf.math.divide_no_nan(tf.reduce_sum(known * each), tf.reduce_sum(known))
        return CTC_WEIGHT * row + guide * column

    return loss


def columns(outputs: Any) -> Any:
    """(N, 1, W / 4, 42) -> (N, W / 2, 21)."""
    return keras.ops.reshape(outputs, (-1, 2 * keras.ops.shape(outputs)[2], NETWORK_CLASSES))


def to_input(pictures: Gray) -> Floats:
    """(N, 32, W) uint8 -> (N, 32, W, 1) float32, the Keras network's input."""
    return pictures[..., np.newaxis].astype(np.float32) * np.float32(networks.ROW_SCALE)


def _fit_epoch(model: keras.Model, learning: Dataset, config: NumbersConfig, epoch: int) -> float:
    """Learn every row once; returns the mean loss."""
    random = np.random.default_rng((config.seed, epoch))
    steps = sum(len(x) // (config.batch_pixels // width) for width, (x, _) in learning.items())
    bar = keras.utils.Progbar(steps, stateful_metrics=["loss"])
    losses = []
    for x, y in _batches(learning, config, random):
        losses.append(float(model.train_on_batch(x, y)))
        bar.add(1, [("loss", float(np.mean(losses)))])
    return float(np.mean(losses))


def _batches(
    learning: Dataset, config: NumbersConfig, random: np.random.Generator
) -> Iterator[tuple[Floats, Gray]]:
    """The epoch's batches, each of one width, in random order and augmented."""
    for width, chosen in shards.shuffled(learning, config.batch_pixels, random):
        x, y = learning[width]
        yield to_input(_augmented(x[chosen], random)), y[chosen]


def _augmented(pictures: Gray, random: np.random.Generator) -> Gray:
    """Each row shifted and stretched vertically and its contrast changed; columns keep their place."""
    changed = np.empty_like(pictures)
    stretch = np.exp(random.normal(0, 0.05, len(pictures)))
    shift = random.normal(0, 0.8, len(pictures))
    gain = np.exp(random.normal(0, 0.1, len(pictures)))
    middle = (CROP_HEIGHT - 1) / 2
    for k, picture in enumerate(pictures):
        matrix = np.array([[1, 0, 0], [0, stretch[k], middle * (1 - stretch[k]) + shift[k]]])
        moved = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_LINEAR)
        changed[k] = cv2.convertScaleAbs(moved, alpha=gain[k])
    return changed


def average_weights(model: keras.Model) -> None:
    """Replace the weights by their exponential moving average."""
    model.optimizer.finalize_variable_values(model.trainable_variables)


def _update_batch_norm(model: keras.Model, learning: Dataset, config: NumbersConfig) -> None:
    """Re-estimate batch normalization's moving statistics, which are still the last weights'."""
    random = np.random.default_rng((config.seed, config.epochs))
    for _, (x, _) in zip(range(config.bn_batches), _batches(learning, config, random), strict=False):
        model(x, training=True)


def exact(model: keras.Model, rows: Dataset) -> float:
    """The fraction of rows whose digits are read exactly by the best class of each column."""
    right = total = 0
    for x, y in rows.values():
        if len(x):
            best = np.asarray(columns(model.predict(to_input(x), batch_size=64, verbose=0))).argmax(axis=2)
            right += count_exact(best, y)
            total += len(x)
    return right / max(1, total)


def count_exact(best: npt.NDArray[np.intp], targets: Gray) -> int:
    """The number of rows whose digits are those of their targets; `best` (N, T) are the columns' classes."""
    return sum(
        _digits(line) == [label for label in target.tolist() if label < 10]
        for line, target in zip(best, targets[:, :MAX_LABELS], strict=True)
    )


def _digits(line: npt.NDArray[np.intp]) -> list[int]:
    """CTC's best path: repetitions merged, all but digits dropped."""
    changed = line[np.flatnonzero(np.diff(line, prepend=NETWORK_BLANK) != 0)]
    return [int(label) for label in changed if label < 10]


def _loss(model: keras.Model, rows: Dataset) -> float:
    sums = [
        (float(model.evaluate(to_input(x), y, 64, verbose=0)), len(x)) for x, y in rows.values() if len(x)
    ]
    return sum(loss * count for loss, count in sums) / sum(count for _, count in sums)


def training_data(learned: Sources, distinct: int, total: int) -> str:
    """The card's description of the training data: its sources, distinct rows and rows learned in all."""
    return (
        f"{learned.description}, written in {distinct:,} synthetic rows, photographed; "
        f"{total:,} learned in all"
    )


def _describe(config: NumbersConfig, out: Path, learned: Sources, warm_start: Path | None) -> None:
    """Write about.json.

    The temperature stays 1: the probabilities were calibrated on photographed rows. On drawn ones, some of
    them illegible, they are not.
    """
    distinct = config.shard_size * config.new_shards * config.epochs
    finish(
        out,
        About(
            name="numbers",
            kind="strips",
            description=DESCRIPTION,
            training_data=training_data(learned, distinct, config.plan.rows_learned(config.epochs)),
            make_again=(
                f"python -m digitlens_train numbers --epochs {config.epochs} --seed {config.seed} "
                f"--rate {config.learning_rate} --data DIR"
                f"{'' if warm_start is None else ' --warm-start numbers.keras'}",
            ),
            temperature=1.0,
        ),
    )
