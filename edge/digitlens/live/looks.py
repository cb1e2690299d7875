"""Looks at a digit: how many different pictures of it there were, and the confidence that these give.

A picture that stands still is one look however often it is read: its errors come back with it. Another look
is a crop that differs from those before beyond the camera's noise, as paper, focus or light change.
"""

from math import exp, log
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.config.parameters.tracking import LookParameters
from digitlens.core.arrays import Doubles, Floats, Gray

CLASSES = 11
"""The ten digits, and not a digit."""
NO_DIGIT_SHARE = 0.5
"""Probability of 'not a digit', as a fraction of another digit's: see TrackingParameters.no_digit_share."""
CERTAIN = 1e-6
"""Least probability that either side of a confidence has."""
NOISE_ROWS = 16
"""Every such row of the picture tells of the camera's noise."""


class Crop(NamedTuple):
    """A digit's crop in one frame.

    `patch` (rows * columns,) float32 has mean 0 and norm 1; `noise` is the difference of two such patches by
    the camera's noise alone, as a fraction of their variance.
    """

    patch: Floats
    noise: float


class Place:
    """The pixels of a digit's crop where it stood in the picture: x and y of each, and their levels."""

    def __init__(self, gray: Gray, box: Doubles, rows: int, columns: int) -> None:
        x, y, width, height = box.tolist()
        limit_y, limit_x = gray.shape[0] - 1, gray.shape[1] - 1
        ys = np.linspace(y, y + height - 1, rows).round().clip(0, limit_y).astype(np.intp)
        xs = np.linspace(x, x + width - 1, columns).round().clip(0, limit_x).astype(np.intp)
        self._spots = np.ix_(ys, xs)
        self._levels = gray[self._spots].astype(np.float32)
        self._shape = gray.shape
        self._variance = max(float(self._levels.var()), 1.0)

    def difference(self, gray: Gray, noise: float) -> float:
        """The change in this place, beyond noise of a variance (gray levels squared), as a fraction."""
        if gray.shape != self._shape:
            return 1.0
        change = gray[self._spots].astype(np.float32) - self._levels
        return max(0.0, float(np.mean(change * change)) - noise) / self._variance


class Looks:
    """The looks at one digit; `count` is how many these are, 1 for a picture that stands still."""

    def __init__(self, parameters: LookParameters) -> None:
        self._parameters = parameters
        self._patches = np.zeros((0, parameters.patch_rows * parameters.patch_columns), np.float32)
        self._weights: list[float] = []
        self._means: list[Doubles] = []  # log-probabilities (CLASSES,)
        self._visits: list[int] = []
        self._times: list[float] = []
        self._place: Place | None = None
        self._last = 0  # the look that was seen last
        self._moved: float | None = None  # when it was last seen to move, or to change otherwise

    @property
    def count(self) -> float:
        """How many looks there were."""
        return sum(self._weights)

    @property
    def counted(self) -> float:
        """How many looks count: in motion as many as can, even if the crop looks the same wherever it is."""
        return self.count if self._moved is None else max(self.count, self._parameters.counted_looks)

    def take(
        self, value: int, confidence: float, time: float, gray: Gray | None, box: Doubles, noise: float
    ) -> None:
        """Add a frame that reads the digit.

        Args:
            value: 0 to 9.
            confidence: in it, a probability.
            time: the frame's, seconds.
            gray: (h, w) uint8; None: the frame counts as the look before.
            box: x, y, width and height in its pixels.
            noise: variance of its pixels, gray levels squared.
        """
        parameters = self._parameters
        self._forget(time)
        found = log_probabilities(value, confidence)
        if gray is None:
            self._visit(self._last, found, time)
            return
        margin = 2 * parameters.noise_margin * noise  # of the difference of two frames
        threshold = parameters.same_look * parameters.new_look
        if self._weights and self._place is not None:
            if self._place.difference(gray, margin) < threshold:
                self._visit(self._last, found, time)
                return
            self._moved = time
        self._place = Place(gray, box, parameters.patch_rows, parameters.patch_columns)
        crop = cropped(gray, box, noise, parameters)
        if self._weights:
            differences = 2 - 2 * self._patches @ crop.patch - parameters.noise_margin * crop.noise
            nearest = int(np.argmin(differences))
            new = min(1.0, float(differences[nearest]) / parameters.new_look)
            if new < parameters.same_look:
                self._visit(nearest, found, time)
                return
        else:
            new = 1.0
        if len(self._weights) >= parameters.most_looks:
            self._drop([int(np.argmin(self._times))])
        self._patches = np.vstack([self._patches, crop.patch])
        self._weights.append(new)
        self._means.append(found)
        self._visits.append(1)
        self._times.append(time)
        self._last = len(self._weights) - 1

    def log_odds(self, value: int) -> float:
        """Log-odds of a value by the mean of all looks, and by what many looks add."""
        if not self._weights:
            return 0.0
        mean = self._means[0]
        if len(self._means) > 1:
            mean = np.array(self._weights) @ np.array(self._means) / self.count
        likelihoods = np.exp(mean - mean.max())
        odds = log_odds(float(likelihoods[value] / likelihoods.sum()))
        return gained(odds, self.counted, self._parameters)

    def _visit(self, look: int, found: Doubles, time: float) -> None:
        if not self._weights:
            self._weights, self._means, self._visits, self._times = [1.0], [found], [1], [time]
            self._patches = np.zeros((1, self._patches.shape[1]), np.float32)
            self._last = 0
            return
        self._visits[look] += 1
        step = max(1 / self._visits[look], self._parameters.mean_step)
        self._means[look] = self._means[look] + step * (found - self._means[look])
        self._times[look] = time
        self._last = look

    def _forget(self, time: float) -> None:
        if self._moved is not None and time - self._moved > self._parameters.memory:
            self._moved = None
        old = [look for look, seen in enumerate(self._times) if time - seen > self._parameters.memory]
        if len(old) == len(self._times):
            old = [look for look in old if look != self._last]
        if old:
            self._drop(old)
            self._weights[0] = 1.0  # the first of those that are left is a complete look

    def _drop(self, looks: list[int]) -> None:
        kept = [look for look in range(len(self._weights)) if look not in looks]
        self._last = kept.index(self._last) if self._last in kept else 0
        self._patches = self._patches[kept]
        self._weights = [self._weights[look] for look in kept]
        self._means = [self._means[look] for look in kept]
        self._visits = [self._visits[look] for look in kept]
        self._times = [self._times[look] for look in kept]


