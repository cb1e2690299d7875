"""Rows of writing with known truth: numbers, amounts, dates, words, set sign by sign as a hand does."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.rows.recognizer import OTHER, SEPARATOR
from digitlens_train import punctuation, writing
from digitlens_train.crops import Sources
from digitlens_train.writing import DIGIT, Hand, Sign

ROOM = 3
"""Digit heights of the canvas that a row is written on."""
CHAINED = 0.3
"""Of the rows of zeros, those written without lifting the pen."""
BENFORD = np.log10(np.arange(2, 10))
"""Of amounts, those whose first digit is at most 1, 2 ... 8 (Benford 1938)."""


@dataclass
class Row:
    """Signs as they are set one after another."""

    signs: list[tuple[Sign, int]] = field(default_factory=list)
    reach: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(ROOM * DIGIT, -1, np.int64))
    end: int = 0


def write(sources: Sources, hand: Hand, random: np.random.Generator) -> Row:
    """A row of any kind: a number, an amount, a date, a number beside a word; or one without a digit."""
    row = Row()
    kind = random.random()
    if kind < 0.42:
        _number(row, sources, hand, random, int(random.integers(1, 11)), 0.06)
    elif kind < 0.7:
        _amount(row, sources, hand, random)
    elif kind < 0.77:
        for part in range(int(random.integers(2, 4))):  # a date, a phone number
            if part:
                _gap(row, hand, random, sources)
            _number(row, sources, hand, random, int(random.integers(1, 5)), 0)
    elif kind < 0.87:
        _mixed(row, sources, hand, random)
    elif kind < 0.945:
        _word(row, sources, hand, random, int(random.integers(1, 9)))
    elif kind < 0.975:
        for _ in range(int(random.integers(1, 3))):
            _set(row, writing.scribble(random), hand, random, 0.3)
    return row


def _number(
    row: Row, sources: Sources, hand: Hand, random: np.random.Generator, count: int, parted: float
) -> None:
    again = random.random() < 0.15  # a hand repeats itself
    label = None
    for _ in range(count):
        if parted and row.signs and random.random() < parted:
            _mark(row, punctuation.separator(random), SEPARATOR, hand, random)
        label = label if again and random.random() < 0.5 else None
        sign = writing.digit(sources, hand, random, label)
        label = sign.label
        _set(row, sign, hand, random)


def _amount(row: Row, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """As on a cheque: a currency's mark or a stroke before it, dots in it, dashes behind it."""
    first = 1 + int(np.searchsorted(BENFORD, random.random()))
    lead = random.random()
    if lead < 0.2:
        _mark(row, punctuation.sign(random), OTHER, hand, random)
    elif lead < 0.3:
        _mark(row, punctuation.ending(random), SEPARATOR, hand, random)
    count = int(random.integers(1, 4))
    groups = int(random.integers(1, 3))
    for group in range(groups):
        if group:
            style = random.random()
            if style < 0.75:
                _mark(row, punctuation.dot_or_comma(random), SEPARATOR, hand, random)
            count = 3
        if random.random() < (0.5 if group or groups == 1 else 0.15):
            if not group:
                _set(row, writing.digit(sources, hand, random, first), hand, random)
            _zeros(row, sources, hand, random, int(random.integers(2, 4 if group else 5)))
        else:
            for k in range(count):
                label = None if group or k else first
                _set(row, writing.digit(sources, hand, random, label), hand, random)
    end = random.random()
    if end < 0.5:
        for _ in range(int(random.choice(3, p=(0.6, 0.32, 0.08))) + 1):
            _mark(row, punctuation.ending(random), SEPARATOR, hand, random)
    elif end < 0.58:
        _mark(row, punctuation.sign(random), OTHER, hand, random)


def _zeros(row: Row, sources: Sources, hand: Hand, random: np.random.Generator, count: int) -> None:
    """The zeros of a round amount: small or wide, written in one go, often joined at their heads."""
    if random.random() < CHAINED:
        for k, zero in enumerate(writing.chained(count, hand, random)):
            if k:
                _place(row, zero, row.signs[-1][1] + row.signs[-1][0].ink.shape[1])
            else:
                _set(row, zero, hand, random)
        return
    size, wide = random.uniform(0.5, 1.05), random.uniform(0.85, 1.7)
    close, shift = random.uniform(-0.1, 0.08), random.normal(0.05, 0.12)
    tail = random.uniform(0.1, 0.35) if random.random() < 0.4 else 0.0
    loose = replace(hand, narrow=hand.narrow * wide, kern=0.8)
    for k in range(count):
        zero = writing.digit(sources, loose, random, 0, size)
        zero = replace(zero, middle=zero.middle - shift * DIGIT)
        if tail and k + 1 < count:
            zero = writing.tailed(zero, tail, hand, random)
        _set(row, zero, loose, random, hand.gap if not k else close - tail)


