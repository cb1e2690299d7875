"""Pictures changed a little anew each time they are learnt: turned, slanted, stretched, warped, moved."""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

KNOTS = 5
"""The warp is drawn on so many points a side and smooth between them (after Simard et al. 2003)."""
UNTOUCHED = 0.15
"""The part that is learnt as it is."""
CHUNK = 2000
"""Pictures whose maps are made at once: enough for NumPy, little for the memory."""


def wobble(pictures: Gray, random: np.random.Generator, strength: float) -> Gray:
    """(N, 28, 28) uint8 -> as many, each changed by its own draw; `strength` 1 is what hands do."""
    changed = np.empty_like(pictures)
    for start in range(0, len(pictures), CHUNK):
        part = pictures[start : start + CHUNK]
        across, down = _maps(len(part), part.shape[1], random, strength)
        for index, picture in enumerate(part):
            changed[start + index] = cv2.remap(picture, across[index], down[index], cv2.INTER_CUBIC)
    spared = random.random(len(pictures)) < UNTOUCHED
    changed[spared] = pictures[spared]
    return changed


def _maps(count: int, side: int, random: np.random.Generator, strength: float) -> tuple[Floats, Floats]:
    """Where each pixel of each picture comes from: columns and rows, (count, side, side)."""
    turn = random.normal(0, np.deg2rad(6) * strength, count)
    slant = random.normal(0, 0.13 * strength, count)
    across, down = np.exp(random.normal(0, 0.07 * strength, (2, count)))
    cos, sin = np.cos(turn), np.sin(turn)
    grid = np.arange(side, dtype=np.float32) - (side - 1) / 2
    fields = random.normal(0, 0.55 * strength, (2, count, KNOTS, KNOTS)).astype(np.float32)
    fields += random.normal(0, 0.5 * strength, (2, count, 1, 1)).astype(np.float32)  # moved as a whole
    smooth = cv2.resize(np.eye(KNOTS, dtype=np.float32), (KNOTS, side), interpolation=cv2.INTER_CUBIC)
    warp = smooth @ fields @ smooth.T + np.float32((side - 1) / 2)
    x, y = grid[np.newaxis, np.newaxis, :], grid[np.newaxis, :, np.newaxis]
    linear = np.stack([cos * across, cos * slant - sin, sin * across, sin * slant + cos * down])
    a, b, c, d = linear.astype(np.float32)[:, :, np.newaxis, np.newaxis]
    return warp[0] + a * x + b * y, warp[1] + c * x + d * y
