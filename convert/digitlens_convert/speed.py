"""What a digit costs: time by threads and batch, memory, multiply-accumulates; interleaved in one run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens import Classifier
from digitlens.models import cards
from digitlens.models.interpreter import Network

Run = Callable[[npt.NDArray[np.uint8]], object]
THREADS = (1, 2, 4)
BATCHES = (1, 8, 32)
ROUNDS = 5
SPENT = 0.06
"""Seconds of one runner, batch and round."""


def runners(models: dict[str, Path], threads: int) -> dict[str, Run]:
    """What classifies (N, 28, 28) uint8, by the models' names; a network is only run, without its softmax."""
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


def times(run: dict[str, Run], pictures: npt.NDArray[np.uint8]) -> dict[str, dict[int, tuple[float, float]]]:
    """Milliseconds a digit, median and 99th percentile, by name and batch.

    The runners take turns, so that whatever else the machine does falls on all of them.
    """
    measured: dict[tuple[str, int], list[float]] = {(name, batch): [] for name in run for batch in BATCHES}
    for _ in range(ROUNDS):
        for (name, batch), spent in measured.items():
            some = pictures[:batch]
            run[name](some)  # the first call of a batch size allocates
            until = perf_counter() + SPENT
            while perf_counter() < until or len(spent) < 3:
                started = perf_counter()
                run[name](some)
                spent.append((perf_counter() - started) * 1000 / batch)
    return {
        name: {
            batch: (float(np.median(spent)), float(np.percentile(spent, 99)))
            for batch in BATCHES
            for spent in (measured[name, batch],)
        }
        for name in run
    }


def multiply_accumulates(content: bytes) -> int:
    """Of one digit, counted over the network's own convolutions and dense layers."""
    interpreter = Network(content, portable=True)._interpreter
    shapes = {tensor["index"]: tensor["shape"] for tensor in interpreter.get_tensor_details()}
    total = 0
    for op in interpreter._get_ops_details():
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            weights, output = shapes[op["inputs"][1]], shapes[op["outputs"][0]]
            # A weight of one output channel is used once for each of the channel's places.
            total += int(np.prod(weights)) * int(np.prod(output[1:-1]))
    return total


def peak() -> float:
    """Multiply-accumulates a second that this interpreter's int8 kernels reach at the most, one thread.

    Measured by one large convolution that has nothing but work: 3 x 3, 256 to 256 channels, 16 x 16 places.
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
    """MiB of its own (not of shared files) that a fresh process has had at the most to classify 32 digits."""
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
