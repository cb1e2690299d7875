"""The cost of a digit: time by threads and batch size, interleaved in one run; memory; peak throughput."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens import Classifier
from digitlens.models import cards
from digitlens.models.interpreter import Network
from digitlens_convert.graph import multiply_accumulates

Run = Callable[[npt.NDArray[np.uint8]], object]


@dataclass(frozen=True)
class SpeedConfig:
    """How times are measured.

    Attributes:
        threads: of the interpreter, 1 among them.
        batches: batch sizes, in digits.
        rounds: turns of each runner and batch size.
        seconds: time of one turn.
    """

    threads: tuple[int, ...] = (1, 2, 4)
    batches: tuple[int, ...] = (1, 8, 32)
    rounds: int = 5
    seconds: float = 0.06


def runners(models: dict[str, Path], threads: int) -> dict[str, Run]:
    """Functions of (N, 28, 28) uint8 by the models' names; networks run without their softmax."""
    return {name: _runner(path, threads) for name, path in models.items()}


def _runner(path: Path, threads: int) -> Run:
    card, content = cards.load(path)
    if card.kind != "tflite":
        return Classifier.load(path).probabilities
    network = Network(content, threads)
    if network.input.dtype == np.uint8:
        return lambda pictures: network.run(pictures[..., np.newaxis])
    level = np.float32(card.input.scale or 1)
    return lambda pictures: network.run(pictures[..., np.newaxis] * level)


def times(
    run: dict[str, Run], pictures: npt.NDArray[np.uint8], config: SpeedConfig
) -> dict[str, dict[int, tuple[float, float]]]:
    """Milliseconds a digit, median and 99th percentile, by name and batch size.

    The runners take turns, so that other load on the machine affects all of them.
    """
    batches = config.batches
    measured: dict[tuple[str, int], list[float]] = {(name, batch): [] for name in run for batch in batches}
    for _ in range(config.rounds):
        for (name, batch), spent in measured.items():
            some = pictures[:batch]
            run[name](some)  # the first call of a batch size allocates
            until = perf_counter() + config.seconds
            while perf_counter() < until or len(spent) < 3:
                started = perf_counter()
                run[name](some)
                spent.append((perf_counter() - started) * 1000 / batch)
    return {
        name: {
            batch: (float(np.median(spent)), float(np.percentile(spent, 99)))
            for batch in batches
            for spent in (measured[name, batch],)
        }
        for name in run
    }


def peak() -> float:
    """Peak int8 multiply-accumulates a second of this interpreter, one thread.

    Measured on one large convolution: 3 x 3, 256 to 256 channels, 16 x 16 places.
    """
    import keras
    from keras import layers

    from digitlens_convert import quantize

    places, channels = 16, 256
    model = keras.Sequential(
        [keras.Input((places, places, channels)), layers.Conv2D(channels, 3, padding="same")]
    )
    picture = np.random.default_rng(0).random((20, places, places, channels), np.float32)
    content = quantize.convert(model, "int8", picture)
    network = Network(content)
    entry = np.zeros((1, places, places, channels), np.uint8)
    network.run(entry)
    spent = []
    for _ in range(30):
        started = perf_counter()
        network.run(entry)
        spent.append(perf_counter() - started)
    return multiply_accumulates(content) / min(spent)


def memory(path: Path) -> float:
    """Peak memory of a fresh process that classifies 32 digits, without shared files, in MiB."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "digitlens_convert.speed", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def _own_memory(path: Path) -> float:
    classifier = Classifier.load(path)
    classifier.probabilities(np.zeros((32, 28, 28), np.uint8))
    table: dict[str, Any] = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    most, file = (float(table[name].split()[0]) for name in ("VmHWM", "RssFile"))
    return (most - file) / 1024


if __name__ == "__main__":
    print(json.dumps(_own_memory(Path(sys.argv[1]))))
