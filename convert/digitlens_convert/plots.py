"""The benchmark's plots: wrong digits, confusion matrix, reliability, risk against coverage."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitlens_convert.digits import Measured, confusion
from digitlens_convert.stats import risk_coverage
from digitlens_train.data import Mnist

SHOWN = 96
"""Most digits on a contact sheet."""
BINS = 15
"""Bins of the reliability diagram."""


def draw(models: list[Measured], data: Mnist, out: Path) -> None:
    """Write all plots into the folder `out`; the first model is float32, the second int8."""
    first, second = models[:2]
    wrong = np.flatnonzero(second.answers != data.y_test)
    _sheet(wrong, models, data, f"{second.name} is wrong", out / "wrong.png")
    differ = np.flatnonzero(first.answers != second.answers)
    _sheet(differ, models, data, f"{first.name} and {second.name} differ", out / "disagreements.png")
    _confusions(second, data, out / "confusion.png")
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _reliability(left, models, data)
    _coverage(right, models, data)
    figure.savefig(out / "reliability.png", dpi=100)


def _sheet(chosen: npt.NDArray[np.intp], models: list[Measured], data: Mnist, title: str, path: Path) -> None:
    first, second = models[:2]
    columns = 12
    rows = max(1, -(-min(len(chosen), SHOWN) // columns))
    figure = Figure(figsize=(columns, 1.35 * rows + 0.6), layout="constrained")
    figure.suptitle(f"{title}: {len(chosen)} digits; truth: {first.name}, {second.name}", fontsize=10)
    for axes, index in zip(figure.subplots(rows, columns, squeeze=False).flat, chosen, strict=False):
        axes.imshow(255 - data.x_test[index], cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{data.y_test[index]}: {first.answers[index]}, {second.answers[index]}", fontsize=8)
    for axes in figure.axes:
        axes.axis("off")
    figure.savefig(path, dpi=80)


def _confusions(model: Measured, data: Mnist, path: Path) -> None:
    counts = confusion(data.y_test, model.answers)
    wrong = counts * (1 - np.eye(10, dtype=np.intp))
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(wrong, cmap="Oranges")
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=8)
    axes.set(xlabel="read", ylabel="truth", xticks=range(10), yticks=range(10))
    axes.set_title(f"{model.name}, {len(data.y_test):,} digits", fontsize=10)
    figure.savefig(path, dpi=100)


def _reliability(axes: Axes, models: list[Measured], data: Mnist) -> None:
    """Accuracy by confidence; calibrated confidences lie on the diagonal."""
    axes.plot([0, 1], [0, 1], color="gray", linewidth=0.8)
    for model in models:
        places = np.minimum((np.clip(model.confidence, 0, 1) * BINS).astype(int), BINS - 1)
        counts = np.bincount(places, minlength=BINS)
        used = counts >= 5  # an accuracy of fewer digits is noise
        confidence = np.bincount(places, model.confidence, BINS)[used] / counts[used]
        right = np.bincount(places, model.answers == data.y_test, BINS)[used] / counts[used]
        axes.plot(confidence, right, marker="o", markersize=3, label=model.name)
    axes.set(xlabel="confidence", ylabel="right", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.legend(fontsize=8)


def _coverage(axes: Axes, models: list[Measured], data: Mnist) -> None:
    """The error rate among the most confident answers."""
    for model in models:
        coverage, risk = risk_coverage(model.confidence, model.answers == data.y_test)
        axes.plot(coverage, np.maximum(risk, 1e-5), label=model.name)
    axes.set(xlabel="coverage: share of the digits, most confident first", ylabel="risk: error rate")
    axes.set_yscale("log")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
