"""Compare a network's float32 and int8 files on MNIST's test half."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

from digitlens import Classifier, cards
from digitlens_convert.stats import accuracy, mcnemar
from digitlens_train.data import Mnist

BATCHES = (1, 32)


@dataclass(frozen=True)
class Measured:
    """One model's answers on the test half, (N,), and its times (milliseconds a digit, by batch)."""

    name: str
    size: int
    answers: npt.NDArray[np.intp]
    milliseconds: dict[int, tuple[float, float]]


def measure(name: str, model: str | Path, data: Mnist, threads: int = 1) -> Measured:
    """Read all test digits; time a digit alone and in batches: median and 99th percentile."""
    classifier = Classifier.load(model, threads)
    answers = classifier.probabilities(data.x_test).argmax(axis=1)
    times = {batch: _time(classifier, data, batch) for batch in BATCHES}
    return Measured(name, cards.find(model).stat().st_size, answers, times)


def _time(classifier: Classifier, data: Mnist, batch: int) -> tuple[float, float]:
    pictures = data.x_test[:1024]
    times = []
    for start in range(0, len(pictures), batch):
        some = pictures[start : start + batch]
        started = perf_counter()
        classifier.probabilities(some)
        times.append((perf_counter() - started) * 1000 / len(some))
    warm = times[1:]  # the first call of a batch size allocates
    return float(np.median(warm)), float(np.percentile(warm, 99))


def compare(models: list[Measured], data: Mnist) -> dict[str, object]:
    """The figures of all models, and each against the first: disagreements and McNemar's test."""
    truth = data.y_test
    first = models[0]
    rows = []
    for model in models:
        right = model.answers == truth
        share = accuracy("MNIST test", int(np.count_nonzero(right)), len(truth))
        only_first = int(np.count_nonzero((first.answers == truth) & ~right))
        only_this = int(np.count_nonzero((first.answers != truth) & right))
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
                "milliseconds_a_digit": {
                    str(batch): {"median": times[0], "p99": times[1]}
                    for batch, times in model.milliseconds.items()
                },
            }
        )
    return {"set": "MNIST test", "digits": len(truth), "models": rows}
