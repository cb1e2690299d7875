"""The score of a row's hypotheses: one log-linear model, learnt from generated rows.

The probability of a hypothesis is softmax over the scores of all and 0, the score of what none of them says:
a word, a scribble, or other digits (a conditional logit, McFadden 1974).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from digitlens.core.arrays import Doubles, Floats
from digitlens.models.perceptron import Perceptron

DEFAULT_MODEL = "hypotheses"
FEATURES = (
    "log-likelihood below the best",
    "augmented log-likelihood below the best",
    "least augmented log-likelihood below the best",
    "log-odds over no digit",
    "augmented log-likelihood",
    "slices' log-probability below the best",
    "slices' mean log-probability",
    "slices' least log-probability",
    "lattice's",
    "row network's",
    "digits less the row network's",
    "digits less the lattice's",
    "log-odds of substituted glyphs",
    "lattice's log-confidence",
    "lattice finds none",
    "one digit",
    "one digit, the lattice's",
    "log digits",
    "fraction of ones",
    "log-confidence of the row network",
    "other signs to digits",
    "only row",
    "close-up",
)
"""The inputs for a hypothesis. Likelihoods and odds are a digit's mean, unless they are below the best."""
FLOOR = -12.0
"""Smallest log-likelihood, or odds, that is an input, nats."""


@dataclass(frozen=True)
class HypothesisEvidence:
    """What is known of the hypotheses of a row, N of them.

    Args:
        texts: their digits.
        likelihoods: (outputs, N) log-likelihoods, of the crop and of its augmentations, nats.
        nothing: the log-likelihood of no digit, nats.
        slices: (N,) of each hypothesis the log-probabilities of its slices, nats; empty where there are none.
        is_lattice, is_network: (N,) whether both found it.
        glyphs: (N,) log-odds of the glyphs that it substitutes, over the lattice's, nats.
        lattice: the lattice's digits, and their mean log-confidence.
        network: the row network's digits, and their mean log-confidence.
        signs: other signs that the row network finds in the row.
        only_row: the picture shows this row alone.
        close_up: the picture shows little but its writing.
    """

    texts: Sequence[str]
    likelihoods: Doubles
    nothing: float
    slices: Sequence[Doubles]
    is_lattice: Sequence[bool]
    is_network: Sequence[bool]
    glyphs: Sequence[float]
    lattice: tuple[str, float]
    network: tuple[str, float]
    signs: int
    only_row: bool
    close_up: bool

    def inputs(self) -> Floats:
        """(N, len(FEATURES)) float32."""
        lengths = np.array([len(text) for text in self.texts], np.float64)
        first, mean = self.likelihoods[0], self.likelihoods.mean(axis=0)
        each = self.likelihoods - self.likelihoods.max(axis=1, keepdims=True)
        cut = np.array([part.mean() if len(part) else 0.0 for part in self.slices])
        least = np.array([part.min() if len(part) else 0.0 for part in self.slices])
        count = len(self.texts[int(first.argmax())])
        (lattice, sure), (network, confidence) = self.lattice, self.network
        own = np.array(self.is_lattice, np.float64)
        single = (lengths == 1).astype(np.float64)
        columns = (
            np.maximum(first - first.max(), FLOOR),
            np.maximum(mean - mean.max(), FLOOR),
            np.maximum(each.min(axis=0), FLOOR),
            np.clip((first - self.nothing) / lengths, FLOOR, -FLOOR),
            np.maximum(mean / lengths, FLOOR),
            np.maximum(count * (cut - cut.max()), FLOOR),
            cut,
            least,
            own,
            np.array(self.is_network, np.float64),
            lengths - len(network),
            (lengths - len(lattice)) * bool(lattice),
            np.maximum(np.array(self.glyphs), FLOOR),
            own * max(sure, FLOOR),
            np.full(len(lengths), float(not lattice)),
            single,
            single * own,
            np.log(lengths),
            np.array([text.count("1") / len(text) for text in self.texts]),
            np.full(len(lengths), max(confidence, FLOOR)),
            np.full(len(lengths), self.signs / max(1, len(network))),
            np.full(len(lengths), float(self.only_row)),
            np.full(len(lengths), float(self.close_up)),
        )
        inputs: Floats = np.stack(columns, axis=1).astype(np.float32)
        return inputs


class HypothesisScores:
    """Scores the hypotheses of a row; make one with `HypothesisScores.load`."""

    def __init__(self, network: Perceptron) -> None:
        self._network = network

    @classmethod
    def load(cls, model: str | Path = DEFAULT_MODEL) -> Self:
        """A shipped model by name, or an .npz file by path.

        Raises:
            ModelError: no such model, or it does not fit its card.
        """
        return cls(Perceptron.load(model, len(FEATURES)))

    def scores(self, evidence: HypothesisEvidence) -> Doubles:
        """(N,) nats over what none of the hypotheses says."""
        return self._network.logits(evidence.inputs()).astype(np.float64)


def probabilities(scores: Doubles) -> Doubles:
    """Scores (N,) -> the probability of each hypothesis (N,); what they lack of 1 is that of none."""
    most = max(0.0, float(scores.max(initial=0.0)))
    powers = np.exp(scores - most)
    shares: Doubles = powers / (powers.sum() + np.exp(-most))
    return shares
