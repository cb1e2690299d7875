"""Has the picture changed since it was last read? Asked of every frame, so that a still one costs nothing."""

from collections import deque

import numpy as np

from digitlens.config.parameters.tracking import ChangeParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.live import tiles

QUARTILE = 1.15
"""Upper quartile of the absolute values of a normal distribution, in standard deviations."""


class ChangeDetector:
    """Compares frames with the frame that was READ, so that slow changes add up until they are seen.

    `noise` is the standard deviation, in gray levels, of the difference of two tiles of an unmoving picture,
    measured from frame to frame on most of the tiles, which on paper are blank.
    """

    def __init__(self, parameters: ChangeParameters | None = None) -> None:
        self.noise = 0.0
        self._parameters = parameters or ChangeParameters()
        self._measured: deque[float] = deque(maxlen=self._parameters.noise_frames)
        self._read: Floats | None = None
        self._before: Floats | None = None
        self._now: Floats | None = None

    def changed(self, gray: Gray) -> bool:
        """Whether (h, w) uint8 differs beyond noise from the frame that `keep` kept."""
        parameters = self._parameters
        self._before, self._now = self._now, _tiles(gray)
        # A change must not raise its own bound.
        bound = max(parameters.min_difference, parameters.deviations * self.noise)
        if self._before is not None and self._before.shape == self._now.shape:
            # Not the median: a JPEG's levels are integers, and most tiles' may be the same twice.
            noise = _upper_quartile(np.abs(self._now - self._before)) / QUARTILE
            if noise > parameters.duplicate_difference:
                self._measured.append(noise)
                self.noise = min(parameters.max_noise, sorted(self._measured)[len(self._measured) // 4])
        if self._read is None or self._read.shape != self._now.shape:
            return True
        return float(np.max(np.abs(self._now - self._read))) > bound

    def keep(self) -> None:
        """The frame last asked about is the one that is read."""
        self._read = self._now


def _upper_quartile(values: Floats) -> float:
    """The result of np.quantile for 0.75, in a third of its time."""
    place, part = divmod((values.size - 1) * 0.75, 1)
    least = int(place)
    most = min(least + 1, values.size - 1)
    ranked = np.partition(values.ravel(), (least, most))
    return float(ranked[least] + (ranked[most] - ranked[least]) * part)


def _tiles(gray: Gray) -> Floats:
    """(h, w) -> (h // TILE, w // TILE), the means of the tiles; the rest is narrower than a digit.

    Not a resized picture: rounded to integer levels, the noise of a clean camera would be 0 or 1.
    """
    if min(gray.shape) < tiles.TILE:
        return gray.astype(np.float32)
    return tiles.sums(gray).astype(np.float32) / np.float32(tiles.TILE**2)
