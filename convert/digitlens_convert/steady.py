"""The tracker over long sequences: pages under hand shake, with and without misreadings, and blank sheets."""

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time
from typing import Any

import msgspec
import numpy as np

from digitlens import Reader
from digitlens.core.arrays import Pixels
from digitlens.core.readings import Digit, Number, Reading, number
from digitlens.live.tracker import Tracker
from digitlens_train import hand_shake, page_photos, pages
from digitlens_train.data import DataError, Mnist

PAPER = pages.Paper(size=(1440, 880), digit=56, spacing=62, leading=140, grain=0)
DIGITS = 20
GROUPS = (5, 3), (3, 2), (1, 6)
"""Digits of each number, by row."""
SHEETS: tuple[page_photos.Kind, ...] = ("ruled", "squared", "table")
SWAY = 300
"""Amplitude of a blank sheet's movement, in pixels."""
RATES = 0.02, 0.05, 0.1
"""Probabilities that a digit, or a number, is misread in a frame."""
EMPTY = 0.01
"""Probability that nothing is read in a frame with misreadings."""
ATTEMPTS = 20
"""Most misread pages to replace."""
WITHIN = 10
"""Limit until every number is steady, in frames."""


def measure(reader: Reader, data: Mnist, frames: int, count: int, seed: int) -> list[dict[str, Any]]:
    """One row a sequence: `count` pages of 20 digits and as many blank sheets, `frames` each.

    A page that the reader misreads without hand shake is replaced, since it does not test the tracker; the
    replaced pages are counted.

    Raises:
        DataError: ATTEMPTS pages are misread.
    """
    rows: list[dict[str, Any]] = []
    left_out = 0
    for turn in range(count):
        sheet, truth = page(data, (seed, turn, 0))
        attempt = 0
        while sorted(one.text for one in reader.read(sheet).numbers) != sorted(truth):
            attempt, left_out = attempt + 1, left_out + 1
            if attempt == ATTEMPTS:
                raise DataError(f"{ATTEMPTS} still pages were misread: fix the reader's model first")
            sheet, truth = page(data, (seed, turn, attempt))
        random = np.random.default_rng((seed, turn, 1))
        seen = record(reader, hand_shake.frames(sheet, frames, random))
        rows.append(follow(f"page {turn + 1}", seen, truth))
        for rate in RATES:
            worse = list(misread(seen, rate, np.random.default_rng((seed, turn, 2))))
            rows.append(follow(f"page {turn + 1}, {rate:.0%} misread", worse, truth))
    for turn in range(count):
        random = np.random.default_rng((seed, turn, 3))
        kind = SHEETS[turn % len(SHEETS)]
        blank = page_photos.sheet((2200, 1500), kind, float(random.uniform(25, 90)), random)
        moving = hand_shake.frames(np.clip(blank, 0, 255).astype(np.uint8), frames, random, sway=SWAY)
        rows.append(follow(f"empty {kind}, {turn + 1}", record(reader, moving), []))
    rows[0]["left_out"] = left_out
    return rows


def page(data: Mnist, seed: tuple[int, ...]) -> tuple[Pixels, list[str]]:
    """A page of 20 of MNIST's test digits, two of each, and its numbers."""
    random = np.random.default_rng(seed)
    digits = iter("".join(str(value % 10) for value in random.permutation(DIGITS)))
    rows = [["".join(next(digits) for _ in range(size)) for size in row] for row in GROUPS]
    written = ["  ".join(row) for row in rows]
    sheet = pages.compose(written, data.x_test, data.y_test, int(random.integers(2**31)), PAPER)
    return sheet, [text for row in rows for text in row]


def record(reader: Reader, frames: Iterator[Pixels]) -> list[Reading]:
    """The readings of a sequence."""
    return [reader.read(frame, time=count / hand_shake.RATE) for count, frame in enumerate(frames)]


