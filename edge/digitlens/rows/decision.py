"""The decision between the lattice's reading of a row and the row network's, and the evidence for numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from statistics import fmean

import msgspec
import numpy as np

from digitlens.config.parameters.rows import DecisionParameters
from digitlens.core.alignment import align_runs
from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box, Digit, Number, joined_text, number, union
from digitlens.rows.rescoring import Hypothesis, posterior, rescore
from digitlens.rows.row_reading import RowReading

GlyphProbabilities = Mapping[Box, Floats]
"""The digit network's probabilities (10,) of each glyph of the lattice, by its box."""


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
    parameters: DecisionParameters,
    only_row: bool = False,
    close_up: bool = False,
) -> Decision:
    """Choose a row's numbers: the lattice's, unless both networks together make others much likelier.

    Args:
        lattice: the row's numbers there.
        reading: the row network's.
        glyph_probabilities: of the glyphs that the lattice chose.
        parameters: see DecisionParameters.
        only_row: the picture shows this row alone, so it is shown for its digits.
        close_up: the picture shows little but its writing: rescore the row. Pages in motion leave no time for
            it, and have many frames instead.
    """
    digits, others = joined_text(lattice), joined_text(reading.numbers)
    if digits == others:
        return Decision(lattice, "the same reading")
    if not others:
        return Decision(lattice, "lattice kept: the row network finds no digit")
    if not lattice:
        weakness = _weakness(others, reading, parameters, only_row)
        if weakness:
            return Decision(lattice, f"no number: {weakness}")
    elif len(digits) == 1 < len(others) and _is_upright(reading.numbers, parameters.upright_aspect):
        return Decision(lattice, "lattice kept: two digits do not fit into an upright box")
    # Of a lone digit, the digit network knows more.
    if close_up and len(digits) != 1:
        return _rescored(lattice, reading, parameters, only_row)
    if not lattice:
        return Decision(reading.numbers, "row network: the lattice finds no digit")
    odds = reading.output.log_likelihood(others, digits) - reading.output.log_likelihood(digits)
    odds += _glyph_odds(lattice, others, glyph_probabilities, parameters.glyph_floor)
    missing = len(digits) - len(others)
    least = parameters.least_odds + parameters.missing_digit * max(0, missing - 1)
    if odds >= least:
        return Decision(reading.numbers, f"row network: log-odds {odds:.1f}")
    return Decision(lattice, f"lattice kept: log-odds {odds:.1f} < {least:.1f}")


def _rescored(
    lattice: list[Number], reading: RowReading, parameters: DecisionParameters, only_row: bool
) -> Decision:
    found, scores = rescore(lattice, reading, parameters)
    best = int(np.argmax(scores))
    hypothesis, score = found[best], float(scores[best])
    if hypothesis.signs is None:
        return Decision(lattice, f"rescored: lattice kept: score {score:.1f}", found, scores)
    each = parameters.least_score if only_row else parameters.least_score_among_rows
    least = each * len(hypothesis.text)
    if score < least:
        return Decision(lattice, f"rescored: lattice kept: score {score:.1f} < {least:.1f}", found, scores)
    numbers = reading.to_numbers(posterior(best, found, scores))
    return Decision(numbers, f"rescored: {hypothesis.source}: score {score:.1f}", found, scores)


def _weakness(text: str, reading: RowReading, parameters: DecisionParameters, only_row: bool) -> str:
    """Why the row network's digits alone are not enough; empty where they are."""
    confidence = fmean(digit.confidence for number in reading.numbers for digit in number.digits)
    if confidence < parameters.lone_confidence:
        return f"confidence {confidence:.2f} < {parameters.lone_confidence:.2f}"
    if only_row:
        return ""
    odds = reading.output.log_likelihood(text) - reading.output.log_likelihood("")
    least = parameters.unfound_odds * len(text)
    if len(text) < parameters.unfound_digits:
        return f"{len(text)} < {parameters.unfound_digits} digits"
    return f"log-odds {odds:.1f} < {least:.1f}" if odds < least else ""


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


def _is_upright(numbers: list[Number], aspect: float) -> bool:
    _, _, width, height = union(found.box for found in numbers)
    return width <= aspect * height
