"""A row read whole: its strip of the picture -> the network `numbers` -> signs and where they stand.

The strip is gray, its paper evened out, not thresholded; training makes its own by the same function.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.errors import ModelError
from digitlens.models import cards, signature
from digitlens.models.cache import TwoFrameCache
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network, softmax
from digitlens.rows import ctc

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

DEFAULT = "numbers"
SEPARATOR, OTHER, BLANK = 10, 11, 12
"""The classes beside the ten digits: what parts digits, what is none, and CTC's nothing."""
CLASSES = 13
STEP = 2
"""Pixels of a strip for each column that the network tells of."""
HEIGHT = 32
"""Pixels of a strip."""
WIDTHS = (128, 256, 384)
"""Pixels that a strip is padded to, with paper on its right."""
PAD = 0.14
"""Of the row's height, that is left above and below it."""
STRONGEST = 0.99
"""Of a strip's pixels are paler than what becomes full black."""
QUIET = 0.75
"""Natural logarithm of how much less probable a column is taken to show nothing than the network has it.

Where CTC's network knows no form it is silent, and most columns are so to begin with. Chosen on the
validation sets.
"""
SLANT, TALLER, HIGHER = -0.25, 1.1, 1.5
"""How a strip in doubt is looked at again: slanted, by so many pixels to the right for each that a line of
pixels is higher; so many times as tall; and so many pixels higher."""
LEAST = 36.0
"""Gray levels of contrast, at the least, that become full black: empty paper stays pale."""


def to_strip(contrast: Gray, top: float, bottom: float, left: float, right: float) -> Gray:
    """(H, W) uint8, how much darker than its paper a pixel is -> (HEIGHT, w) uint8, w as wide as it comes.

    The four sides are pixels of the picture and may lie beyond it: there is paper.
    """
    y, x = round(top), round(left)
    high, wide = max(1, round(bottom) - y), max(1, round(right) - x)
    size = strip_size(top, bottom, left, right)
    crop = np.zeros((high, wide), np.uint8)
    rows, columns = slice(max(0, y), max(0, y + high)), slice(max(0, x), max(0, x + wide))
    seen = contrast[rows, columns]
    crop[max(0, -y) : max(0, -y) + seen.shape[0], max(0, -x) : max(0, -x) + seen.shape[1]] = seen
    how = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(crop, size, interpolation=how)
    counts = np.cumsum(np.bincount(small.ravel(), minlength=256))
    level = max(LEAST, float(np.searchsorted(counts, STRONGEST * counts[-1])))
    return cv2.convertScaleAbs(small, alpha=255 / level).astype(np.uint8, copy=False)


def strip_size(top: float, bottom: float, left: float, right: float) -> tuple[int, int]:
    """Width and height of the strip that `to_strip` makes of a picture's part with these sides."""
    high, wide = max(1, round(bottom) - round(top)), max(1, round(right) - round(left))
    return max(4, round(wide * HEIGHT / high)), HEIGHT


