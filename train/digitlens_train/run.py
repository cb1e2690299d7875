"""A training run's folder: claimed once, resumable after every epoch, with its history and summary."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from digitlens_train import history_plot
from digitlens_train.data import DataError

COLUMNS = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy", "seconds")
Figures = dict[str, float | None]
"""One epoch's figures, by COLUMNS."""
Observer = Callable[[Figures], None]
"""Called with each epoch's figures before they are saved; an exception ends the run."""


def claim(out: Path, config: dict[str, Any], resume: bool) -> list[Figures]:
    """Make `out` this run's folder, or check that it is; returns the history of its completed epochs.

    Raises:
        DataError: `out` holds a run already and `resume` is off, or a run with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    kept, settings = out / "config.json", json.dumps(config, indent=1)
    if not kept.exists():
        kept.write_text(settings)
    elif not resume:
        raise DataError(
            f"{out}: holds a run already; continue it with --resume, or name another folder with --out"
        )
    elif kept.read_text() != settings:
        raise DataError(f"{out}: its run has other settings (see {kept}); repeat them, or name another --out")
    return _read_history(out)


def checkpoint(out: Path, epoch: int) -> Path:
    """The checkpoint of an epoch: weights and the optimizer's state."""
    return out / f"epoch-{epoch:02}.weights.h5"


def save_epoch(model: Any, out: Path, history: list[Figures]) -> None:
    """Save the checkpoint, then the history that counts it; each file is replaced atomically."""
    partial = out / "partial.weights.h5"
    model.save_weights(partial)
    partial.replace(checkpoint(out, len(history)))
    save_history(out, history)


def save_history(out: Path, history: list[Figures]) -> None:
    """Write history.csv, replaced atomically, and history.png."""
    partial = out / "history.partial"
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(history)
    partial.replace(out / "history.csv")
    history_plot.draw(history, out / "history.png")


def table(history: list[Figures]) -> str:
    """The history as text, one line an epoch."""
    lines = ["epoch      loss  accuracy  test loss  test accuracy  seconds"]
    for row in history:
        test = (
            f"{row['test_loss']:9.4f}  {row['test_accuracy']:13.4f}"
            if row.get("test_loss") is not None
            else f"{'':9}  {'':13}"
        )
        lines.append(
            f"{row['epoch']:5}  {row['loss']:8.4f}  {row['accuracy']:8.4f}  {test}  {row['seconds']:7.1f}"
        )
    return "\n".join(lines)


def _read_history(out: Path) -> list[Figures]:
    path = out / "history.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows: list[Figures] = [
            {name: float(text) if text else None for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
    for row in rows:
        row["epoch"] = int(row["epoch"] or 0)
    return rows


class About(msgspec.Struct, frozen=True):
    """Written as about.json beside the fitted model.

    A network whose outputs are logits also has `temperature`, which calibrates them, `threshold`, the
    probability below which a glyph is not a digit, and `others`, the share of non-digits in an epoch.
    """

    name: str
    kind: Literal["tflite", "hog-svm", "strips", "ink"]
    description: str
    training_data: str
    make_again: tuple[str, ...]
    temperature: float | None = None
    threshold: float | None = None
    others: float | None = None


def finish(out: Path, about: About) -> None:
    """Write about.json; convert takes only runs that have one."""
    (out / "about.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n")