def log_probabilities(value: int, confidence: float) -> Doubles:
    """The log-probabilities (CLASSES,) of a digit read as `value`; what is missing of 1 is spread."""
    sure = min(max(confidence, CERTAIN), 1 - CERTAIN)
    rest = (1 - sure) / (CLASSES - 2 + NO_DIGIT_SHARE)
    spread = np.full(CLASSES, log(rest))
    spread[-1] = log(rest * NO_DIGIT_SHARE)
    spread[value] = log(sure)
    return spread


def log_odds(probability: float) -> float:
    """The log-odds of a probability, which is taken for neither 0 nor 1."""
    sure = min(max(probability, CERTAIN), 1 - CERTAIN)
    return log(sure / (1 - sure))


def probability(odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + exp(-odds))


def gained(odds: float, count: float, parameters: LookParameters) -> float:
    """A digit's log-odds after `count` looks, whose mean are `odds`."""
    return odds + share(count, parameters) * (parameters.gain * odds + parameters.digit_shift)


def share(count: float, parameters: LookParameters) -> float:
    """How far so many looks are from one on the way to all that count: 0 to 1."""
    return min(max(count - 1, 0.0) / (parameters.counted_looks - 1), 1.0)


def cropped(gray: Gray, box: Doubles, noise: float, parameters: LookParameters) -> Crop:
    """The crop of a box in (h, w) uint8; `noise` is the variance of its pixels, gray levels squared."""
    x, y, width, height = (round(side) for side in box.tolist())
    rows, columns = parameters.patch_rows, parameters.patch_columns
    left, top = min(max(x, 0), gray.shape[1] - 1), min(max(y, 0), gray.shape[0] - 1)
    part = gray[top : max(y + height, top + 1), left : max(x + width, left + 1)]
    # The mean of a sample's pixels where there are several: their noise is smaller.
    samples = max(1.0, part.size / (rows * columns))
    patch = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
    patch -= patch.mean()
    energy = max(float(patch @ patch), 1.0)
    return Crop(patch / np.float32(np.sqrt(energy)), 2 * noise / samples * len(patch) / energy)


def noise_variance(gray: Gray) -> float:
    """The variance of the camera's noise, gray levels squared, by the median of second differences."""
    rows = gray[NOISE_ROWS // 2 :: NOISE_ROWS].astype(np.int16)
    if rows.size == 0 or rows.shape[1] < 3:
        return 0.0
    second = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]).ravel()
    middle = float(np.partition(second, second.size // 2)[second.size // 2])
    return (middle / 0.6745) ** 2 / 6
