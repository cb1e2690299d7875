"""The paper's brightness under the ink."""

import numpy as np
import pytest

from digitlens.core.arrays import Floats
from digitlens.paper.background import inpaint


def _holes(shape: tuple[int, int], seed: int = 1) -> Floats:
    """Weights: 1, and 0 in a tenth of the places."""
    random = np.random.default_rng(seed)
    return (random.random(shape) >= 0.1).astype(np.float32)


@pytest.mark.parametrize("shape", [(64, 64), (45, 131), (7, 1), (1, 9)])
def test_known_values_stay(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(2).uniform(0, 255, shape).astype(np.float32)
    weights = _holes(shape)
    found = inpaint(values, weights)
    assert found.shape == shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[weights == 1], values[weights == 1], rtol=1e-5)


def test_holes_are_filled_with_what_is_around_them() -> None:
    """A hole of any size, in light that falls off to one side."""
    values = np.tile(np.linspace(220, 120, 160, dtype=np.float32), (120, 1))
    for side in (2, 9, 40):
        weights = np.ones(values.shape, np.float32)
        weights[40 : 40 + side, 60 : 60 + side] = 0
        found = inpaint(np.where(weights > 0, values, 0), weights)
        # The light changes by `side` columns' worth across the hole.
        assert np.abs(found - values).max() < 2 + side * 100 / 160


def test_a_hard_edge_stays() -> None:
    """A shadow's edge: holes beside it take the brightness of their own side."""
    values = np.full((96, 96), 210, np.float32)
    values[:, 48:] = 70
    weights = np.ones(values.shape, np.float32)
    weights[20:28, 30:40] = weights[60:68, 56:66] = 0
    found = inpaint(np.where(weights > 0, values, 0), weights)
    known = weights > 0
    np.testing.assert_allclose(found[known], values[known], rtol=1e-5)
    np.testing.assert_allclose(found[20:28, 30:40], 210, atol=8)
    np.testing.assert_allclose(found[60:68, 56:66], 70, atol=8)


def test_a_place_known_in_part_counts_in_part() -> None:
    values = np.full((32, 32), 100, np.float32)
    weights = np.ones(values.shape, np.float32)
    values[9, 9], weights[9, 9] = 200, 0.25
    assert 110 < inpaint(values, weights)[9, 9] < 190


@pytest.mark.parametrize("known", [1.0, 0.3])
def test_what_is_far_does_not_count(known: float) -> None:
    """A thin stroke, of which little is known, beside many others far away."""
    values, weights = np.zeros((100, 250), np.float32), np.zeros((100, 250), np.float32)
    values[40:55, 20:22], weights[40:55, 20:22] = 40, known
    for x in range(150, 240, 8):
        values[40:55, x : x + 2], weights[40:55, x : x + 2] = 200, known
    found = inpaint(values, weights)
    np.testing.assert_allclose(found[40:55, 20:22], 40, atol=3)
    assert found[40:55, 15:30].max() < 60
    assert found[40:55, 150:240].min() > 180


def test_nothing_known_is_0_everywhere() -> None:
    assert not inpaint(np.full((20, 30), 90, np.float32), np.zeros((20, 30), np.float32)).any()
