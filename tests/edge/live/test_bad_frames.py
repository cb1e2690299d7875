"""Single bad frames change nothing of steady numbers."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from digitlens.core.readings import Digit, Number, Reading, number
from digitlens.live.tracker import Tracker
from tests.edge.page_frames import SIZE, TEXTS, follow, hand, ids, reading, settled_tracker, steady

Change = Callable[[list[Number]], list[Number]]


@pytest.fixture
def settled() -> Tracker:
    return settled_tracker()


def _misread(numbers: list[Number]) -> list[Number]:
    first, *others = numbers[0].digits
    return [number((msgspec.structs.replace(first, value=7, confidence=1.0), *others)), *numbers[1:]]


def _all_misread(numbers: list[Number]) -> list[Number]:
    return [
        number(tuple(msgspec.structs.replace(d, value=9 - d.value, confidence=1.0) for d in one.digits))
        for one in numbers
    ]


def _missed(numbers: list[Number]) -> list[Number]:
    digits = numbers[0].digits
    return [number((*digits[:2], *digits[3:])), *numbers[1:]]


def _doubled(numbers: list[Number]) -> list[Number]:
    first, *others = numbers[0].digits
    x, y, width, height = first.box
    halves = [Digit(1, 0.97, (x + part * width // 2, y, width // 2, height)) for part in range(2)]
    return [number((*halves, *others)), *numbers[1:]]


def _joined(numbers: list[Number]) -> list[Number]:
    first, second, *others = numbers[0].digits
    x, y, _, height = first.box
    wide = Digit(4, 0.97, (x, y, second.box[0] + second.box[2] - x, height))
    return [number((wide, *others)), *numbers[1:]]


def _split(numbers: list[Number]) -> list[Number]:
    digits = numbers[0].digits
    return [number(digits[:2]), number(digits[2:]), *numbers[1:]]


def _together(numbers: list[Number]) -> list[Number]:
    return [number(numbers[0].digits + numbers[1].digits), *numbers[2:]]


def _ghost(numbers: list[Number]) -> list[Number]:
    x, y, width, height = numbers[0].digits[-1].box
    return [number((*numbers[0].digits, Digit(1, 0.99, (x + 45, y, width, height)))), *numbers[1:]]


def _bridge(numbers: list[Number]) -> list[Number]:
    """A stray sign between two numbers, which makes one of them."""
    x, y, width, height = numbers[0].digits[-1].box
    stray = Digit(1, 0.99, (x + 60, y, width, height))
    return [number((*numbers[0].digits, stray, *numbers[1].digits)), *numbers[2:]]


def _nothing(numbers: list[Number]) -> list[Number]:
    return []


def _one_stray(numbers: list[Number]) -> list[Number]:
    """Everything is hidden but a sign that might be a shifted digit of a neighbor."""
    x, y, width, height = numbers[0].digits[0].box
    return [number((Digit(2, 0.99, (x + 150, y + 60, width, height)),))]


BAD = [
    _misread,
    _all_misread,
    _missed,
    _doubled,
    _joined,
    _split,
    _together,
    _ghost,
    _bridge,
    _nothing,
    _one_stray,
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("count", [1, 2])
def test_bad_frames_change_nothing(settled: Tracker, bad: Change, count: int) -> None:
    before = ids(settled)
    for frame in range(30, 60):
        good = reading(frame=frame)
        numbers = bad(list(good.numbers)) if frame < 30 + count else list(good.numbers)
        assert settled.update(msgspec.structs.replace(good, numbers=tuple(numbers))) == []
        assert steady(settled) == TEXTS
    assert ids(settled) == before


@pytest.mark.parametrize("bad", BAD)
def test_every_third_frame_may_be_bad(bad: Change) -> None:
    tracker = Tracker()
    for frame in range(120):
        good = reading(frame=frame, **hand(frame))
        numbers = bad(list(good.numbers)) if frame % 3 == 1 else list(good.numbers)
        tracker.update(msgspec.structs.replace(good, numbers=tuple(numbers)))
        assert set(steady(tracker)) <= set(TEXTS)
    assert steady(tracker) == TEXTS


@pytest.mark.slow
def test_random_misreadings_never_make_a_steady_number_wrong() -> None:
    random = np.random.default_rng(7)
    tracker = Tracker()
    for frame in range(400):
        good = reading(frame=frame, **hand(frame))
        numbers = list(good.numbers)
        for _ in range(int(random.poisson(1.0))):
            random.shuffle(numbers)  # type: ignore[arg-type]  # any sequence
            if len(numbers) > 1 and len(numbers[0].digits) > 2:
                numbers = BAD[int(random.integers(8))](numbers)
        tracker.update(msgspec.structs.replace(good, numbers=tuple(numbers)))
        assert set(steady(tracker)) <= set(TEXTS)
        assert frame < 40 or steady(tracker) == TEXTS


@pytest.mark.slow
def test_strays_are_never_steady_and_memory_is_bounded() -> None:
    """Frames of gravel only."""
    random = np.random.default_rng(3)
    tracker = Tracker()
    for frame in range(60):
        digits = [
            Digit(int(value), float(sure), (int(x), int(y), 12, 20))
            for value, sure, x, y in zip(
                random.integers(0, 10, 1000),
                random.uniform(0.3, 1, 1000),
                random.integers(0, 1260, 1000),
                random.integers(0, 690, 1000),
                strict=True,
            )
        ]
        groups = tuple(number(tuple(digits[start : start + 4])) for start in range(0, 1000, 4))
        assert tracker.update(Reading("", frame / 30, SIZE, groups, {})) == []
        assert len(tracker._tracks.digits) <= 400
        assert len(tracker._tracks.links) <= 4000
    follow(tracker, (reading([], frame) for frame in range(60, 180)))
    assert not tracker._tracks.digits
    assert not tracker._tracks.links
    assert not tracker._numbers


def test_the_same_readings_give_the_same_events() -> None:
    def outcome() -> Iterator[object]:
        tracker = Tracker()
        for frame in range(60):
            good = reading(frame=frame, **hand(frame))
            numbers = BAD[frame % len(BAD)](list(good.numbers))
            yield tracker.update(msgspec.structs.replace(good, numbers=tuple(numbers)))
            yield tracker.numbers

    for first, second in pairwise([list(outcome()), list(outcome())]):
        assert first == second
