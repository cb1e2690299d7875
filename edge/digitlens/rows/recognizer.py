"""The row network `numbers`: a row crop -> the probabilities of its columns, and the signs decoded."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from digitlens.config.parameters.rows import DEFAULT_ROWS, RowParameters
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.errors import ModelError
from digitlens.models import cards, signature
from digitlens.models.cache import TwoFrameCache
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network, softmax
from digitlens.rows import ctc
from digitlens.rows.crop import CROP_HEIGHT, raised, sheared, stretched

DEFAULT = "numbers"
SEPARATOR, OTHER, BLANK = 10, 11, 12
"""The classes after the ten digits: a decimal point or comma, any other sign, and CTC's blank."""
CLASSES = 13
POINT, DASH, SLASH, PLUS, TIMES, EQUALS, COLON, BRACKET, SYMBOL, LETTER, NETWORK_BLANK = range(10, 21)
"""The network's own classes after the ten digits; a point is a comma, too, a symbol that of a currency."""
NETWORK_CLASSES = 21
_FOLD = np.zeros((NETWORK_CLASSES, CLASSES), np.float32)
_FOLD[: POINT + 1, : SEPARATOR + 1] = np.eye(POINT + 1)
_FOLD[POINT + 1 : NETWORK_BLANK, OTHER] = 1
_FOLD[NETWORK_BLANK, BLANK] = 1
STEP = 2
"""Width of an output column, pixels of the crop."""
WIDTHS = (128, 256, 384)
"""Widths that a crop is padded to with paper on its right, pixels."""


