"""Fit the original notebook's network: data, model, fit, evaluate; resumable after every epoch."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from digitlens_train import networks
from digitlens_train.data import load_mnist
from digitlens_train.networks import to_input
from digitlens_train.run import About, Figures, checkpoint, claim, finish, save_epoch, table


@dataclass(frozen=True)
class CnnConfig:
    """Everything that determines the fitted weights; the defaults are the notebook's values.

    Attributes:
        phases: epochs of each of the notebook's calls of fit; the test set is evaluated after each.
        limit: training pictures to learn, the first ones, for a trial; None learns all.
    """

    phases: tuple[int, ...] = (3, 3)
    batch_size: int = 512
    learning_rate: float = 1e-4
    seed: int = 2026
    limit: int | None = None


def fit(config: CnnConfig, out: Path, mnist: Path | None = None, resume: bool = False) -> keras.Model:
    """Train into the folder `out`; returns the fitted model, saved there as seed.keras.

    After each epoch `out` holds epoch-NN.weights.h5 (weights and Adam's state), history.csv and
    history.png. With `resume` the run continues after its last completed epoch; a finished one trains
    nothing.

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
        print(f"{out}: finished, all {epochs} epochs are done; nothing to train")
    for epoch in range(len(history) + 1, epochs + 1):
        started = time.perf_counter()
        # The order depends on seed and epoch alone: a resumed run learns what an uninterrupted one would.
        order = np.random.default_rng((config.seed, epoch)).permutation(len(y_train))
        fitted = model.fit(
            x_train[order],
            y_train[order],
            batch_size=config.batch_size,
            initial_epoch=epoch - 1,
            epochs=epoch,
            shuffle=False,
        ).history
        figures: Figures = {"epoch": epoch, "loss": fitted["loss"][0], "accuracy": fitted["accuracy"][0]}
        if epoch in np.cumsum(config.phases):
            figures["test_loss"], figures["test_accuracy"] = model.evaluate(
                x_test, y_test, batch_size=512, verbose=0
            )
        figures["seconds"] = time.perf_counter() - started
        history.append(figures)
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
