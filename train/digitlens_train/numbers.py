"""Fit the network that reads a row whole: strips drawn ahead, model, CTC, fit."""

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

from digitlens.rows import recognizer
from digitlens.rows.recognizer import BLANK, CLASSES
from digitlens_train import crops, networks, row_photos, shards
from digitlens_train.crops import Sources
from digitlens_train.data import load_mnist
from digitlens_train.digits import HELD_OUT
from digitlens_train.row_photos import LONGEST, UNKNOWN
from digitlens_train.run import About, Row, checkpoint, claim, finish, save_epoch, table
from digitlens_train.shards import Strips

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
CTC_SHARE = 1 / 8
"""What CTC's loss, which is a row's, weighs beside a column's."""
WIDE = 190
"""Pixels of a padded strip, on average."""
SETTLE = 300
"""Batches after which batch normalization's moving statistics are the averaged weights' own."""
DESCRIPTION = "reads a row whole: ten digits, separator, not a digit, blank; CTC"


@dataclass(frozen=True)
class Config:
    """What decides the fitted weights.

    Strips are drawn in parts of `part`; each epoch adds `fresh` parts and learns the last `window` of all,
    so that each strip is learnt window / fresh times, changed a little anew each time. A batch has `pixels`
    columns of pixels. The loss is CTC's (Graves et al. 2006) and, guiding its alignment, a cross entropy of
    the columns of which is known what they show; that falls from 1 to `guide`. `average` is the momentum of
    the weights' moving average, which is what is kept in the end.
    """

    epochs: int = 20
    part: int = 1000
    fresh: int = 7
    window: int = 21
    pixels: int = 8192
    rate: float = 3e-3
    decay: float = 0.02
    guide: float = 0.1
    average: float = 0.999
    held_out: int = 2000
    seed: int = 2026


def fit(
    config: Config,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    resume: bool = False,
    start: Path | None = None,
    processes: int = 0,
) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as numbers.keras.

    `data` is a folder with optdigits, semeion, omniglot and hasy as npz; what is not there is done
    without. `start` is a fitted network, which learns on. So many `processes` draw strips; 0 takes as many
    as there are cores.

    Raises:
        DataError: MNIST cannot be had, or `out` holds another run.
    """
    learnt, held = sources(mnist, data)
    history = claim(out, asdict(config), resume)
    keras.utils.set_random_seed(config.seed)
    model, guide = compiled(config)
    if start is not None:
        model.set_weights(keras.models.load_model(start, compile=False).get_weights())
    if history:
        model.load_weights(checkpoint(out, len(history)))
    held_strips = held_out(held, config.seed, config.held_out, out / "held_out.npz")
    plan = shards.Plan(config.part, config.fresh, config.window, config.seed)
    drawn = shards.Parts(learnt, plan, out / "parts", processes or os.cpu_count() or 1)
    try:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            done = min(1.0, 2 * epoch / config.epochs) if start is None else 1.0
            guide.assign(1 - (1 - config.guide) * done)
            learning = drawn.window(epoch)
            random = np.random.default_rng((config.seed, epoch))
            bar = keras.utils.Progbar(_steps(learning, config), stateful_metrics=["loss"])
            losses = []
            for x, y in _batches(learning, config, random):
                losses.append(float(model.train_on_batch(x, y)))
                bar.add(1, [("loss", float(np.mean(losses)))])
            row: Row = {"epoch": epoch + 1, "loss": float(np.mean(losses))}
            row["accuracy"] = exact(model, {w: (x[:200], y[:200]) for w, (x, y) in learning.items()})
            row["test_loss"], row["test_accuracy"] = _loss(model, held_strips), exact(model, held_strips)
            row["seconds"] = time.perf_counter() - started
            history.append(row)
            save_epoch(model, out, history)
            print(table(history[-1:]))
        averaged(model)
        _settle(model, drawn.window(config.epochs - 1), config)
    finally:
        drawn.close()
    model.save(out / "numbers.keras")
    _finish(model, config, out, held_strips, learnt, start)
    print(table(history))
    return model


def compiled(config: Config) -> tuple[keras.Model, Any]:
    """The network with its loss and optimizer, and what the columns' cross entropy weighs in it."""
    import tensorflow as tf

    model = networks.numbers()
    guide = tf.Variable(1.0, trainable=False, dtype=tf.float32)
    plan = shards.Plan(config.part, config.fresh, config.window, config.seed)
    steps = plan.learnt(config.epochs) * WIDE // config.pixels
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0, int(0.95 * steps), warmup_target=config.rate, warmup_steps=min(600, steps // 10)
            ),
            weight_decay=config.decay,
            global_clipnorm=5.0,
            use_ema=True,
            ema_momentum=config.average,
        ),
        loss=loss_of(guide),
        jit_compile=False,  # it would compile anew for each width
    )
    model.optimizer.build(model.trainable_variables)
    return model, guide