def padded(crop: Gray) -> Gray:
    """(CROP_HEIGHT, w) uint8 -> the next of WIDTHS; a crop wider than all is narrowed."""
    width = next((width for width in WIDTHS if width >= crop.shape[1]), WIDTHS[-1])
    if crop.shape[1] > width:
        narrowed = cv2.resize(crop, (width, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
        return narrowed.astype(np.uint8, copy=False)
    return cv2.copyMakeBorder(crop, 0, 0, 0, width - crop.shape[1], cv2.BORDER_CONSTANT, value=(0,)).astype(
        np.uint8, copy=False
    )


@dataclass(frozen=True)
class RowOutput:
    """The row network's output for a crop.

    Args:
        signs: the best labeling, left to right; a sign's `column` is of the crop before it was narrowed.
        columns: (T, CLASSES) float32, probabilities.
        narrowing: how many times narrower the crop was made for the network.
        network_columns: (T, NETWORK_CLASSES) float32, before signs of several classes were taken together.
        augment: runs the network on the crop's augmentations; each (T, CLASSES).
        rescored: results of rescoring by their question, so that an unmoving row is rescored once.
    """

    signs: list[ctc.Sign]
    columns: Floats
    narrowing: float = 1.0
    augment: Callable[[], list[Floats]] = field(default=list, repr=False, compare=False)
    parameters: RowParameters = field(default=DEFAULT_ROWS, repr=False, compare=False)
    network_columns: Floats = field(
        default_factory=lambda: np.zeros((0, NETWORK_CLASSES), np.float32), repr=False, compare=False
    )
    rescored: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    _log_likelihoods: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def augmented(self) -> list[Floats]:
        """The columns of the crop and of its augmentations (test-time augmentation), run on first use."""
        return [self.columns, *self.augment()]

    def log_likelihoods(self, texts: Sequence[str], augmented: bool = False) -> Doubles:
        """Log-likelihoods of texts of digits, in nats: (outputs, texts), one output unless `augmented`."""
        labelings = [[int(digit) for digit in text] for text in texts]
        outputs = self.augmented if augmented else [self.columns]
        return ctc.log_likelihoods(outputs, labelings, SEPARATOR, self.parameters)

    def log_likelihood(self, text: str, next_text: str = "") -> float:
        """The log-likelihood that the row's digits are exactly `text`, in nats; cached.

        `next_text` is computed along with it, which costs little more, for the next call.
        """
        known = self._log_likelihoods
        if text not in known:
            texts = list({text, next_text, ""} - known.keys())
            known.update(zip(texts, self.log_likelihoods(texts)[0].tolist(), strict=True))
        return known[text]


def rescaled(signs: list[ctc.Sign], narrowing: float) -> list[ctc.Sign]:
    """Signs of a narrowed crop, with their columns in the crop before that."""
    return [sign._replace(column=round(sign.column * narrowing)) for sign in signs]


class RowRecognizer:
    """The row network with its card; make one with `RowRecognizer.load`."""

    def __init__(
        self,
        card: Card,
        content: bytes,
        threads: int = 1,
        runtime: str | None = None,
        parameters: RowParameters = DEFAULT_ROWS,
    ) -> None:
        self.card = card
        self.parameters = parameters
        self._content, self._threads, self._runtime = content, threads, runtime
        # One interpreter for each width, made on first use; none is resized.
        self._networks: dict[int, Network] = {}
        self._outputs: TwoFrameCache[tuple[int, bytes], RowOutput] = TwoFrameCache()

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT,
        threads: int = 1,
        runtime: str | None = None,
        parameters: RowParameters = DEFAULT_ROWS,
    ) -> Self:
        """A shipped model by name, or a .tflite file by path, checked against its card.

        Raises:
            ModelError: no such model, it does not fit its card, or it does not read row crops.
            DependencyError: no TFLite interpreter works here.
        """
        path = cards.find(model)
        card, content = cards.load(path)
        recognizer = cls(card, content, threads, runtime, parameters)
        _check(card, recognizer._network(WIDTHS[0]), path)
        return recognizer

    def columns(self, crop: Gray) -> Floats:
        """(CROP_HEIGHT, W) uint8, W of WIDTHS -> the probabilities (W / STEP, CLASSES) of its columns."""
        # All signs but points part numbers, whichever they are; which one is in doubt more often than that.
        return self.network_columns(crop) @ _FOLD

    def network_columns(self, crop: Gray) -> Floats:
        """As `columns`, of all the network's own classes."""
        outputs = self._network(crop.shape[1]).dequantized(
            crop[np.newaxis, ..., np.newaxis], self.card.input.scale or 1
        )
        logits = outputs.reshape(-1, NETWORK_CLASSES) / np.float32(self.card.temperature or 1)
        logits[:, NETWORK_BLANK] -= np.float32(self.parameters.blank_penalty)
        return softmax(logits)

    def next_frame(self) -> None:
        """Begin the next picture; crops that are in this one, too, are not read again."""
        self._outputs.next_frame()

    def read(self, crop: Gray) -> RowOutput:
        """(CROP_HEIGHT, w) uint8 -> the network's output, cached from picture to picture."""
        key = crop.shape[1], crop.tobytes()
        return self._outputs.all([key], lambda _: [self._run(crop)])[0]

    def _run(self, crop: Gray) -> RowOutput:
        wide = padded(crop)
        every = self.network_columns(wide)
        columns = every @ _FOLD
        narrowing = max(1.0, crop.shape[1] / wide.shape[1])
        signs = rescaled(ctc.search(columns, BLANK, self.parameters), narrowing)
        return RowOutput(signs, columns, narrowing, lambda: self._augmented(wide), self.parameters, every)

    def _augmented(self, crop: Gray) -> list[Floats]:
        """The columns (T, CLASSES) of the crop's augmentations, which leave columns in place."""
        chosen = self.parameters
        crops = (
            sheared(crop, chosen.augmentation_shear),
            stretched(crop, chosen.augmentation_stretch),
            raised(crop, chosen.augmentation_shift),
        )
        return [self.columns(changed) for changed in crops]

    def _network(self, width: int) -> Network:
        if width not in self._networks:
            self._networks[width] = Network(self._content, self._threads, self._runtime)
        return self._networks[width]


def _check(card: Card, network: Network, path: Path) -> None:
    entry, end = network.input, network.output
    if card.kind != "strips" or entry.shape[1] != CROP_HEIGHT or end.shape[-1] != 2 * NETWORK_CLASSES:
        raise ModelError(f"{path}: takes {entry.shape}, gives {end.shape}; it does not read row crops")
    signature.check(card, network, path)
