"""Rescoring a row in doubt: hypotheses, and what both networks say about each.

The row network's n-best labelings and the lattice's reading are the hypotheses. The row network scores each
on the crop and its augmentations; the digit network scores the slices that a hypothesis cuts the crop into.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Literal

import numpy as np

from digitlens.config.parameters.rows import DecisionParameters, RowParameters
from digitlens.core.alignment import align_runs
from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box, Digit, Number, joined_text
from digitlens.rows import ctc
from digitlens.rows.ctc import Sign
from digitlens.rows.hypothesis_scores import HypothesisEvidence, probabilities
from digitlens.rows.recognizer import BLANK, SEPARATOR, STEP, RowOutput, rescaled
from digitlens.rows.row_reading import RowReading

Source = Literal["lattice", "row network", "n-best", "augmented"]
GlyphProbabilities = Mapping[Box, Floats]
"""The digit network's probabilities (10,) of each glyph of the lattice, by its box."""
LEAST = 1e-6
"""Smallest confidence whose logarithm is taken."""


@dataclass(frozen=True)
class Hypothesis:
    """Digits that may be in a row, the pixels across the crop where they are, and who proposed them.

    `signs` lists the row network's signs; None for the lattice's.
    """

    text: str
    positions: list[float]
    source: Source
    signs: Callable[[], list[Sign]] | None = None


def hypotheses(
    lattice: list[Number], reading: RowReading, parameters: DecisionParameters
) -> list[Hypothesis]:
    """What may be in a row, each text once: the lattice's, the row network's n-best, its augmentations'."""
    output = reading.output
    found = [
        *_of_lattice(lattice, reading),
        _of_row_network(reading),
        *n_best(output, output.columns, parameters.hypotheses, "n-best"),
    ]
    for columns in output.augmented[1:]:
        found += n_best(output, columns, 1, "augmented")
    return _distinct(found)


def evidence_of(
    found: list[Hypothesis],
    lattice: list[Number],
    reading: RowReading,
    glyph_probabilities: GlyphProbabilities,
    parameters: DecisionParameters,
    only_row: bool = False,
    close_up: bool = False,
) -> HypothesisEvidence:
    """What both networks say of a row's hypotheses, at least one; the arguments are those of `choose`."""
    output, texts = reading.output, [hypothesis.text for hypothesis in found]
    signs = [sign for sign in reading.signs if sign.label < SEPARATOR]
    digits, others = joined_text(lattice), "".join(str(sign.label) for sign in signs)
    slices: list[Doubles] = [np.zeros(0)] * len(found)
    if reading.slices is not None:
        every = reading.slices().probabilities([hypothesis.positions for hypothesis in found])
        for at, (text, shown) in enumerate(zip(texts, every, strict=True)):
            own = shown[np.arange(len(shown)), [int(digit) for digit in text]]
            slices[at] = np.log(np.maximum(own.astype(np.float64), parameters.slice_floor))
    return HypothesisEvidence(
        texts,
        output.log_likelihoods(texts, augmented=True),
        output.log_likelihood(""),
        slices,
        [text == digits for text in texts],
        [text == others for text in texts],
        [_glyph_odds(lattice, text, glyph_probabilities, parameters.glyph_floor) for text in texts],
        (digits, _log_confidence([digit.confidence for number in lattice for digit in number.digits])),
        (others, _log_confidence([sign.confidence for sign in signs])),
        sum(sign.label > SEPARATOR for sign in reading.signs),
        only_row,
        close_up,
    )


def _log_confidence(confidences: list[float]) -> float:
    """The mean logarithm, 0 of none."""
    return float(np.log(np.maximum(confidences, LEAST)).mean()) if confidences else 0.0


def _glyph_odds(
    lattice: list[Number], others: str, glyph_probabilities: GlyphProbabilities, floor: float
) -> float:
    """The digit network's log-odds of `others` over the lattice's digits, nats.

    Only substituted digits count: whether a glyph is a digit at all, the row network knows better.
    """
    digits = [digit for number in lattice for digit in number.digits]
    odds = 0.0
    for at, there in align_runs(joined_text(lattice), others):
        digit, other = digits[at], int(others[there])
        if digit.value != other:
            odds += log(max(_probability(digit, other, glyph_probabilities), floor))
            odds -= log(max(_probability(digit, digit.value, glyph_probabilities), floor))
    return odds


def _probability(digit: Digit, value: int, glyph_probabilities: GlyphProbabilities) -> float:
    """The probability that a digit of the lattice is another one."""
    probabilities = glyph_probabilities.get(digit.box)
    if probabilities is None:  # nine other digits and no digit share what the digit itself lacks of 1
        return digit.confidence if value == digit.value else (1 - digit.confidence) / 10
    return float(probabilities[value])


def _of_lattice(lattice: list[Number], reading: RowReading) -> list[Hypothesis]:
    """The lattice's hypothesis, if it found a digit."""
    digits = [digit for number in lattice for digit in number.digits]
    if not digits:
        return []
    return [Hypothesis(joined_text(lattice), [reading.position(digit) for digit in digits], "lattice")]


def _of_row_network(reading: RowReading) -> Hypothesis:
    """The best labeling's hypothesis, without improbable digits."""
    own = [sign for sign in reading.signs if sign.label < SEPARATOR]
    positions = [(sign.column + 0.5) * STEP for sign in own]
    text = "".join(str(sign.label) for sign in own)
    return Hypothesis(text, positions, "row network", partial(list, reading.signs))


def n_best(output: RowOutput, columns: Floats, count: int, source: Source) -> list[Hypothesis]:
    """The hypotheses of the `count` best labelings of columns (T, CLASSES), best first."""
    found = []
    for labeling in ctc.n_best(columns, BLANK, count, output.parameters):
        own = [k for k, label in enumerate(labeling.labels) if label < SEPARATOR]
        peaks = ctc.peaks(labeling, columns)
        found.append(
            Hypothesis(
                "".join(str(labeling.labels[k]) for k in own),
                [(round(peaks[k] * output.narrowing) + 0.5) * STEP for k in own],
                source,
                partial(_signs, labeling, columns, output.narrowing, output.parameters),
            )
        )
    return found


def _signs(
    labeling: ctc.Labeling, columns: Floats, narrowing: float, parameters: RowParameters
) -> list[Sign]:
    return rescaled(ctc.signs(labeling, columns, BLANK, parameters), narrowing)


def _distinct(found: list[Hypothesis]) -> list[Hypothesis]:
    """The hypotheses with a digit, the first of each text."""
    first: dict[str, Hypothesis] = {}
    for hypothesis in found:
        if hypothesis.text:
            first.setdefault(hypothesis.text, hypothesis)
    return list(first.values())


def posterior(best: int, found: list[Hypothesis], scores: Doubles) -> list[Sign]:
    """The signs of the best hypothesis; a digit's confidence is its posterior, blank's share left out.

    The posterior sums the probabilities of all hypotheses with this digit here; of what none of them says,
    see HypothesisScores, a hypothesis has its share.
    """
    hypothesis = found[best]
    if hypothesis.signs is None:
        return []
    weights = probabilities(scores)
    sure = [0.0] * len(hypothesis.text)
    for other, weight in zip(found, weights.tolist(), strict=True):
        for at, there in align_runs(hypothesis.text, other.text):
            if hypothesis.text[at] == other.text[there]:
                sure[at] += weight
    left = iter(sure)
    return [
        sign._replace(confidence=next(left) * min(1.0, float(sign.probabilities[:SEPARATOR].sum())))
        if sign.label < SEPARATOR
        else sign
        for sign in hypothesis.signs()
    ]