def averaged(model: keras.Model) -> None:
    """Give the model its weights' moving average."""
    model.optimizer.finalize_variable_values(model.trainable_variables)


def columns(outputs: Any) -> Any:
    """(N, 1, W / 4, 26) -> (N, W / 2, 13)."""
    return keras.ops.reshape(outputs, (-1, 2 * keras.ops.shape(outputs)[2], CLASSES))


def loss_of(guide: Any) -> Any:
    """CTC's loss and, `guide` times, the columns' cross entropy: of targets as in Strips, and of outputs."""
    import tensorflow as tf

    def loss(targets: Any, outputs: Any) -> Any:
        logits = columns(outputs)
        targets = tf.cast(targets, tf.int32)
        labels, shown = targets[:, :LONGEST], targets[:, LONGEST:]
        empty = tf.reduce_all(labels == UNKNOWN, axis=1)
        # TensorFlow's CTC takes no empty row: of one, nothing must be seen in any column.
        first = tf.one_hot(0, LONGEST, on_value=True, off_value=False, dtype=tf.bool)
        labels = tf.where(empty[:, tf.newaxis] & first, 0, labels)
        places = tf.where(labels != UNKNOWN)
        sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), tf.shape(labels, out_type=tf.int64))
        length = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
        ctc = tf.nn.ctc_loss(sparse, logits, None, length, logits_time_major=False, blank_index=BLANK)
        nothing = -tf.reduce_sum(tf.nn.log_softmax(logits)[:, :, BLANK], axis=1)
        row = tf.reduce_mean(tf.where(empty, nothing, ctc))
        known = tf.cast(shown != UNKNOWN, tf.float32)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.minimum(shown, BLANK), logits)
        column = tf.math.divide_no_nan(tf.reduce_sum(known * each), tf.reduce_sum(known))
        return CTC_SHARE * row + guide * column

    return loss


def exact(model: keras.Model, learnt: Strips) -> float:
    """The part of strips whose digits are read exactly, each column by its best class."""
    right = total = 0
    for x, y in learnt.values():
        if len(x):
            best = np.asarray(columns(model.predict(to_input(x), batch_size=64, verbose=0))).argmax(axis=2)
            right += count_exact(best, y)
            total += len(x)
    return right / max(1, total)


def count_exact(best: npt.NDArray[np.intp], targets: Gray) -> int:
    """How many strips say just the digits of their targets; `best` (N, T) are the classes of the columns."""
    return sum(
        _digits(line) == [label for label in target.tolist() if label < 10]
        for line, target in zip(best, targets[:, :LONGEST], strict=True)
    )


def _digits(line: npt.NDArray[np.intp]) -> list[int]:
    changed = line[np.flatnonzero(np.diff(line, prepend=BLANK) != 0)]
    return [int(label) for label in changed if label < 10]


def to_input(pictures: Gray) -> Floats:
    """(N, 32, W) uint8 -> (N, 32, W, 1) float32, what the Keras network takes."""
    return pictures[..., np.newaxis].astype(np.float32) * np.float32(networks.STRIP_SCALE)


def _loss(model: keras.Model, learnt: Strips) -> float:
    sums = [
        (float(model.evaluate(to_input(x), y, 64, verbose=0)), len(x)) for x, y in learnt.values() if len(x)
    ]
    return sum(loss * count for loss, count in sums) / sum(count for _, count in sums)


