"""A picture in tiles of eight by eight pixels: their sums, in one pass."""

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray

TILE = 8
"""Side of a tile, in pixels: a pen's stroke fills much of it, and the mean's noise is an eighth of a pixel's.

`sums` is written for this side: half of it is the number of 16-bit lanes in a 64-bit word.
"""
LANE_SUM = np.uint64(0x0001000100010001)
"""Factor that sums a word's four lanes of 16 bits into the highest one."""


def sums(gray: Gray) -> npt.NDArray[np.uint64]:
    """(h, w) uint8, at least TILE each -> the sums (h // TILE, w // TILE) of the complete tiles.

    Rows are added first; then four sums of a column's eight pixels are one word, and their lanes are added.
    """
    rows, columns = gray.shape[0] // TILE, gray.shape[1] // TILE
    tiled = gray[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns * TILE)
    down = tiled[:, 0].astype(np.uint16, order="C")  # however the picture lies in memory
    for row in range(1, TILE):
        down += tiled[:, row]
    halves = (down.view(np.uint64) * LANE_SUM) >> np.uint64(48)
    found: npt.NDArray[np.uint64] = halves[:, ::2] + halves[:, 1::2]
    return found
