"""Networks on single digits: MNIST's test half, and signs that are none; each against the first."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from digitlens import Classifier
from digitlens.glyphs.normalize import normalize
from digitlens.models import cards
from digitlens_convert.stats import accuracy, calibration_error, discordant, mcnemar
from digitlens_train.data import DataError, Images, Mnist

KEPT = 0.99
"""Of the digits: how much of what is not a digit passes a threshold that keeps so many."""


@dataclass(frozen=True)
class Measured:
    """One model's answers on the test half, (N,).

    `confidence` (N,) is the best digit's probability, `signs` the same of pictures that are no digits;
    `threshold` is the card's, below which a glyph is none.
    """

    name: str
    size: int
    answers: npt.NDArray[np.intp]
    confidence: npt.NDArray[np.float32]
    signs: npt.NDArray[np.float32]
    threshold: float


def measure(name: str, model: str | Path, data: Mnist, signs: Images) -> Measured:
    """Read all test digits and `signs` that are none."""
    classifier = Classifier.load(model)
    read = classifier.probabilities(data.x_test)
    return Measured(
        name=name,
        size=cards.find(model).stat().st_size,
        answers=read.argmax(axis=1),
        confidence=read.max(axis=1),
        signs=classifier.probabilities(signs).max(axis=1, initial=0),
        threshold=classifier.card.threshold or 0.0,
    )


def load_signs(path: Path | None) -> Images:
    """Pictures (N, h, w) uint8, white on black, of an npz's x, normalized as the runtime does it."""
    if path is None:
        return np.zeros((0, 28, 28), np.uint8)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.stack([normalize(picture) for picture in arrays["x"]])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path}: not an npz with pictures in x") from error


def compare(models: list[Measured], data: Mnist) -> dict[str, object]:
    """The figures of all models, and each against the first: disagreements and McNemar's test."""
    truth = data.y_test
    first = models[0]
    rows = []
    for model in models:
        right = model.answers == truth
        share = accuracy("MNIST test", int(np.count_nonzero(right)), len(truth))
        only_first, only_this = discordant(first.answers == truth, right)
        rows.append(
            {
                "model": model.name,
                "bytes": model.size,
                "right": share.right,
                "total": share.total,
                "accuracy": share.fraction,
                "accuracy_interval": share.interval,
                "against": first.name,
                "differ": np.flatnonzero(model.answers != first.answers).tolist(),
                "only_first_right": only_first,
                "only_this_right": only_this,
                "mcnemar_p": mcnemar(only_first, only_this),
                "calibration_error": calibration_error(model.confidence, right),
                "threshold": model.threshold,
                "digits_kept": float(np.mean(model.confidence >= model.threshold)),
                "signs": len(model.signs),
                "signs_passed": _passed(model, model.threshold),
                "signs_passed_at_99": _passed(model, float(np.quantile(model.confidence, 1 - KEPT))),
                "confusion": confusion(truth, model.answers).tolist(),
            }
        )
    return {"set": "MNIST test", "digits": len(truth), "models": rows}


def confusion(truth: npt.NDArray[np.uint8], answers: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """(10, 10): how often the row's digit was read as the column's."""
    counts = np.zeros((10, 10), np.intp)
    np.add.at(counts, (truth, answers), 1)
    return counts


def _passed(model: Measured, threshold: float) -> float | None:
    return float(np.mean(model.signs >= threshold)) if len(model.signs) else None
