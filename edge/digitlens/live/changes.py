"""Has the picture changed since it was last read? Asked of every frame, so that a still one costs nothing."""

from collections import deque

import numpy as np
import numpy.typing as npt

from digitlens.live import tiles

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

TILE = tiles.TILE
"""Pixels of a tile's side: a pen's stroke fills a good part of it, and the noise of its 64 is an eighth."""
LEAST = 1.5
"""Gray levels of a tile's mean below which nothing is a change: half of it is rounding and coding."""
DEVIATIONS = 5.5
"""Standard deviations of the noise that are a change: of 14,400 tiles, four is everyday."""
NOISIEST = 1.5
"""Gray levels of a tile's deviation that pass for noise; beyond, it is the picture that moves."""
RECENT = 32
"""Frames whose differences are looked at: the lower quartile of them is noise, the others may be motion."""
SAME = 0.01
"""Gray levels of the difference below which a frame is the one before once more, and says nothing."""


class ChangeDetector:
    """Compares frames with the frame that was READ, so that slow changes add up until they are seen.

    `noise` is the standard deviation, in gray levels, of the difference of two tiles of an unmoving picture,
    measured from frame to frame on most of the tiles, which on paper are blank.
    """

    def __init__(self) -> None:
        self.noise = 0.0
        self._measured: deque[float] = deque(maxlen=RECENT)
        self._read: Floats | None = None
        self._before: Floats | None = None
        self._now: Floats | None = None

    def changed(self, gray: Pixels) -> bool:
        """(h, w) uint8: is it beyond noise another picture than the one that `keep` kept?"""
        self._before, self._now = self._now, _tiles(gray)
        bound = max(LEAST, DEVIATIONS * self.noise)  # a change is not to raise its own bound
        if self._before is not None and self._before.shape == self._now.shape:
            # Not the median: a JPEG's levels are whole, and most tiles' may be the same twice. Of a normal
            # distribution three quarters lie within 1.15 deviations.
            noise = _quartile(np.abs(self._now - self._before)) / 1.15
            if noise > SAME:
                self._measured.append(noise)
                self.noise = min(NOISIEST, sorted(self._measured)[len(self._measured) // 4])
        if self._read is None or self._read.shape != self._now.shape:
            return True
        return float(np.max(np.abs(self._now - self._read))) > bound

    def keep(self) -> None:
        """The frame last asked about is the one that is read."""
        self._read = self._now


def _quartile(values: Floats) -> float:
    """What np.quantile gives for 0.75, in a third of its time."""
    place, part = divmod((values.size - 1) * 0.75, 1)
    least = int(place)
    most = min(least + 1, values.size - 1)
    ranked = np.partition(values.ravel(), (least, most))
    return float(ranked[least] + (ranked[most] - ranked[least]) * part)


def _tiles(gray: Pixels) -> Floats:
    """(h, w) -> (h // TILE, w // TILE), the means of the tiles; what is left over is narrower than a digit.

    Not a resized picture: rounded to whole levels, the noise of a clean camera would be 0 or 1.
    """
    if min(gray.shape) < TILE:
        return gray.astype(np.float32)
    return tiles.sums(gray).astype(np.float32) / np.float32(TILE**2)
