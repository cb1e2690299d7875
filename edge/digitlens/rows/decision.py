"""A row read twice, by cutting it and whole: what speaks for each reading, and which is taken."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from math import log
from statistics import fmean

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box, Digit, Number, joined_text, number, union
from digitlens.glyphs.lattice import DEFAULT as LATTICE
from digitlens.rows.rescoring import RowReading, posterior, rescore

Seen = Mapping[Box, npt.NDArray[np.float32]]
"""Of what was cut out, by its box, how probable each digit is, (10,)."""

LIKELIER = 3.5
"""Natural logarithm of the odds that a row read whole must have over cutting it."""
LACKING = 24.0
"""And besides, for each digit more than one that it lacks: cutting seldom finds one where none is."""
LEAST_SEEN = 1e-3
"""The least that the network of single digits is believed to hold possible."""
LEAST_LIKELY = 0.01
"""The confidence that a digit has at the least, where it is asked whether it is any."""
SUREST = 0.99
"""And at the most."""
EVIDENCE = 14.0
"""Natural logarithm of the odds that a row's numbers must have, were nothing else of the writing digits;
where a part of it is no digits, that part of it, and where next to nothing is, no odds against them."""
ALONE = 0.8
"""Of a strip's digits on average, where cutting finds no number at all."""
LEAST_ALONE = 3
EACH_ALONE = 4.0
"""How many digits they must be there where there are other rows, and what each must add to the odds: a word
must not become a number."""
LEAST_WEIGHED = -2.2
"""What each digit of those read whole must have in its way's score at the least: a scribble has less."""
LEAST_AMONG = -1.35
"""The same where there are other rows: among them there is more that is none."""


def evidence(numbers: list[Number], whole: RowReading) -> float:
    """What speaks for a row's numbers, at least one, being any; a natural logarithm of odds.

    It is what the strip says of them against nothing at all, and the mean odds of their digits.
    """
    text = joined_text(numbers)
    sure = [min(digit.confidence, SUREST) for number in numbers for digit in number.digits]
    odds = fmean(log(max(part, LEAST_LIKELY) / (1 - part)) for part in sure)
    return whole.heard.likelihood(text) - whole.heard.likelihood("") + odds


def choose(
    cut: list[Number], whole: RowReading, seen: Seen, alone: bool = False, near: bool = False
) -> list[Number]:
    """Of a row, the numbers by cutting, those by reading it whole, or others that the strip holds possible.

    They are by cutting, unless both networks together make others much likelier: the strip shows, too, what
    cutting has left out or has not cut. There are no two digits in one that stands upright.
    `alone`: the row is all there is in the picture, so it is shown for its digits. `near`: the picture is of
    little but the writing; what may stand there is weighed with more care, for which a whole page in motion
    has no time, and many frames instead. Chosen on the validation sets and on synthetic pages of words and
    scribbles.
    """
    digits, others = joined_text(cut), joined_text(whole.numbers)
    if digits == others or not others:
        return cut
    if not cut:
        if _sure(whole.numbers) < ALONE or not (alone or _stands_out(others, whole)):
            return cut
    elif len(digits) == 1 < len(others) and _is_upright(union(found.box for found in whole.numbers)):
        return cut
    # Of a lone digit, the network of single digits knows more.
    if near and len(digits) != 1:
        return _weighed(cut, whole, alone)
    if not cut:
        return whole.numbers
    odds = whole.heard.likelihood(others, digits) - whole.heard.likelihood(digits)
    odds += _odds(cut, others, seen)
    lacking = len(digits) - len(others)
    return whole.numbers if odds >= LIKELIER + LACKING * max(0, lacking - 1) else cut


def _weighed(cut: list[Number], whole: RowReading, alone: bool) -> list[Number]:
    found, scores = rescore(cut, whole)
    best = int(np.argmax(scores))
    way = found[best]
    if way.signs is None or scores[best] < (LEAST_WEIGHED if alone else LEAST_AMONG) * len(way.text):
        return cut
    return whole.numbers_of(posterior(best, found, scores))


def _stands_out(text: str, whole: RowReading) -> bool:
    """Whether these digits are many, and much likelier than none."""
    odds = whole.heard.likelihood(text) - whole.heard.likelihood("")
    return len(text) >= LEAST_ALONE and odds >= EACH_ALONE * len(text)


def _odds(cut: list[Number], others: str, seen: Seen) -> float:
    """What the network of single digits has for these others; a natural logarithm of odds over its own.

    It is asked which digit one is, not whether it is any: of strange forms it knows that less well than the
    strip.
    """
    digits = [digit for number in cut for digit in number.digits]
    matched = SequenceMatcher(None, joined_text(cut), others, autojunk=False)
    odds = 0.0
    for kind, start, end, first, last in matched.get_opcodes():
        if kind == "replace":
            for digit, sign in zip(digits[start:end], others[first:last], strict=False):
                odds += log(max(_share(digit, int(sign), seen), LEAST_SEEN))
                odds -= log(max(_share(digit, digit.value, seen), LEAST_SEEN))
    return odds


def _share(digit: Digit, value: int, seen: Seen) -> float:
    """How probable it is that what was cut out as this digit is that one."""
    likely = seen.get(digit.box)
    if likely is None:  # nine other digits and none share what the digit itself lacks
        return digit.confidence if value == digit.value else (1 - digit.confidence) / 10
    return float(likely[value])


def agreed(numbers: list[Number], others: list[Number]) -> list[Number]:
    """Numbers that were read twice, and alike: each digit is as sure as the surer reading of it.

    Those that were not read alike stay as they are.
    """
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


def _is_upright(box: Box) -> bool:
    return box[2] <= LATTICE.wide * box[3]


def _sure(numbers: list[Number]) -> float:
    """The mean confidence of all digits; 0 where there are none."""
    return fmean(digit.confidence for number in numbers for digit in number.digits) if numbers else 0.0
