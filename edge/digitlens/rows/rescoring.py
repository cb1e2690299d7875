"""Rescoring a row in doubt: hypotheses, and what both networks say about each.

The row network's n-best labelings and the lattice's reading are the hypotheses. The row network scores each
on the crop and its augmentations; the digit network scores the slices that a hypothesis cuts the crop into.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from digitlens.config.parameters.rows import DecisionParameters, RowParameters
from digitlens.core.alignment import align_runs
from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Number, joined_text
from digitlens.rows import ctc
from digitlens.rows.ctc import Sign
from digitlens.rows.recognizer import BLANK, SEPARATOR, STEP, RowOutput, rescaled
from digitlens.rows.row_reading import RowReading

Source = Literal["lattice", "row network", "n-best", "augmented"]


@dataclass(frozen=True)
class Hypothesis:
    """Digits that may be in a row, the pixels across the crop where they are, and who proposed them.

    `signs` lists the row network's signs; None for the lattice's.
    """

    text: str
    positions: list[float]
    source: Source
    signs: Callable[[], list[Sign]] | None = None


def rescore(
    lattice: list[Number], reading: RowReading, parameters: DecisionParameters
) -> tuple[list[Hypothesis], Doubles]:
    """The hypotheses of a row, `lattice` being its numbers there, and their scores in nats; cached.

    Where the best hypothesis leads clearly, the scores are its log-likelihoods. Else the crop's augmentations
    and its slices count, too: the slices as often as the best hypothesis has digits, so that none gains by
    lacking one.
    """
    digits = tuple(
        (digit.value, digit.confidence, digit.box) for number in lattice for digit in number.digits
    )
    question = parameters, digits
    known = reading.output.rescored
    if question not in known:
        known[question] = _rescore(lattice, reading, parameters)
    found: tuple[list[Hypothesis], Doubles] = known[question]
    return found


def _rescore(
    lattice: list[Number], reading: RowReading, parameters: DecisionParameters
) -> tuple[list[Hypothesis], Doubles]:
    output = reading.output
    found = _distinct(
        [
            *_of_lattice(lattice, reading),
            _of_row_network(reading),
            *n_best(output, output.columns, parameters.hypotheses, "n-best"),
        ]
    )
    first = output.log_likelihoods([hypothesis.text for hypothesis in found])[0]
    best = int(first.argmax())
    if np.count_nonzero(first > first[best] - parameters.clear_lead) == 1:
        return found, first
    near = first > first[best] - parameters.largest_deficit
    kept = [
        hypothesis
        for hypothesis, is_near in zip(found, near, strict=True)
        if is_near or hypothesis.signs is None
    ]
    for columns in output.augmented[1:]:
        kept += n_best(output, columns, 1, "augmented")
    kept = _distinct(kept)
    texts = [hypothesis.text for hypothesis in kept]
    scores: Doubles = output.log_likelihoods(texts, augmented=True).mean(axis=0)
    scores = scores + parameters.digit_bonus * np.array([*map(len, texts)])
    scores[[hypothesis.signs is None for hypothesis in kept]] += parameters.lattice_bonus
    if reading.slices is None:
        return kept, scores
    every = reading.slices().probabilities([hypothesis.positions for hypothesis in kept])
    digits = len(found[best].text)
    for at, (text, probabilities) in enumerate(zip(texts, every, strict=True)):
        own = probabilities[np.arange(len(probabilities)), [int(digit) for digit in text]]
        log_probability = float(np.log(np.maximum(own, parameters.slice_floor)).mean())
        scores[at] += parameters.slice_weight * digits * log_probability
    return kept, scores


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

    The posterior sums the probabilities (softmax of the scores) of all hypotheses with this digit here.
    """
    hypothesis = found[best]
    if hypothesis.signs is None:
        return []
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
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