def _steps(learning: Strips, config: Config) -> int:
    return sum(len(x) // (config.pixels // width) for width, (x, _) in learning.items())


def _batches(learning: Strips, config: Config, random: np.random.Generator) -> Iterator[tuple[Floats, Gray]]:
    """The epoch's batches, each of one width, in random order, each strip a little changed."""
    for width, chosen in shards.shuffled(learning, config.pixels, random):
        x, y = learning[width]
        yield to_input(_wobbled(x[chosen], random)), y[chosen]


def _wobbled(pictures: Gray, random: np.random.Generator) -> Gray:
    """Each moved and stretched upright, paler or darker, a few with grain; columns stay where they are."""
    changed = np.empty_like(pictures)
    stretch = np.exp(random.normal(0, 0.05, len(pictures)))
    shift = random.normal(0, 0.8, len(pictures))
    gain = np.exp(random.normal(0, 0.1, len(pictures)))
    middle = (recognizer.HEIGHT - 1) / 2
    for k, picture in enumerate(pictures):
        matrix = np.array([[1, 0, 0], [0, stretch[k], middle * (1 - stretch[k]) + shift[k]]])
        moved = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_LINEAR)
        changed[k] = cv2.convertScaleAbs(moved, alpha=gain[k])
    return changed


def _settle(model: keras.Model, learning: Strips, config: Config) -> None:
    """Let batch normalization see what the averaged weights, not the last ones, make of the strips."""
    random = np.random.default_rng((config.seed, config.epochs))
    for _, (x, _) in zip(range(SETTLE), _batches(learning, config, random), strict=False):
        model(x, training=True)


def sources(mnist: Path | None, data: Path | None) -> tuple[Sources, Sources]:
    """What strips are drawn from to be learnt, and what is held out: the last of MNIST's training digits.

    Raises:
        DataError: MNIST cannot be had, or a data set is broken.
    """
    half = load_mnist(mnist)
    learnt = crops.load_sources((half.x_train[:-HELD_OUT], half.y_train[:-HELD_OUT]), data)
    return learnt, Sources([(list(half.x_train[-HELD_OUT:]), half.y_train[-HELD_OUT:])], learnt.others)


def held_out(drawn_from: Sources, seed: int, count: int, kept: Path) -> Strips:
    """Strips that are not learnt, drawn once into the file `kept`."""
    if not kept.exists():
        random = np.random.default_rng((seed, 10**6))
        shards.save(kept, [row_photos.make(drawn_from, random) for _ in range(count)])
    return shards.load(kept)


def told(learnt: Sources, distinct: int, total: int) -> str:
    """What a network has learnt from, in words: so many strips of these sources, and how many in all."""
    sets = ", ".join(f"{len(labels):,}" for _, labels in learnt.digits)
    return (
        f"MNIST and further digits ({sets}) and {sum(map(len, learnt.others)):,} other signs, "
        f"written in {distinct:,} synthetic rows, photographed; {total:,} learnt in all"
    )


def _finish(
    model: keras.Model, config: Config, out: Path, held: Strips, learnt: Sources, start: Path | None
) -> None:
    """Tell of the run.

    Its probabilities are left as they are: on photographed strips they were right as often as they said,
    which on drawn ones, where a part is beyond reading, they are not.
    """
    print(f"held out: {exact(model, held):.2%} of the strips exact")
    plan = shards.Plan(config.part, config.fresh, config.window, config.seed)
    distinct = config.part * config.fresh * config.epochs
    finish(
        out,
        About(
            name="numbers",
            kind="strips",
            description=DESCRIPTION,
            training_data=told(learnt, distinct, plan.learnt(config.epochs)),
            make_again=(
                f"python -m digitlens_train numbers --epochs {config.epochs} --seed {config.seed} "
                f"--rate {config.rate} --data DIR{'' if start is None else ' --start numbers.keras'}",
            ),
            temperature=1.0,
        ),
    )
