"""Fit the notebook's other classifier: HOG features and a linear SVM."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from digitlens.models import hog
from digitlens_train.data import load_mnist
from digitlens_train.run import About, finish


@dataclass(frozen=True)
class SvmConfig:
    """Everything that determines the fitted classifier.

    Attributes:
        penalty: LinearSVC's C; of 0.01, 0.03, 0.1, 0.3 and 1 the best on the held-out sixth.
        limit: training pictures to learn, for a trial; None learns all.
    """

    penalty: float = 0.3

    seed: int = 2026
    limit: int | None = None


def fit(config: SvmConfig, out: Path, mnist: Path | None = None) -> hog.LinearSvm:
    """Fit on MNIST's training half and write svm.npz into the folder `out`.

    A sixth of it is held out and calibrates each class's margin to a probability.

    Raises:
        DataError: MNIST is not available.
    """
    seed, limit = config.seed, config.limit
    out.mkdir(parents=True, exist_ok=True)
    data = load_mnist(mnist)
    order = np.random.default_rng(seed).permutation(len(data.y_train))[:limit]
    x, y = hog.features(data.x_train[order]), data.y_train[order]
    held = max(1, len(y) // 6)
    svm = LinearSVC(C=config.penalty, random_state=seed).fit(x[held:], y[held:])
    margins = svm.decision_function(x[:held])  # (held, 10)
    slope, offset = _calibrate(margins, y[:held])
    fitted = hog.LinearSvm(
        *(np.asarray(array, np.float32) for array in (svm.coef_, svm.intercept_, slope, offset))
    )
    np.savez_compressed(out / "svm.npz", **fitted._asdict())
    right = np.count_nonzero(fitted.probabilities(data.x_test).argmax(axis=1) == data.y_test)
    print(
        f"held out: {np.mean(margins.argmax(axis=1) == y[:held]):.2%}; test: {right / len(data.y_test):.2%}"
    )
    trained = f"{len(y) - held:,} of MNIST's training digits; {held:,} more for the calibration"
    again = f"python -m digitlens_train svm --seed {seed}" + (f" --limit {limit}" if limit else "")
    finish(
        out,
        About(
            "svm",
            "hog-svm",
            "HOG features and a linear SVM, the notebook's other classifier",
            trained,
            (again,),
        ),
    )
    return fitted


def _calibrate(
    margins: npt.NDArray[np.float64], labels: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Each class's slope and offset of the logistic function from margin to probability (Platt 1999)."""
    curves = [
        LogisticRegression(C=1e6).fit(margins[:, [digit]], labels == digit)
        for digit in range(margins.shape[1])
    ]
    return np.array([curve.coef_[0, 0] for curve in curves]), np.array(
        [curve.intercept_[0] for curve in curves]
    )
