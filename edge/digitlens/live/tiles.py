"""A picture in tiles of eight by eight pixels: their sums, in one pass."""

import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

TILE = 8
"""Pixels of a tile's side."""
FOLD = np.uint64(0x0001000100010001)
"""Times this, the highest of four lanes of 16 bits is the sum of them."""


def sums(gray: Gray) -> npt.NDArray[np.uint64]:
    """(h, w) uint8, at least TILE each -> the sums (h // TILE, w // TILE) of the whole tiles.

    Rows are added as they are; then four sums of a column's eight pixels are one number, and are folded.
    """
    rows, columns = gray.shape[0] // TILE, gray.shape[1] // TILE
    whole = gray[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns * TILE)
    down = whole[:, 0].astype(np.uint16, order="C")  # however the picture lies in memory
    for row in range(1, TILE):
        down += whole[:, row]
    halves = (down.view(np.uint64) * FOLD) >> np.uint64(48)
    found: npt.NDArray[np.uint64] = halves[:, ::2] + halves[:, 1::2]
    return found
