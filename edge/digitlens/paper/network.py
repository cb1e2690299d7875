"""The network `ink`: a gray picture -> the class of each of its pixels, at half its size."""

from pathlib import Path
from typing import Any, Protocol, Self

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.core.errors import ModelError
from digitlens.models import cards, signature
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network
from digitlens.paper.bands import PARTS, Bands
from digitlens.paper.bands import STEP as STEP  # of its outputs, for all who read them

DEFAULT = "ink"
PAPER, DIGIT, WRITING, PRINT, LINE = range(5)
"""Paper; the ink of handwritten digits, also where it crosses a line; other handwriting; print; lines."""
CLASSES = 5
FLOAT_SCALE = 0.01
"""Nats for one step of the logits of a float32 network."""
MULTIPLE = 32
"""Pixels that the sides of the network's input are multiples of."""

Logits = npt.NDArray[np.int16]
"""(ceil(H / STEP), ceil(W / STEP), CLASSES), in steps of `InkNetwork.scale` nats."""


class PixelClassifier(Protocol):
    """Anything that gives a picture's logits, in steps of `scale` nats."""

    @property
    def scale(self) -> float: ...  # noqa: D102

    def logits(self, gray: Gray) -> Logits: ...  # noqa: D102


class InkNetwork:
    """The network `ink` with its card; make one with `InkNetwork.load`."""

    def __init__(self, card: Card, content: bytes, threads: int = 1, runtime: str | None = None) -> None:
        self.card = card
        self._network = Network(content, threads, runtime)
        # A float32 file of a training run is in one piece, and takes gray levels as they lie.
        self._bands = Bands(self._network) if set(PARTS) <= {*self._network.signatures} else None

    @classmethod
    def load(cls, model: str | Path = DEFAULT, threads: int = 1, runtime: str | None = None) -> Self:
        """A shipped model by name, or a .tflite file by path, checked against its card.

        Raises:
            ModelError: no such model, it does not fit its card, or it does not classify pixels.
            DependencyError: no TFLite interpreter works here.
        """
        path = cards.find(model)
        card, content = cards.load(path)
        found = cls(card, content, threads, runtime)
        if card.kind != "ink" or found._network.output.shape[-1] != CLASSES:
            raise ModelError(f"{path}: gives {found._network.output.shape}; it does not classify pixels")
        signature.check(card, found._network, path)
        return found

    @property
    def scale(self) -> float:
        """Nats for one step of the logits."""
        return float(self._network.output.scale) or FLOAT_SCALE

    def logits(self, gray: Gray) -> Logits:
        """(H, W) uint8 -> the logits of its pixels, two by two."""
        height, width = gray.shape
        below, right = -height % MULTIPLE, -width % MULTIPLE
        framed = cv2.copyMakeBorder(gray, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
        found = self._whole(framed) if self._bands is None else self._bands.run(framed)
        rows, columns = -(-height // STEP), -(-width // STEP)
        part = found[:rows, :columns]
        logits: Logits = (np.rint(part / FLOAT_SCALE) if part.dtype == np.float32 else part).astype(np.int16)
        return logits

    def _whole(self, framed: Gray) -> npt.NDArray[Any]:
        """(H, W), multiples of MULTIPLE -> the outputs (H / STEP, W / STEP, CLASSES), as they come."""
        batch: npt.NDArray[Any] = framed[np.newaxis, ..., np.newaxis]
        if self._network.input.dtype != np.uint8:
            batch = batch * np.float32(self.card.input.scale or 1)
        found: npt.NDArray[Any] = self._network.run(batch)[0]
        return found
