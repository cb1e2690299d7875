"""Two fits of one perceptron as one, whose log-odds are the mean of theirs: chance fades."""

import numpy as np

from digitlens.models.perceptron import Perceptron
from digitlens_train.data import DataError


def mean(first: Perceptron, second: Perceptron) -> Perceptron:
    """The perceptron with the hidden units of both and the mean of their outputs.

    Raises:
        DataError: they have other inputs, or not as many layers.
    """
    if first.mean.shape != second.mean.shape or len(first.layers) != len(second.layers):
        raise DataError("the two networks have other inputs, or not as many layers")
    # The second takes its inputs standardized as the first's are.
    weights, bias = second.layers[0]
    shift = (first.mean - second.mean) / second.deviation
    others = [
        ((first.deviation / second.deviation)[:, np.newaxis] * weights, bias + shift @ weights),
        *second.layers[1:],
    ]
    layers = []
    last = len(others) - 1
    for k, ((one, its), (other, own)) in enumerate(zip(first.layers, others, strict=True)):
        # Of the first layer the inputs are the same, of the last the output; between, the units are apart.
        rows = [one, other] if k else [np.hstack([one, other])]
        if 0 < k < last:
            rows = [
                np.hstack([one, np.zeros((len(one), other.shape[1]))]),
                np.hstack([np.zeros((len(other), one.shape[1])), other]),
            ]
        joined, added = np.vstack(rows), np.concatenate([its, own])
        if k == last:
            joined = joined / 2 if k else (one + other) / 2
            added = (its + own) / 2
        layers.append((joined.astype(np.float32), added.astype(np.float32)))
    return Perceptron(first.mean, first.deviation, tuple(layers))
