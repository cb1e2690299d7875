"""One sheet after another: no number of two sheets together, and the new one is soon steady."""

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.readings import Number, Reading
from digitlens.live.tracker import Tracker
from digitlens.reader import Reader
from tests.edge.page_frames import TEXTS, follow, ids, reading, settled_tracker, steady

pytestmark = pytest.mark.slow

FORGET = TrackingParameters().forget_frames
SHEETS = 16
CUTS = 40
Images = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def sheets(reader: Reader, digits: tuple[Images, Images]) -> list[Reading]:
    """Readings of pages with one to four rows of real digits."""
    from digitlens_train import pages

    read = []
    for seed in range(SHEETS):
        random = np.random.default_rng((2026, seed))
        rows = []
        for _ in range(int(random.integers(1, 5))):
            row = ["".join(map(str, random.integers(0, 10, random.integers(1, 7)))) for _ in range(2)]
            rows.append("  ".join(row[: int(random.integers(1, 3))]))
        leading = int(random.choice([112, 140]))
        paper = pages.Paper(digit=56, spacing=62, leading=leading, grain=0, rule=None)
        read.append(reader.read(pages.compose(rows, *digits, seed=seed, paper=paper)))
    return read


def _texts(seen: Reading) -> set[str]:
    return {number.text for number in seen.numbers}


def _upper(seen: Reading) -> tuple[Number, ...]:
    return tuple(number for number in seen.numbers if number.box[1] < 330)


@pytest.mark.parametrize(("hold", "between"), [(8, ""), (12, "torn"), (30, ""), (30, "black")])
def test_hard_cuts(sheets: list[Reading], hold: int, between: str) -> None:
    """Every steady number is on the sheet that is seen, or on one that was a moment ago."""
    random = np.random.default_rng(3)
    order = [sheets[0], *(sheets[int(random.integers(SHEETS))] for _ in range(CUTS))]
    tracker = Tracker()
    frame, took = 0, []
    shown: list[tuple[int, set[str]]] = []
    for before, now in pairwise(order):
        shown = [(last, texts) for last, texts in shown if last >= frame - FORGET - 1] + [
            (frame, _texts(before))
        ]
        may = _texts(now).union(*(texts for _, texts in shown))
        first = None
        for count in range(hold):
            numbers = now.numbers
            if count == 0 and between:
                lower = [number for number in now.numbers if number.box[1] >= 330]
                numbers = () if between == "black" else (*_upper(before), *lower)
            events = tracker.update(msgspec.structs.replace(now, time=frame / 30, numbers=numbers))
            frame += 1
            assert {event.text for event in events if event.kind != "gone"} <= may
            assert set(steady(tracker)) <= may
            if first is None and sorted(steady(tracker)) == sorted(number.text for number in now.numbers):
                first = count + 1
        took.append(first or hold + 1)
    if hold == 30:
        assert np.median(took) <= 10
        assert max(took) <= hold


def test_a_row_is_replaced(sheets: list[Reading]) -> None:
    """One part of the sheet is replaced: the numbers of the rest keep their ids, and none is mixed."""
    wide = [seen for seen in sheets if _upper(seen) and len(_upper(seen)) < len(seen.numbers)]
    tracker = Tracker()
    frame = 0
    for first, second in pairwise(wide + wide[:1]):
        lower = tuple(number for number in second.numbers if number.box[1] >= 330)
        for numbers in (second.numbers, (*_upper(first), *lower)):
            may = {number.text for seen in wide for number in seen.numbers}
            for _ in range(40):
                tracker.update(msgspec.structs.replace(second, time=frame / 30, numbers=numbers))
                frame += 1
                assert set(steady(tracker)) <= may
            assert sorted(steady(tracker)) == sorted(number.text for number in numbers)


def test_the_events_of_another_sheet() -> None:
    tracker = settled_tracker()
    before = ids(tracker)
    events = follow(tracker, (reading(["46 853", "7", "1092 38"], frame) for frame in range(30, 60)))
    gone = [event for event in events if event.kind == "gone"]
    assert {event.text for event in gone} == set(TEXTS)
    assert {event.id for event in gone} == set(before.values())
    assert max(event.time for event in gone) < 36 / 30
    came = [event for event in events if event.kind == "appeared"]
    assert {event.text for event in came} == {"46", "853", "7", "1092", "38"}
    assert max(event.time for event in came) < 40 / 30
    assert not {event.id for event in came} & set(before.values())


def test_a_display_that_counts_is_the_same_number() -> None:
    """All its digits change at once, each in its place."""
    tracker = Tracker()
    follow(tracker, (reading(["199"], frame) for frame in range(30)))
    before = ids(tracker)["199"]
    (event,) = follow(tracker, (reading(["200"], frame) for frame in range(30, 60)))
    assert (event.kind, event.before, event.text, event.id) == ("changed", "199", "200", before)
    assert event.time < 55 / 30