def padded(strip: Gray) -> Gray:
    """The strip in the next of WIDTHS, made narrower if it is wider than all."""
    width = next((width for width in WIDTHS if width >= strip.shape[1]), WIDTHS[-1])
    if strip.shape[1] > width:
        return cv2.resize(strip, (width, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.copyMakeBorder(strip, 0, 0, 0, width - strip.shape[1], cv2.BORDER_CONSTANT, value=(0,)).astype(
        np.uint8, copy=False
    )


def slanted(strip: Gray, slant: float) -> Gray:
    """(HEIGHT, W) uint8 -> the same shape; its middle line of pixels stays where it is."""
    return _warped(strip, [[1.0, slant, -slant * (HEIGHT - 1) / 2], [0.0, 1.0, 0.0]])


def _warped(strip: Gray, matrix: list[list[float]]) -> Gray:
    return cv2.warpAffine(strip, np.array(matrix), strip.shape[::-1]).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class RowOutput:
    """A strip's signs, left to right, and the probabilities (T, CLASSES) of its columns, of STEP pixels each.

    `column` of a sign is one of the strip as it was given, not made narrower: by `shrunk`. `look` looks at it
    again. `kept` is what was worked out of it, by what was asked: an unmoving row is not weighed twice.
    """

    signs: list[ctc.Sign]
    columns: Floats
    shrunk: float = 1.0
    look: Callable[[], list[Floats]] = field(default=list, repr=False, compare=False)
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def looks(self) -> list[Floats]:
        """The columns as they were seen at first, and at further looks, which are taken now."""
        return [self.columns, *self.look()]

    def likelihoods(self, texts: Sequence[str], again: bool = False) -> ctc.Scores:
        """How probable each row of digits is, (looks, texts), natural logarithms; `again`, in all looks."""
        rows = [[int(sign) for sign in text] for text in texts]
        return ctc.likelihoods(self.looks if again else [self.columns], rows, SEPARATOR)

    def likelihood(self, text: str, beside: str = "") -> float:
        """How probable it is that just these digits stand in the strip; a natural logarithm.

        `beside` is what will be asked of it next, which then costs little more.
        """
        if text not in self.kept:
            texts = list({text, beside, ""} - self.kept.keys())
            self.kept.update(zip(texts, self.likelihoods(texts)[0].tolist(), strict=True))
        found: float = self.kept[text]
        return found


def placed(signs: list[ctc.Sign], shrunk: float) -> list[ctc.Sign]:
    """Signs of a strip that was made narrower, with their columns of the strip as it was."""
    return [sign._replace(column=round(sign.column * shrunk)) for sign in signs]


class RowRecognizer:
    """The network `numbers` with its card; make one with `Strips.load`."""

    def __init__(self, card: Card, content: bytes, threads: int = 1, runtime: str | None = None) -> None:
        self.card = card
        self._content, self._threads, self._runtime = content, threads, runtime
        # One interpreter for each width, made when it is first asked for: none is ever resized again.
        self._networks: dict[int, Network] = {}
        self._read: TwoFrameCache[tuple[int, bytes], RowOutput] = TwoFrameCache()

    @classmethod
    def load(cls, model: str | Path = DEFAULT, threads: int = 1, runtime: str | None = None) -> Self:
        """A shipped model by name, or a .tflite file by path, proven to fit its card.

        Raises:
            ModelError: no such model, it does not fit its card, or it does not read strips.
            DependencyError: no TFLite interpreter works here.
        """
        path = cards.find(model)
        card, content = cards.load(path)
        strips = cls(card, content, threads, runtime)
        _check(card, strips._network(WIDTHS[0]), path)
        return strips

    def columns(self, strip: Gray) -> Floats:
        """(HEIGHT, W) uint8, W of WIDTHS -> the probabilities (W / STEP, CLASSES) of its columns."""
        outputs = self._network(strip.shape[1]).dequantized(
            strip[np.newaxis, ..., np.newaxis], self.card.input.scale or 1
        )
        logits = outputs.reshape(-1, CLASSES) / np.float32(self.card.temperature or 1)
        logits[:, BLANK] -= np.float32(QUIET)
        return softmax(logits)

    def turn(self) -> None:
        """The next picture begins; strips that are the same as in this one are not read again."""
        self._read.next_frame()

    def read(self, strip: Gray) -> RowOutput:
        """(HEIGHT, w) uint8 -> what it says."""
        key = strip.shape[1], strip.tobytes()
        return self._read.all([key], lambda _: [self._hear(strip)])[0]

    def _hear(self, strip: Gray) -> RowOutput:
        wide = padded(strip)
        columns = self.columns(wide)
        shrunk = max(1.0, strip.shape[1] / wide.shape[1])
        signs = placed(ctc.search(columns, BLANK), shrunk)
        return RowOutput(signs, columns, shrunk, lambda: [self.columns(look) for look in _again(wide)])

    def _network(self, width: int) -> Network:
        if width not in self._networks:
            self._networks[width] = Network(self._content, self._threads, self._runtime)
        return self._networks[width]


def _again(strip: Gray) -> list[Gray]:
    """The strip as it is looked at again, its columns where they are: what is true is seen each time."""
    return [
        slanted(strip, SLANT),
        _warped(strip, [[1.0, 0.0, 0.0], [0.0, TALLER, (1 - TALLER) * (HEIGHT - 1) / 2]]),
        _warped(strip, [[1.0, 0.0, 0.0], [0.0, 1.0, -HIGHER]]),
    ]


def _check(card: Card, network: Network, path: Path) -> None:
    entry, end = network.input, network.output
    if card.kind != "strips" or entry.shape[1] != HEIGHT or end.shape[-1] != 2 * CLASSES:
        raise ModelError(f"{path}: takes {entry.shape}, gives {end.shape}; it does not read strips")
    signature.check(card, network, path)
