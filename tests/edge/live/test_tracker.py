"""Readings over time: which numbers are steady, and their events."""

from typing import Literal

import msgspec
import numpy as np
import pytest

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.readings import Reading, number
from digitlens.live.tracker import Tracker
from digitlens.reader import Reader
from tests.edge.live.test_loop import Digits
from tests.edge.page_frames import ROWS, TEXTS, follow, hand, ids, reading, settled_tracker, steady


@pytest.fixture
def settled() -> Tracker:
    return settled_tracker()


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
    assert all(event.before == "" and 0 < event.time < 0.3 for event in events)
    assert [event.confidence for event in events] == pytest.approx([0.98 ** len(text) for text in TEXTS])
    assert [event.id for event in events] == sorted({event.id for event in events})


def test_the_parameters_decide_when_a_number_is_steady() -> None:
    tracker = Tracker(TrackingParameters(min_age=20))
    events = follow(tracker, (reading(frame=frame) for frame in range(30)))
    assert [event.time for event in events] == [19 / 30] * len(TEXTS)


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
def test_a_digit_in_doubt_is_never_steady(confidence: float) -> None:
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


def test_the_size_of_the_picture_may_change(settled: Tracker) -> None:
    before = ids(settled)
    for frame in range(30, 50):
        half = reading(frame=frame, zoom=0.5)
        assert settled.update(msgspec.structs.replace(half, size=(640, 360))) == []
    assert ids(settled) == before


@pytest.mark.slow
def test_a_shaken_page_through_the_reader(reader: Reader, digits: Digits) -> None:
    """20 digits, 1280 x 720, hand and noise: all steady within ten frames, none wrong."""
    from digitlens_train import hand_shake, pages

    paper = pages.Paper(size=(1440, 880), grain=0, leading=140)
    sheet = pages.compose(["27301  845", "926  10", "8  673459"], digits[0], digits[1], seed=4, paper=paper)
    texts = [number.text for number in reader.read(sheet).numbers]
    assert sum(map(len, texts)) == 20
    tracker = Tracker()
    for count, frame in enumerate(hand_shake.frames(sheet, 12, np.random.default_rng(1))):
        assert frame.shape == (720, 1280, 3)
        tracker.update(reader.read(frame, time=count / 30))
        assert set(steady(tracker)) <= set(texts)
        assert count < 9 or sorted(steady(tracker)) == sorted(texts)


@pytest.mark.parametrize("kind", ["ruled", "squared", "table"])
@pytest.mark.slow
def test_an_empty_sheet_under_a_moving_camera(
    reader: Reader, kind: Literal["ruled", "squared", "table"]
) -> None:
    from digitlens_train import hand_shake, page_photos

    random = np.random.default_rng(5)
    blank = page_photos.sheet((2000, 1300), kind, 48, random).clip(0, 255).astype(np.uint8)
    tracker = Tracker()
    for frame in hand_shake.frames(blank, 12, random, sway=250):
        assert tracker.update(reader.read(frame)) == []
