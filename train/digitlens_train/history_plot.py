"""A run's history as a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure


def draw(history: Sequence[Mapping[str, float | None]], path: Path) -> None:
    """Write a PNG of loss and accuracy by epoch: training as lines, test as points."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = [row["epoch"] for row in history]
        axes.plot(epochs, [row[name] for row in history], marker=".", label="training")
        tested = [row for row in history if row.get(f"test_{name}") is not None]
        axes.plot(
            [row["epoch"] for row in tested],
            [row[f"test_{name}"] for row in tested],
            linestyle="none",
            marker="D",
            label="test",
        )
        axes.set(xlabel="epoch", ylabel=name, xticks=epochs)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)
