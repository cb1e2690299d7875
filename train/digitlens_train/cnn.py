"""Fit the original notebook's network: data, model, fit, evaluate; resumable after every epoch."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from digitlens_train import networks
from digitlens_train.data import load_mnist
from digitlens_train.networks import to_input
from digitlens_train.run import About, Row, checkpoint, claim, finish, save_epoch, table


@dataclass(frozen=True)
class Config:
    """What decides the fitted weights. The notebook's values are the defaults.

    `phases`: epochs of each call of the notebook's fit, the test set being looked at after each.
    `limit`: only the first so many training pictures, for a trial; None takes all.
    """

    phases: tuple[int, ...] = (3, 3)
    batch: int = 512
    learning_rate: float = 1e-4
    seed: int = 2026
    limit: int | None = None


def fit(config: Config, out: Path, mnist: Path | None = None, resume: bool = False) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as seed.keras.

    After each epoch `out` holds epoch-NN.weights.h5 (weights and Adam's state), history.csv and
    history.png. With `resume` the run goes on after its last whole epoch; a finished one trains nothing.

    Raises:
        DataError: `out` holds a run already and `resume` is off, or a run with other settings.
    """
    history = claim(out, asdict(config), resume)
    epochs = sum(config.phases)
    data = load_mnist(mnist)
    x_train, y_train = to_input(data.x_train[: config.limit]), data.y_train[: config.limit]
    x_test, y_test = to_input(data.x_test), data.y_test

    keras.utils.set_random_seed(config.seed)
    model = networks.seed()
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    if history:
        model.optimizer.build(model.trainable_variables)  # else loading skips Adam's state
        model.load_weights(checkpoint(out, len(history)))
    if len(history) >= epochs:
        print(f"{out}: finished, all {epochs} epochs are there; nothing to train")
    for epoch in range(len(history) + 1, epochs + 1):
        started = time.perf_counter()
        # One order an epoch, from the seed alone: a resumed run sees what an unbroken one would.
        order = np.random.default_rng((config.seed, epoch)).permutation(len(y_train))
        fitted = model.fit(
            x_train[order],
            y_train[order],
            batch_size=config.batch,
            initial_epoch=epoch - 1,
            epochs=epoch,
            shuffle=False,
        ).history
        row: Row = {"epoch": epoch, "loss": fitted["loss"][0], "accuracy": fitted["accuracy"][0]}
        if epoch in np.cumsum(config.phases):
            row["test_loss"], row["test_accuracy"] = model.evaluate(x_test, y_test, batch_size=512, verbose=0)
        row["seconds"] = time.perf_counter() - started
        history.append(row)
        save_epoch(model, out, history)
    model.save(out / "seed.keras")
    limit = f" --limit {config.limit}" if config.limit else ""
    phases = " ".join(map(str, config.phases))
    finish(
        out,
        About(
            name="seed",
            kind="tflite",
            description="the original notebook's network: three convolutions, two dense layers",
            training_data=f"MNIST, {len(y_train):,} training digits, {epochs} epochs",
            make_again=(f"python -m digitlens_train cnn --phases {phases} --seed {config.seed}{limit}",),
        ),
    )
    print(table(history))
    return model
