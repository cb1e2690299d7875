"""Rows of handwriting with ground truth: numbers, amounts, dates, words, placed one character at a time."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.rows.recognizer import LETTER, TIMES
from digitlens_train import punctuation, traced_writing, trajectories, writing
from digitlens_train.crops import Sources
from digitlens_train.punctuation import Mark
from digitlens_train.writing import DIGIT, Character, Hand

ROOM = 3
"""Height of a row's canvas, in digit heights."""
CHAINED = 0.3
"""Share of the zeros in a row that are written without lifting the pen."""
# fmt: off
PATTERNS = (
    "1/1/4", "2/2/4", "1/2/2", "2/2/2", "1/2", "2/2", "1/1", "2-2-4", "2.2.2", "1.1.4", "2.2.4", "4-2-2",
    "2:2", "1:2", "2:2:2", "1+1", "2+2", "1+1+1", "2+1=2", "1-1", "2-2=2", "1x1", "2x1=2", "1x1=1", "3x2",
    "(1+1)x1", "(2-1)x1+1", "1+(1x2)", "1=2", "a=2", "a)2", "(1)", "1)2", "2)3", "1.1", "2.1", "2.2", "3.2",
    "1,2", "3,2", "1.2 1.2", "4 4 4", "3-4", "(3)3-4", "1/2 1/2", "a1", "a-3", "-1", "-3", "-1.1", "2-1",
    "1-2",
)
# fmt: on
"""Numbers of so many digits with signs between them; a is a letter."""
BENFORD = np.log10(np.arange(2, 10))
"""Cumulative distribution of an amount's first digit, 1 to 8 (Benford 1938)."""


@dataclass
class WrittenRow:
    """Characters with their left edges; `reach` is the right end of the ink in each canvas row.

    All in pixels; `end` is the right end of the writing.
    """

    characters: list[tuple[Character, int]] = field(default_factory=list)
    reach: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(ROOM * DIGIT, -1, np.int64))
    end: int = 0


def write(sources: Sources, hand: Hand, random: np.random.Generator) -> WrittenRow:
    """A random row: a number, an amount, a date, a sum, a number beside a word; or one without a digit."""
    row = WrittenRow()
    kind = random.random()
    if kind < 0.34:
        _number(row, sources, hand, random, int(random.integers(1, 11)), 0.06)
    elif kind < 0.58:
        _amount(row, sources, hand, random)
    elif kind < 0.63:
        for part in range(int(random.integers(2, 4))):  # a phone number
            if part:
                _gap(row, hand, random, sources)
            _number(row, sources, hand, random, int(random.integers(1, 5)), 0)
    elif kind < 0.72:
        _structured(row, sources, hand, random)
    elif kind < 0.8:
        _as_written(row, sources, hand, random)
    elif kind < 0.89:
        _mixed(row, sources, hand, random)
    elif kind < 0.95:
        _word(row, sources, hand, random, int(random.integers(1, 9)))
    elif kind < 0.975:
        for _ in range(int(random.integers(1, 3))):
            _append(row, writing.scribble(random), hand, random, 0.3)
    return row


