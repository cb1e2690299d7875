"""Readings over time: what is steady, what is told, and what one bad frame does."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from digitlens.reader import Reader
from digitlens.readings import Digit, Number, Reading, number
from digitlens.track import Event, Tracker

SIZE = (1280, 720)
ROWS = ["20260 717", "314 15", "9 2658"]
TEXTS = ["20260", "717", "314", "15", "9", "2658"]
Change = Callable[[list[Number]], list[Number]]


def reading(
    rows: Iterable[str] = ROWS,
    frame: int = 0,
    shift: tuple[float, float] = (0, 0),
    zoom: float = 1.0,
    confidence: float = 0.98,
) -> Reading:
    """A page of digits 30 x 50 in steps of 45, seen from where the hand holds it."""
    numbers = []
    for line, row in enumerate(rows):
        left = 200.0
        for text in row.split(" "):
            digits = []
            for sign in text:
                x, y = zoom * left + shift[0], zoom * (150 + 140 * line) + shift[1]
                width = (10 if sign == "1" else 30) * zoom
                digits.append(
                    Digit(int(sign), confidence, (round(x), round(y), round(width), round(50 * zoom)))
                )
                left += 45
            if digits:
                numbers.append(number(tuple(digits)))
            left += 90
    return Reading("", frame / 30, SIZE, tuple(numbers), {})


def hand(frame: int) -> dict[str, float | tuple[float, float]]:
    """Where a hand that shakes has the page."""
    return {
        "shift": (40 * np.sin(frame / 9) + 3 * np.sin(frame * 1.9), 30 * np.cos(frame / 13)),
        "zoom": 1 + 0.04 * np.sin(frame / 17),
    }


def steady(tracker: Tracker) -> list[str]:
    return [one.number.text for one in tracker.numbers if one.steady]


def ids(tracker: Tracker) -> dict[str, int]:
    return {one.number.text: one.id for one in tracker.numbers}


def follow(tracker: Tracker, frames: Iterable[Reading]) -> list[Event]:
    return [event for frame in frames for event in tracker.update(frame)]


@pytest.fixture
def settled() -> Tracker:
    """A tracker that has seen the page for a second."""
    tracker = Tracker()
    follow(tracker, (reading(frame=frame) for frame in range(30)))
    assert steady(tracker) == TEXTS
    return tracker


def test_reading_until_steady() -> None:
    tracker = Tracker()
    events = tracker.update(reading())
    assert events == []
    assert [(one.number.text, one.steady, one.age) for one in tracker.numbers] == [
        (text, False, 1) for text in TEXTS
    ]
    events = follow(tracker, (reading(frame=frame, **hand(frame)) for frame in range(1, 10)))
    assert steady(tracker) == TEXTS
    assert [(event.kind, event.text) for event in events] == [("appeared", text) for text in TEXTS]
    assert all(event.before == "" and 0 < event.time < 0.3 and event.confidence > 0.95 for event in events)
    assert [event.id for event in events] == sorted({event.id for event in events})


def test_a_moving_page_keeps_its_identities() -> None:
    tracker = Tracker()
    follow(tracker, (reading(frame=frame, **hand(frame)) for frame in range(20)))
    before = ids(tracker)
    assert follow(tracker, (reading(frame=frame, **hand(frame)) for frame in range(20, 300))) == []
    assert ids(tracker) == before
    assert len(before) == len(TEXTS)
    for one, truth in zip(tracker.numbers, reading(frame=299, **hand(299)).numbers, strict=True):
        assert np.abs(np.subtract(one.number.box, truth.box)).max() <= 4
        assert one.age == 300


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
    """All is hidden but for a sign that might be a neighbor's digit, shifted."""
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


def test_random_misreadings_never_make_a_steady_number_wrong() -> None:
    random = np.random.default_rng(7)
    tracker = Tracker()
    for frame in range(400):
        good = reading(frame=frame, **hand(frame))
        numbers = list(good.numbers)
        for _ in range(int(random.poisson(1.0))):
            random.shuffle(numbers)
            if len(numbers) > 1 and len(numbers[0].digits) > 2:
                numbers = BAD[int(random.integers(8))](numbers)
        tracker.update(msgspec.structs.replace(good, numbers=tuple(numbers)))
        assert set(steady(tracker)) <= set(TEXTS)
        assert frame < 40 or steady(tracker) == TEXTS


def test_a_changed_digit(settled: Tracker) -> None:
    before = ids(settled)
    frames = [reading(["20760 717", *ROWS[1:]], frame, **hand(frame)) for frame in range(30, 75)]
    (event,) = follow(settled, frames)
    assert (event.kind, event.before, event.text, event.id) == ("changed", "20260", "20760", before["20260"])
    assert 31 / 30 < event.time < 2.2
    assert steady(settled) == ["20760", *TEXTS[1:]]


def test_a_digit_written_and_a_digit_erased(settled: Tracker) -> None:
    before = ids(settled)
    (event,) = follow(settled, (reading([ROWS[0] + "8", *ROWS[1:]], frame) for frame in range(30, 60)))
    assert (event.kind, event.before, event.text, event.id) == ("changed", "717", "7178", before["717"])
    (event,) = follow(settled, (reading(frame=frame) for frame in range(60, 120)))
    assert (event.kind, event.before, event.text, event.id) == ("changed", "7178", "717", before["717"])


