"""Whether a network's input and output fit its card."""

from pathlib import Path

import numpy as np

from digitlens.core.errors import ModelError
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network


def check(card: Card, network: Network, path: Path) -> None:
    """Check that a network takes gray levels and fits its card, where a side of -1 is of any size.

    Raises:
        ModelError: they do not.
    """
    entry = network.input
    for spec, tensor, name in ((card.input, entry, "input"), (card.output, network.output, "output")):
        fits = len(spec.shape) == len(tensor.shape) and all(
            side_on_card in (-1, side)
            for side_on_card, side in zip(spec.shape[1:], tensor.shape[1:], strict=True)
        )
        if not fits or spec.dtype != tensor.dtype.name:
            expected = f"its card says {spec.shape} {spec.dtype}"
            raise ModelError(f"{path}: its {name} is {tensor.shape} {tensor.dtype}, {expected}")
    if entry.dtype not in (np.float32, np.uint8) or entry.zero_point != 0 or not card.input.scale:
        raise ModelError(f"{path}: takes neither uint8 with zero point 0 nor float32 with the card's scale")