def follow(name: str, seen: list[Reading], truth: list[str]) -> dict[str, Any]:
    """The tracker's figures on a sequence: when all numbers were steady, and whether they were right."""
    tracker = Tracker()
    right = sorted(truth)
    first: int | None = None
    wrong = lost = misread_frames = events = 0
    spent = []
    for count, reading in enumerate(seen):
        started = process_time()
        events += len(tracker.update(reading))
        numbers = tracker.numbers
        spent.append((process_time() - started) * 1000)
        steady = sorted(one.number.text for one in numbers if one.steady)
        misread_frames += sorted(one.text for one in reading.numbers) != right
        wrong += not set(steady) <= set(truth)
        if first is None and steady == right:
            first = count + 1
        lost += first is not None and steady != right
    return {
        "sequence": name,
        "frames": len(seen),
        "misread": misread_frames,
        "steady_after": first if truth else None,
        "not_steady": lost,
        "wrong": wrong,
        "events": events,
        "milliseconds": median(spent),
    }


def misread(seen: list[Reading], rate: float, random: np.random.Generator) -> Iterator[Reading]:
    """Add misreadings: digits changed, missed, doubled and joined, numbers split and joined."""
    for reading in seen:
        numbers: list[Number] = []
        for found in reading.numbers:
            digits: list[Digit] = []
            for digit in found.digits:
                if random.random() < rate:
                    DAMAGES[int(random.integers(len(DAMAGES)))](digits, digit, random)
                else:
                    digits.append(digit)
            if not digits:
                continue
            if len(digits) > 1 and random.random() < rate:
                cut = int(random.integers(1, len(digits)))
                numbers += [number(tuple(digits[:cut])), number(tuple(digits[cut:]))]
            elif numbers and random.random() < rate:
                numbers[-1] = number((*numbers[-1].digits, *digits))
            else:
                numbers.append(number(tuple(digits)))
        if random.random() < EMPTY:
            numbers = []
        yield msgspec.structs.replace(reading, numbers=tuple(numbers))


def _changed(digits: list[Digit], digit: Digit, random: np.random.Generator) -> None:
    digits.append(Digit(int(random.integers(10)), random.uniform(0.4, 1), digit.box))


def _missed(digits: list[Digit], digit: Digit, random: np.random.Generator) -> None:
    pass


def _doubled(digits: list[Digit], digit: Digit, random: np.random.Generator) -> None:
    x, y, width, height = digit.box
    half = max(1, width // 2)
    digits += [
        Digit(int(random.integers(10)), random.uniform(0.3, 1), (left, y, half, height))
        for left in (x, x + half)
    ]


def _joined(digits: list[Digit], digit: Digit, random: np.random.Generator) -> None:
    """Joined with the digit before it, if any."""
    before = digits.pop() if digits else digit
    joined = number((before, digit))
    digits.append(Digit(int(random.integers(10)), random.uniform(0.4, 1), joined.box))


DAMAGES: tuple[Callable[[list[Digit], Digit, np.random.Generator], None], ...] = (
    _changed,
    _missed,
    _doubled,
    _joined,
)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: one row a sequence."""
    good = [row for row in rows if row["steady_after"] is not None or row["sequence"].startswith("empty")]
    lines = [
        "| sequence | frames | misread | steady after | later not all steady | a steady one wrong "
        "| events | tracker ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['sequence']} | {row['frames']:,} | {row['misread']:,} | {row['steady_after'] or '-'} "
        f"| {row['not_steady']:,} | {row['wrong']:,} | {row['events']} | {row['milliseconds']:.2f} |"
        for row in rows
    ]
    lines += ["", f"{rows[0]['left_out']} pages were left out: the reader misreads their still picture."]
    late = [row["sequence"] for row in good if (row["steady_after"] or 0) > WITHIN]
    wrong = sum(row["wrong"] for row in rows)
    lines += [f"Steady later than after {WITHIN} frames, or never: {len(late) + len(rows) - len(good)}."]
    lines += [f"Frames with a wrong steady number: {wrong}."]
    return "\n".join(lines)