def _structured(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """A date, a time, a sum, a fraction, an item of a list: numbers with signs between and around them."""
    text = str(random.choice(PATTERNS))
    for place in text:
        if place.isdigit():
            _number(row, sources, hand, random, int(place), 0)
        elif place in "([":
            _append_mark(row, punctuation.bracket(random, closing=False), sources, hand, random)
        elif place in ")]":
            _append_mark(row, punctuation.bracket(random, closing=True), sources, hand, random)
        elif place == "a":
            _word(row, sources, hand, random, 1)
        elif place == " ":
            row.end += round(DIGIT * random.uniform(0.3, 0.9))
            row.reach[:] = row.end
        else:
            _append_mark(
                row, punctuation.sign(random, traced_writing.SIGNS.get(place, TIMES)), sources, hand, random
            )


def _as_written(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """Numbers, dates and amounts in one go: as UNIPEN's writers wrote them."""
    for part in range(1 if random.random() < 0.7 else 2):
        if part:
            row.end += round(DIGIT * random.uniform(0.3, 1.2))
            row.reach[:] = row.end
        written = None if sources.hands is None else traced_writing.string(sources.hands, hand, random)
        if written is None:
            _number(row, sources, hand, random, int(random.integers(1, 7)), 0.1)
        else:
            _append(row, written, hand, random)


def _number(
    row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator, count: int, separated: float
) -> None:
    repeats = random.random() < 0.15  # such as 777
    label = None
    if sources.hands is not None and hand.linked and count > 1 and random.random() < 0.8:
        labels = random.integers(0, 10, count).tolist()
        for k, digit in enumerate(traced_writing.linked(sources.hands, labels, hand, random)):
            if k:
                _place(row, digit, row.characters[-1][1] + row.characters[-1][0].ink.shape[1])
            else:
                _append(row, digit, hand, random)
        return
    for _ in range(count):
        if separated and row.characters and random.random() < separated:
            _append_mark(row, punctuation.separator(random), sources, hand, random)
        label = label if repeats and random.random() < 0.5 else None
        character = writing.digit(sources, hand, random, label)
        label = character.label
        _append(row, character, hand, random)


def _amount(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """An amount as on a check: a currency sign or a stroke before it, dots in it, dashes after it."""
    first = 1 + int(np.searchsorted(BENFORD, random.random()))
    lead = random.random()
    if lead < 0.12:
        _append_mark(row, punctuation.symbol(random), sources, hand, random)
    elif lead < 0.19:
        _append_mark(row, punctuation.ending(random), sources, hand, random)
    count = int(random.integers(1, 4))
    groups = int(random.integers(1, 3))
    for group in range(groups):
        if group:
            style = random.random()
            if style < 0.75:
                _append_mark(row, punctuation.dot_or_comma(random), sources, hand, random)
            count = 3
        if random.random() < (0.5 if group or groups == 1 else 0.15):
            if not group:
                _append(row, writing.digit(sources, hand, random, first), hand, random)
            _zeros(row, sources, hand, random, int(random.integers(2, 4 if group else 5)))
        else:
            for k in range(count):
                label = None if group or k else first
                _append(row, writing.digit(sources, hand, random, label), hand, random)
    end = random.random()
    if end < 0.5:
        for _ in range(int(random.choice(3, p=(0.6, 0.32, 0.08))) + 1):
            _append_mark(row, punctuation.ending(random), sources, hand, random)
    elif end < 0.58:
        _append_mark(row, punctuation.symbol(random), sources, hand, random)


def _zeros(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator, count: int) -> None:
    """The zeros of a round amount: small or wide, in one stroke, often joined at their heads."""
    if random.random() < CHAINED:
        for k, zero in enumerate(writing.chained(count, hand, random)):
            if k:
                _place(row, zero, row.characters[-1][1] + row.characters[-1][0].ink.shape[1])
            else:
                _append(row, zero, hand, random)
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
        _append(row, zero, loose, random, hand.gap if not k else close - tail)


def _mixed(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """A word or a symbol beside a number."""
    parts = [True, False] if random.random() < 0.5 else [False, True]
    for part, is_word in enumerate(parts):
        if part:
            _gap(row, hand, random, sources)
        if is_word and random.random() < 0.6:
            _word(row, sources, hand, random, int(random.integers(2, 6)))
        elif is_word:
            _append_mark(row, punctuation.symbol(random), sources, hand, random)
        else:
            _number(row, sources, hand, random, int(random.integers(1, 7)), 0.04)


def _word(row: WrittenRow, sources: Sources, hand: Hand, random: np.random.Generator, count: int) -> None:
    word = None
    if sources.hands is not None and count > 1 and random.random() < 0.5:
        word = traced_writing.word(sources.hands, hand, random)
    if word is not None or not sources.negatives:
        _append(row, word or writing.scribble(random), hand, random)
        return
    if sources.hands is not None and random.random() < 0.6:
        for _ in range(count):
            letter = trajectories.other(sources.hands, random, single=count == 1)
            if letter is not None:
                picture = writing.picture_of(letter)
                size = float(random.uniform(0.7, 1.15))
                _append(row, writing.inked(picture, LETTER, hand, random, size), hand, random, 0.6 * hand.gap)
        return
    pictures = sources.negatives[int(random.integers(len(sources.negatives)))]
    for _ in range(count):
        picture = pictures[int(random.integers(len(pictures)))]
        character = writing.inked(picture, LETTER, hand, random, float(random.uniform(0.7, 1.15)))
        _append(row, character, hand, random, 0.6 * hand.gap)


def _gap(row: WrittenRow, hand: Hand, random: np.random.Generator, sources: Sources) -> None:
    """A wide gap between two numbers, or a separator."""
    if random.random() < 0.4:
        _append_mark(row, punctuation.separator(random), sources, hand, random)
    else:
        row.end += round(DIGIT * random.uniform(0.4, 1.6))
        row.reach[:] = row.end


def _append_mark(
    row: WrittenRow, drawn: Mark, sources: Sources, hand: Hand, random: np.random.Generator
) -> None:
    """Append a punctuation mark, or one of its class as UNIPEN's writers wrote it."""
    mark = None
    if sources.hands is not None and random.random() < 0.4:
        mark = traced_writing.sign(sources.hands, drawn[1], hand, random)
    mark = mark or writing.mark(drawn, hand)
    _append(row, mark, hand, random, max(0.0, hand.gap) * random.uniform(0.3, 1.2))


def top_of(character: Character) -> int:
    """The canvas row of the character's top, its middle on the canvas's."""
    highest = ROOM * DIGIT - len(character.ink)
    return int(np.clip(round(ROOM * DIGIT / 2 - character.middle), 0, max(0, highest)))


def written(characters: list[Character], hand: Hand, random: np.random.Generator) -> WrittenRow:
    """A row of these characters, as closely as the hand writes."""
    row = WrittenRow()
    for character in characters:
        _append(row, character, hand, random)
    return row


def _append(
    row: WrittenRow, character: Character, hand: Hand, random: np.random.Generator, gap: float | None = None
) -> None:
    """Append a character, as closely as the hand writes."""
    if len(character.ink) > ROOM * DIGIT:
        return
    top = top_of(character)
    spread = 0.05 + 0.2 * max(0.0, hand.gap)
    wanted = ((hand.gap if gap is None else gap) + random.normal(0, spread * hand.unrest)) * DIGIT
    left = 0
    if row.characters:
        inked = character.ink > 0.4
        starts = np.where(inked.any(axis=1), inked.argmax(axis=1), character.ink.shape[1])
        around = cv2.dilate(row.reach.astype(np.float32)[:, np.newaxis], np.ones((9, 1), np.uint8)).ravel()
        by_stroke = float((around[top : top + len(starts)] - starts).max()) + 1
        left = round(hand.kern * by_stroke + (1 - hand.kern) * row.end + wanted)
        # Overlap is limited: a character does not cover the one before it.
        before, at = row.characters[-1]
        left = max(left, at + round(0.4 * min(before.ink.shape[1], character.ink.shape[1])) + 3, at + 3)
    _place(row, character, left)


def _place(row: WrittenRow, character: Character, left: int) -> None:
    """Add a character with its left edge at a column."""
    top = top_of(character)
    row.characters.append((character, left))
    ends = np.where(
        (character.ink > 0.4).any(axis=1),
        character.ink.shape[1] - (character.ink[:, ::-1] > 0.4).argmax(axis=1),
        -(10**6),
    )
    part = row.reach[top : top + len(ends)]
    np.maximum(part, left + ends, out=part)
    row.end = max(row.end, left + character.ink.shape[1])
