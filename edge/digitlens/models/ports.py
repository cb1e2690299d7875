"""Whether a network takes and gives what its card says."""

from pathlib import Path

import numpy as np

from digitlens.core.errors import ModelError
from digitlens.models.cards import Card
from digitlens.models.interpreter import Network


def check(card: Card, network: Network, path: Path) -> None:
    """Whether the network takes and gives what its card says: gray levels in, any size where the card has -1.

    Raises:
        ModelError: it does not.
    """
    entry = network.input
    for port, tensor, name in ((card.input, entry, "input"), (card.output, network.output, "output")):
        fits = len(port.shape) == len(tensor.shape) and all(
            told in (-1, side) for told, side in zip(port.shape[1:], tensor.shape[1:], strict=True)
        )
        if not fits or port.dtype != tensor.dtype.name:
            told = f"its card says {port.shape} {port.dtype}"
            raise ModelError(f"{path}: its {name} is {tensor.shape} {tensor.dtype}, {told}")
    if entry.dtype not in (np.float32, np.uint8) or entry.zero_point != 0 or not card.input.scale:
        raise ModelError(f"{path}: takes neither uint8 with zero point 0 nor float32 with the card's scale")
