"""The decision between the lattice's reading of a row and the row network's, and the evidence for numbers."""

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import log
from statistics import fmean

import msgspec
import numpy as np

from digitlens.config.parameters.rows import DecisionParameters
from digitlens.core.arrays import Doubles
from digitlens.core.readings import Digit, Number, joined_text, number
from digitlens.rows.hypothesis_scores import HypothesisScores, probabilities
from digitlens.rows.recognizer import OTHER, SEPARATOR
from digitlens.rows.rescoring import GlyphProbabilities, Hypothesis, evidence_of, hypotheses, posterior
from digitlens.rows.row_reading import RowReading, is_point


@dataclass(frozen=True)
class Decision:
    """The chosen numbers of a row, and a short, stable phrase that says why.

    `hypotheses` and their `scores` in nats are those of rescoring, empty where it did not run. Where the
    lattice's reading is chosen, `numbers` is the very list that was given.
    """

    numbers: list[Number]
    reason: str
    hypotheses: list[Hypothesis] = field(default_factory=list)
    scores: Doubles = field(default_factory=lambda: np.empty(0))


def choose(
    lattice: list[Number],
    reading: RowReading,
    glyph_probabilities: GlyphProbabilities,
    scores: HypothesisScores,
    parameters: DecisionParameters,
    only_row: bool = False,
    close_up: bool = False,
) -> Decision:
    """Choose a row's numbers: where both networks differ, the likeliest hypothesis by the learnt scores.

    Args:
        lattice: the row's numbers there.
        reading: the row network's.
        glyph_probabilities: of the glyphs that the lattice chose.
        scores: see HypothesisScores.
        parameters: see DecisionParameters.
        only_row: the picture shows this row alone, so it is shown for its digits.
        close_up: the picture shows little but its writing.
    """
    digits, others = joined_text(lattice), joined_text(reading.numbers)
    if digits == others:
        parts = _regrouped(lattice, reading, parameters.least_parting)
        return Decision(
            parts, "the same reading" if parts is lattice else "the same digits, grouped by signs"
        )
    if not others:
        return Decision(lattice, "lattice kept: the row network finds no digit")
    key = (
        parameters,
        only_row,
        close_up,
        tuple((digit.value, digit.confidence, digit.box) for number in lattice for digit in number.digits),
    )
    known = reading.output.rescored
    if key not in known:
        found = hypotheses(lattice, reading, parameters)
        known[key] = (
            found,
            scores.scores(
                evidence_of(found, lattice, reading, glyph_probabilities, parameters, only_row, close_up)
            ),
        )
    found, nats = known[key]
    best = int(np.argmax(nats))
    hypothesis, chance = found[best], float(probabilities(nats)[best])
    if hypothesis.signs is None:
        return Decision(lattice, f"lattice kept: probability {chance:.2f}", found, nats)
    least = parameters.least_among_rows if not (lattice or only_row) else parameters.least_probability
    if chance < least:
        kept = "lattice kept" if lattice else "no number"
        return Decision(lattice, f"{kept}: probability {chance:.2f} < {least:.2f}", found, nats)
    numbers = reading.to_numbers(posterior(best, found, nats))
    return Decision(numbers, f"{hypothesis.source}: probability {chance:.2f}", found, nats)


def _regrouped(lattice: list[Number], reading: RowReading, least: float) -> list[Number]:
    """The lattice's numbers by the row network's signs, both having read the same digits.

    They are parted where it sees a sign this probable between their digits, and joined where it has one
    number for two of them and sees a decimal point between.
    """
    seen, parting, points = 0, set(), set()
    for sign in reading.signs:
        if sign.label < SEPARATOR:
            seen += 1
        elif is_point(sign, reading.output.parameters.least_point):
            points.add(seen)
        elif sign.label == OTHER and sign.confidence >= least:
            parting.add(seen)
    ends = accumulate(len(found.digits) for found in sorted(reading.numbers, key=lambda one: one.box[0]))
    points -= {*ends}
    parts: list[tuple[Digit, ...]] = []
    at = 0
    for found in sorted(lattice, key=lambda one: one.box[0]):
        cuts = [0, *(k for k in range(1, len(found.digits)) if at + k in parting), len(found.digits)]
        own = [found.digits[start:end] for start, end in pairwise(cuts)]
        if parts and at in points:
            own[0] = parts.pop() + own[0]
        parts += own
        at += len(found.digits)
    if [len(part) for part in parts] == [len(found.digits) for found in lattice]:
        return lattice
    return [number(part) for part in parts]


def evidence(numbers: list[Number], reading: RowReading, parameters: DecisionParameters) -> float:
    """Log-odds that a row's numbers, at least one, are numbers at all, in nats.

    The row network's log-odds of their digits over no digit, and the mean log-odds of their confidences.
    """
    text = joined_text(numbers)
    least, most = parameters.evidence_range
    confidences = [min(digit.confidence, most) for number in numbers for digit in number.digits]
    odds = fmean(log(max(part, least) / (1 - part)) for part in confidences)
    return reading.output.log_likelihood(text) - reading.output.log_likelihood("") + odds


def agreed(numbers: list[Number], others: list[Number]) -> list[Number]:
    """Numbers with each digit's larger confidence of two readings; unchanged where these differ."""
    if [found.text for found in numbers] != [found.text for found in others]:
        return numbers
    return [
        number(
            tuple(
                msgspec.structs.replace(digit, confidence=max(digit.confidence, again.confidence))
                for digit, again in zip(found.digits, other.digits, strict=True)
            )
        )
        for found, other in zip(numbers, others, strict=True)
    ]
