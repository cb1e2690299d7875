"""Classifier: 28 x 28 glyphs -> the probabilities of the ten digits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitlens.core.errors import ModelError
from digitlens.models import cards, hog, signature
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network, softmax

Pictures = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

DEFAULT = "digits"


class Classifier:
    """A model with its card; make one with `Classifier.load`."""

    def __init__(self, card: Card, run: Callable[[Pictures], Probabilities]) -> None:
        self.card = card
        self._run = run

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT,
        threads: int = 1,
        runtime: str | None = None,
        portable: bool = False,
    ) -> "Classifier":
        """A shipped model by name, or a file by path, checked against its card.

        Args:
            model: a name of digitlens.models.cards.names(), or a path to a .tflite or .npz file.
            threads: the interpreter's.
            runtime: a name of digitlens.models.interpreter.RUNTIMES; None takes the first that is installed.
            portable: the same outputs from every runtime on x86-64, to the bit; XNNPACK is faster and
                rounds differently, litert's alike on x86-64 and Arm.

        Raises:
            ModelError: no such model, or it does not fit its card.
            DependencyError: no TFLite interpreter works here.
        """
        path = cards.find(model)
        card, content = cards.load(path)
        if card.kind == "hog-svm":
            return cls(card, hog.load(content, str(path)).probabilities)
        if card.kind == "strips":
            raise ModelError(f"{path}: reads rows (digitlens.rows.recognizer), not glyphs")
        if card.kind == "ink":
            raise ModelError(f"{path}: finds ink (digitlens.paper.network); it does not read glyphs")
        network = Network(content, threads, runtime, portable)
        _check(card, network, path)
        return cls(card, _tflite(network, card))

    def probabilities(self, batch: Pictures) -> Probabilities:
        """(N, 28, 28) uint8, white ink on black -> (N, 10) float32; what a row lacks of 1 is *not a digit*.

        Raises:
            ValueError: another shape or dtype.
        """
        if batch.dtype != np.uint8 or batch.shape[1:] != (28, 28):
            raise ValueError(f"batch must be (N, 28, 28) uint8, not {batch.shape} {batch.dtype}")
        return self._run(batch)


def _check(card: Card, network: Network, path: Path) -> None:
    signature.check(card, network, path)
    classes = 10 if card.temperature is None else 11
    if network.input.shape[1:] != (28, 28, 1) or network.output.shape[1:] != (classes,):
        shapes = f"takes {network.input.shape}, gives {network.output.shape}"
        raise ModelError(f"{path}: {shapes}; not a digit network")


def _tflite(network: Network, card: Card) -> Callable[[Pictures], Probabilities]:
    def run(batch: Pictures) -> Probabilities:
        outputs = network.dequantized(batch[..., np.newaxis], card.input.scale or 1)
        if card.temperature is None:
            return outputs
        return softmax(outputs / np.float32(card.temperature))[:, :10]

    return run
