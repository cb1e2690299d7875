"""A row in doubt: which digits may stand there, and what both networks say of each way to read it.

The network `numbers` tells which rows of digits are possible, and what was cut apart is one more. How
probable each is it says again of the strip looked at in other ways; and the network of single digits says
what it sees in the slices that a row has its digits in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import partial

import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Digit, Number, joined_text
from digitlens.rows import ctc
from digitlens.rows.ctc import Sign
from digitlens.rows.recognizer import BLANK, SEPARATOR, STEP, RowOutput, placed
from digitlens.rows.slices import Slices

Floats = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

MOST = 6
"""Rows of digits that are thought of at first sight, besides the one that was cut."""
CLEAR = 3.0
"""Natural logarithm of the odds that one has over all others at first sight, from which there is no doubt."""
FAR = 4.0
"""And of those over one that is weighed no further."""
LEAD = 3.0
"""Natural logarithm of the odds that others must have over what was cut."""
SLICED = 0.7
"""How much the natural logarithm counts that a slice is its digit; the strip's counts 1."""
LEAST_SLICED = 0.03
"""The least that the network of single digits is believed to hold possible, of a slice."""
EACH = 0.7
"""What each digit adds: where CTC's network knows no form it is silent, and a row lacks one."""


@dataclass(frozen=True)
class RowReading:
    """A row read whole: its numbers, what was heard of its strip, and what is asked where it is in doubt.

    `slices` are the strip's, `numbers_of` makes numbers of signs, and `place` tells at which pixel across the
    strip a digit stands that was cut out.
    """

    numbers: list[Number]
    heard: RowOutput
    signs: list[Sign] = field(default_factory=list)
    slices: Callable[[], Slices] | None = None
    numbers_of: Callable[[list[Sign]], list[Number]] = field(default=lambda signs: [])
    place: Callable[[Digit], float] = field(default=lambda digit: 0.0)


@dataclass(frozen=True)
class Hypothesis:
    """Digits that may stand in a row, at which pixels across its strip; without `signs` if they were cut."""

    text: str
    places: list[float]
    signs: Callable[[], list[Sign]] | None = None


def rescore(cut: list[Number], whole: RowReading) -> tuple[list[Hypothesis], Scores]:
    """What may stand in a row, and what speaks for each way to read it; natural logarithms of odds.

    Where the strip is in doubt it is looked at again, and its slices are. They count as many times as the
    likeliest way at first sight has digits: none gains by lacking one. Chosen on the validation sets.
    """
    asked = tuple((digit.value, digit.confidence, digit.box) for number in cut for digit in number.digits)
    if asked not in whole.heard.kept:
        whole.heard.kept[asked] = _weighed(cut, whole)
    found: tuple[list[Hypothesis], Scores] = whole.heard.kept[asked]
    return found


def _weighed(cut: list[Number], whole: RowReading) -> tuple[list[Hypothesis], Scores]:
    heard = whole.heard
    found = _distinct([*_cut(cut, whole), _heard(whole), *_ways(heard, heard.columns, MOST)])
    first = heard.likelihoods([way.text for way in found])[0]
    best = int(first.argmax())
    if np.count_nonzero(first > first[best] - CLEAR) == 1:
        return found, first
    near = first > first[best] - FAR
    kept = [way for way, is_near in zip(found, near, strict=True) if is_near or way.signs is None]
    kept = _distinct(kept + [way for look in heard.looks[1:] for way in _ways(heard, look, 1)])
    texts = [way.text for way in kept]
    scores: Scores = heard.likelihoods(texts, again=True).mean(axis=0) + EACH * np.array([*map(len, texts)])
    scores[[way.signs is None for way in kept]] += LEAD
    if whole.slices is None:
        return kept, scores
    every = whole.slices().likely([way.places for way in kept])
    for at, (way, likely) in enumerate(zip(kept, every, strict=True)):
        own = np.maximum(likely[np.arange(len(likely)), [int(sign) for sign in way.text]], LEAST_SLICED)
        scores[at] += SLICED * len(found[best].text) * float(np.log(own).mean())
    return kept, scores


def _cut(cut: list[Number], whole: RowReading) -> list[Hypothesis]:
    """The way that was cut, if any was."""
    digits = [digit for number in cut for digit in number.digits]
    return [Hypothesis(joined_text(cut), [whole.place(digit) for digit in digits])] if digits else []


def _heard(whole: RowReading) -> Hypothesis:
    """The way that the strip was read at first."""
    own = [sign for sign in whole.signs if sign.label < SEPARATOR]
    places = [(sign.column + 0.5) * STEP for sign in own]
    return Hypothesis("".join(str(sign.label) for sign in own), places, partial(list, whole.signs))


def _ways(heard: RowOutput, look: Floats, most: int) -> list[Hypothesis]:
    """The most probable ways of a look."""
    found = []
    for row in ctc.rows(look, BLANK, most):
        own = [k for k, label in enumerate(row.labels) if label < SEPARATOR]
        peaks = ctc.peaks(row, look)
        found.append(
            Hypothesis(
                "".join(str(row.labels[k]) for k in own),
                [(round(peaks[k] * heard.shrunk) + 0.5) * STEP for k in own],
                partial(_signs, row, look, heard.shrunk),
            )
        )
    return found


def _signs(row: ctc.Labeling, look: Floats, shrunk: float) -> list[Sign]:
    return placed(ctc.signs(row, look, BLANK), shrunk)


def _distinct(found: list[Hypothesis]) -> list[Hypothesis]:
    """Those that have a digit, no text twice: the first stays."""
    ways: dict[str, Hypothesis] = {}
    for way in found:
        if way.text:
            ways.setdefault(way.text, way)
    return list(ways.values())


def posterior(best: int, found: list[Hypothesis], scores: Scores) -> list[Sign]:
    """The signs of the best way, their confidence being that of all ways that have it at this place.

    That is, if there is any digit, as far as the strip holds that possible.
    """
    way = found[best]
    if way.signs is None:
        return []
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    sure = np.zeros(len(way.text))
    for other, weight in zip(found, weights.tolist(), strict=True):
        for block in SequenceMatcher(None, way.text, other.text, autojunk=False).get_matching_blocks():
            sure[block.a : block.a + block.size] += weight
    left = iter(sure.tolist())
    return [
        sign._replace(confidence=next(left) * min(1.0, float(sign.shares[:SEPARATOR].sum())))
        if sign.label < SEPARATOR
        else sign
        for sign in way.signs()
    ]
