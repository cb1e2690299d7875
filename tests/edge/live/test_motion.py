"""The common movement of a picture, where steps from each digit to its neighbor vote, too."""

import numpy as np
import pytest

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles
from digitlens.live.motion import moved_boxes

PARAMETERS = TrackingParameters()
CLOSE = np.array(
    [
        (364, 554, 93, 218), (539, 561, 140, 227), (761, 586, 99, 187), (921, 598, 191, 186),
        (309, 899, 134, 232), (512, 931, 101, 165), (713, 925, 101, 190), (884, 920, 100, 217),
        (1036, 915, 167, 224),
    ],
    np.float64,
)  # fmt: skip
"""Two rows of digits that stand less than their height apart."""
EVEN = np.array([(100 + 40 * column, 100, 25, 40) for column in range(6)], np.float64)


@pytest.mark.parametrize("boxes", [CLOSE, EVEN], ids=["close", "even"])
@pytest.mark.parametrize("alike", [False, True], ids=["different", "alike"])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (-3.0, 2.0), (9.0, -7.0)])
def test_nothing_moves_by_a_digit(boxes: Doubles, alike: bool, shift: tuple[float, float]) -> None:
    """Whatever the last bits of the boxes are, and also where all digits have one value."""
    values = np.full(len(boxes), 1) if alike else np.arange(len(boxes)) % 10
    for seed in range(20):
        tremor = np.random.default_rng(seed).normal(0, 1e-13 if seed % 2 else 0.4, (len(boxes), 2))
        seen = boxes.copy()
        seen[:, :2] += shift + tremor
        found = moved_boxes(boxes, values, seen, values, PARAMETERS)
        assert np.abs(found - seen).max() < 3, (seed, found - seen)
