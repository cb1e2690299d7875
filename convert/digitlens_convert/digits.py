"""Models on single digits, MNIST's test half, and on negatives; each is compared with the first."""

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
"""Share of the digits above the threshold at which the negatives that pass are counted."""


@dataclass(frozen=True)
class Measured:
    """A model's answers on the test half, (N,).

    Attributes:
        size: of the model file, in bytes.
        confidence: the best digit's probability, (N,).
        negatives: the best digit's probability for each negative, (M,).
        threshold: the card's, below which a glyph is not a digit.
    """

    name: str
    size: int
    answers: npt.NDArray[np.intp]
    confidence: npt.NDArray[np.float32]
    negatives: npt.NDArray[np.float32]
    threshold: float


def measure(name: str, model: str | Path, data: Mnist, negatives: Images) -> Measured:
    """Read all test digits and the negatives (M, 28, 28) uint8."""
    classifier = Classifier.load(model)
    read = classifier.probabilities(data.x_test)
    return Measured(
        name=name,
        size=cards.find(model).stat().st_size,
        answers=read.argmax(axis=1),
        confidence=read.max(axis=1),
        negatives=classifier.probabilities(negatives).max(axis=1, initial=0),
        threshold=classifier.card.threshold or 0.0,
    )


def load_negatives(path: Path | None) -> Images:
    """An npz's `x`, (N, h, w) uint8, white on black, as the runtime normalizes it: (N, 28, 28).

    Raises:
        DataError: the file is missing or has no such array.
    """
    if path is None:
        return np.zeros((0, 28, 28), np.uint8)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.stack([normalize(picture) for picture in arrays["x"]])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path}: not an npz with pictures in x") from error


def compare(models: list[Measured], data: Mnist) -> dict[str, object]:
    """All models' figures, with disagreements and McNemar's test against the first."""
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
                "signs": len(model.negatives),
                "signs_passed": _passed(model, model.threshold),
                "signs_passed_at_99": _passed(model, float(np.quantile(model.confidence, 1 - KEPT))),
                "confusion": confusion(truth, model.answers).tolist(),
            }
        )
    return {"set": "MNIST test", "digits": len(truth), "models": rows}


def confusion(truth: npt.NDArray[np.uint8], answers: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The confusion matrix (10, 10): how often the row's digit was read as the column's."""
    counts = np.zeros((10, 10), np.intp)
    np.add.at(counts, (truth, answers), 1)
    return counts


def _passed(model: Measured, threshold: float) -> float | None:
    return float(np.mean(model.negatives >= threshold)) if len(model.negatives) else None