def test_a_number_goes_and_another_comes(settled: Tracker) -> None:
    before = ids(settled)
    events = follow(settled, (reading([ROWS[0], "314", ROWS[2]], frame) for frame in range(30, 60)))
    assert [(event.kind, event.text, event.id) for event in events] == [("gone", "15", before["15"])]
    assert 1.1 < events[0].time < 1.8
    (event,) = follow(settled, (reading(frame=frame) for frame in range(60, 90)))
    assert (event.kind, event.text) == ("appeared", "15")
    assert event.id not in before.values()


def test_a_hand_over_the_page(settled: Tracker) -> None:
    """All of it, then half of it, is hidden for a third of a second."""
    before = ids(settled)
    hidden = [reading([], frame) for frame in range(30, 40)]
    half = [reading(["", ROWS[1], ""], frame) for frame in range(60, 70)]
    back = [[reading(frame=frame) for frame in range(start, start + 20)] for start in (40, 70)]
    assert follow(settled, hidden + back[0] + half + back[1]) == []
    assert ids(settled) == before


def test_sliding_out_of_the_view_and_back(settled: Tracker) -> None:
    """A number that the edge cuts is not another number."""

    def view(frame: int) -> Reading:
        left = 380 * np.sin(np.pi * (frame - 30) / 90)
        seen = reading(frame=frame, shift=(-left, 0))
        inside = [
            number(tuple(digit for digit in one.digits if digit.box[0] >= 0))
            for one in seen.numbers
            if one.digits[-1].box[0] >= 0
        ]
        return msgspec.structs.replace(seen, numbers=tuple(inside))

    events = follow(settled, map(view, range(30, 140)))
    assert [event for event in events if event.kind == "changed"] == []
    assert {event.text for event in events} <= set(TEXTS)
    assert steady(settled) == TEXTS


@pytest.mark.parametrize("confidence", [0.2, 0.5])
def test_what_stays_in_doubt_is_never_steady(confidence: float) -> None:
    tracker = Tracker()
    good, doubt = reading(["12 34"]), reading(["12 34"], confidence=confidence)
    mixed = number((*good.numbers[0].digits[:1], *doubt.numbers[0].digits[1:]))
    for _ in range(200):
        tracker.update(msgspec.structs.replace(good, numbers=(mixed, good.numbers[1])))
        assert [one.number.text for one in tracker.numbers] == ["12", "34"]
    assert steady(tracker) == ["34"]


def test_the_decimal_separator_stays(settled: Tracker) -> None:
    def dotted(frame: int, sign: str) -> Reading:
        seen = reading(frame=frame)
        numbers = list(seen.numbers)
        numbers[2] = msgspec.structs.replace(numbers[2], text=f"3{sign}14")
        return msgspec.structs.replace(seen, numbers=tuple(numbers))

    (event,) = follow(settled, (dotted(frame, "," if frame != 52 else "") for frame in range(30, 90)))
    assert (event.kind, event.before, event.text) == ("changed", "314", "3,14")
    assert settled.numbers[2].number.text == "3,14"
    assert len(settled.numbers[2].number.digits) == 3


def test_strays_are_never_steady_and_memory_is_bounded() -> None:
    """A frame of gravel after another."""
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
        assert len(tracker._digits) <= 400
        assert len(tracker._links) <= 4000
    follow(tracker, (reading([], frame) for frame in range(60, 180)))
    assert not tracker._digits
    assert not tracker._links
    assert not tracker._known


def test_the_size_of_the_picture_may_change(settled: Tracker) -> None:
    before = ids(settled)
    for frame in range(30, 50):
        half = reading(frame=frame, zoom=0.5)
        assert settled.update(msgspec.structs.replace(half, size=(640, 360))) == []
    assert ids(settled) == before


def test_the_same_readings_say_the_same() -> None:
    def told() -> Iterator[object]:
        tracker = Tracker()
        for frame in range(60):
            good = reading(frame=frame, **hand(frame))
            numbers = BAD[frame % len(BAD)](list(good.numbers))
            yield tracker.update(msgspec.structs.replace(good, numbers=tuple(numbers)))
            yield tracker.numbers

    for first, second in pairwise([list(told()), list(told())]):
        assert first == second


def test_a_shaken_page_through_the_reader(reader: Reader, digits) -> None:  # type: ignore[no-untyped-def]
    """20 digits, 1280 x 720, hand and noise: all steady within ten frames, none wrong."""
    from digitlens_train import pages, shake

    paper = pages.Paper(size=(1440, 880), grain=0, leading=140)
    sheet = pages.compose(["27301  845", "926  10", "8  673459"], *digits, seed=4, paper=paper)
    texts = [number.text for number in reader.read(sheet).numbers]
    assert sum(map(len, texts)) == 20
    tracker = Tracker()
    for count, frame in enumerate(shake.shaken(sheet, 12, np.random.default_rng(1))):
        assert frame.shape == (720, 1280, 3)
        tracker.update(reader.read(frame, time=count / 30))
        assert set(steady(tracker)) <= set(texts)
        assert count < 9 or sorted(steady(tracker)) == sorted(texts)


@pytest.mark.parametrize("kind", ["ruled", "squared", "table"])
def test_an_empty_sheet_under_a_moving_camera(reader: Reader, kind) -> None:  # type: ignore[no-untyped-def]
    from digitlens_train import paper, shake

    random = np.random.default_rng(5)
    blank = paper.sheet((2000, 1300), kind, 48, random).clip(0, 255).astype(np.uint8)
    tracker = Tracker()
    for frame in shake.shaken(blank, 12, random, sway=250):
        assert tracker.update(reader.read(frame)) == []
