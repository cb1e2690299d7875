"""Two perceptrons as one."""

from itertools import pairwise

import numpy as np
import pytest

from digitlens.core.arrays import Floats
from digitlens.models.perceptron import Perceptron
from digitlens_train.data import DataError
from digitlens_train.ensemble import mean


def _perceptron(seed: int, hidden: tuple[int, ...], inputs: int = 5) -> Perceptron:
    random = np.random.default_rng(seed)
    sizes = (inputs, *hidden, 1)

    def drawn(*shape: int) -> Floats:
        return random.normal(size=shape).astype(np.float32)

    layers = tuple((drawn(a, b), drawn(b)) for a, b in pairwise(sizes))
    return Perceptron(drawn(inputs), np.abs(drawn(inputs)) + 0.5, layers)


@pytest.mark.parametrize("hidden", [(), (7,), (8, 4)])
def test_log_odds_are_the_mean_of_both(hidden: tuple[int, ...]) -> None:
    one, other = _perceptron(1, hidden), _perceptron(2, tuple(2 * size for size in hidden))
    inputs = np.random.default_rng(3).normal(size=(20, 5)).astype(np.float32)
    expected = (one.logits(inputs) + other.logits(inputs)) / 2
    np.testing.assert_allclose(mean(one, other).logits(inputs), expected, atol=1e-4)


def test_networks_that_do_not_fit_each_other() -> None:
    with pytest.raises(DataError, match="other inputs"):
        mean(_perceptron(1, (4,)), _perceptron(2, (4,), inputs=6))
    with pytest.raises(DataError, match="as many layers"):
        mean(_perceptron(1, (4,)), _perceptron(2, (4, 4)))
