"""Pages that lie turned in the picture: followed and ordered as they are read."""

import msgspec
import numpy as np
import pytest

from digitlens.core.readings import Box, Reading, moved
from digitlens.live.tracker import Tracker
from tests.edge.page_frames import ROWS, SIZE, TEXTS, hand, ids, reading, settled_tracker, steady

TURNS = (1, 2, 3)


def turned(seen: Reading, turn: int) -> Reading:
    """The reading of a picture in which the page lies turned clockwise by so many quarter turns."""
    width, height = seen.size

    def lying(box: Box) -> Box:
        x, y, w, h = box
        return {1: (height - y - h, x, h, w), 2: (width - x - w, height - y - h, w, h)}.get(
            turn, (y, width - x - w, h, w)
        )

    size = (width, height) if turn == 2 else (height, width)
    return msgspec.structs.replace(seen, size=size, numbers=moved(seen.numbers, lying))


@pytest.mark.parametrize("turn", TURNS)
def test_a_shaken_page_is_read_to_steady_numbers_in_its_own_order(turn: int) -> None:
    tracker = Tracker()
    frames = [turned(reading(frame=frame, **hand(frame)), turn) for frame in range(120)]
    events = [event for frame in frames for event in tracker.update(frame)]
    assert [(event.kind, event.text) for event in events] == [("appeared", text) for text in TEXTS]
    assert steady(tracker) == TEXTS
    for one, truth in zip(tracker.numbers, frames[-1].numbers, strict=True):
        assert np.abs(np.subtract(one.number.box, truth.box)).max() <= 4
        assert one.age == 120


@pytest.mark.parametrize("turn", TURNS)
def test_a_changed_digit(turn: int) -> None:
    tracker = Tracker()
    for frame in range(30):
        tracker.update(turned(reading(frame=frame), turn))
    before = ids(tracker)
    changed = (turned(reading(["20760 717", *ROWS[1:]], frame), turn) for frame in range(30, 75))
    (event,) = [event for frame in changed for event in tracker.update(frame)]
    assert (event.kind, event.before, event.text, event.id) == ("changed", "20260", "20760", before["20260"])


@pytest.mark.parametrize("turn", TURNS)
def test_a_single_frame_that_takes_up_for_down_changes_nothing(turn: int) -> None:
    tracker = settled_tracker()
    other = turned(reading(["61 24"], frame=30), turn)
    assert tracker.update(msgspec.structs.replace(other, size=SIZE)) == []
    for frame in range(31, 60):
        assert tracker.update(reading(frame=frame)) == []
    assert steady(tracker) == TEXTS


def test_numbers_that_are_printed_stay_marked() -> None:
    tracker = Tracker()
    for frame in range(30):
        seen = reading(frame=frame)
        first = msgspec.structs.replace(seen.numbers[0], printed=True)
        tracker.update(msgspec.structs.replace(seen, numbers=(first, *seen.numbers[1:])))
    assert [one.number.printed for one in tracker.numbers] == [True] + [False] * (len(TEXTS) - 1)