def _mixed(row: Row, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """A word or a mark beside a number."""
    parts = [True, False] if random.random() < 0.5 else [False, True]
    for part, is_word in enumerate(parts):
        if part:
            _gap(row, hand, random, sources)
        if is_word and random.random() < 0.6:
            _word(row, sources, hand, random, int(random.integers(2, 6)))
        elif is_word:
            _mark(row, punctuation.sign(random), OTHER, hand, random)
        else:
            _number(row, sources, hand, random, int(random.integers(1, 7)), 0.04)


def _word(row: Row, sources: Sources, hand: Hand, random: np.random.Generator, count: int) -> None:
    if not sources.others:
        _set(row, writing.scribble(random), hand, random)
        return
    pictures = sources.others[int(random.integers(len(sources.others)))]
    for _ in range(count):
        picture = pictures[int(random.integers(len(pictures)))]
        sign = writing.inked(picture, OTHER, hand, random, float(random.uniform(0.7, 1.15)))
        _set(row, sign, hand, random, 0.6 * hand.gap)


def _gap(row: Row, hand: Hand, random: np.random.Generator, sources: Sources) -> None:
    """Wide room between two numbers, with or without a mark in it."""
    if random.random() < 0.4:
        _mark(row, punctuation.separator(random), SEPARATOR, hand, random)
    else:
        row.end += round(DIGIT * random.uniform(0.4, 1.6))
        row.reach[:] = row.end


def _mark(
    row: Row, lines: list[npt.NDArray[np.float64]], label: int, hand: Hand, random: np.random.Generator
) -> None:
    """Set a mark drawn with the hand's own pen."""
    mark = writing.mark(lines, label, hand)
    _set(row, mark, hand, random, max(0.0, hand.gap) * random.uniform(0.3, 1.2))


def top_of(sign: Sign) -> int:
    """The canvas row where a sign begins, its middle being the canvas's."""
    highest = ROOM * DIGIT - len(sign.ink)
    return int(np.clip(round(ROOM * DIGIT / 2 - sign.middle), 0, max(0, highest)))


def _set(row: Row, sign: Sign, hand: Hand, random: np.random.Generator, gap: float | None = None) -> None:
    """Put a sign behind the others, as closely as the hand writes."""
    if len(sign.ink) > ROOM * DIGIT:
        return
    top = top_of(sign)
    spread = 0.05 + 0.2 * max(0.0, hand.gap)
    wanted = ((hand.gap if gap is None else gap) + random.normal(0, spread * hand.unrest)) * DIGIT
    left = 0
    if row.signs:
        inked = sign.ink > 0.4
        starts = np.where(inked.any(axis=1), inked.argmax(axis=1), sign.ink.shape[1])
        around = cv2.dilate(row.reach.astype(np.float32)[:, np.newaxis], np.ones((9, 1), np.uint8)).ravel()
        by_stroke = float((around[top : top + len(starts)] - starts).max()) + 1
        left = round(hand.kern * by_stroke + (1 - hand.kern) * row.end + wanted)
        # However closely: a sign does not stand on the one before.
        before, at = row.signs[-1]
        left = max(left, at + round(0.4 * min(before.ink.shape[1], sign.ink.shape[1])) + 3, at + 3)
    _place(row, sign, left)


def _place(row: Row, sign: Sign, left: int) -> None:
    """Put a sign at a column, whatever stands there."""
    top = top_of(sign)
    row.signs.append((sign, left))
    ends = np.where(
        (sign.ink > 0.4).any(axis=1), sign.ink.shape[1] - (sign.ink[:, ::-1] > 0.4).argmax(axis=1), -(10**6)
    )
    part = row.reach[top : top + len(ends)]
    np.maximum(part, left + ends, out=part)
    row.end = max(row.end, left + sign.ink.shape[1])
