"""Films of a page in a shaking hand: what only moves is followed, and nothing that changes is missed.

Times are counted in frames of the films, of which there are 30 in a second.
"""

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from digitlens.config.parameters.following import FollowParameters
from digitlens.config.parameters.tracking import LoopParameters
from digitlens.core.frames import Frame
from digitlens.core.readings import Reading
from digitlens.core.tracking import Event, Tracked
from digitlens.live.following import Follower
from digitlens.live.loop import Live
from digitlens.live.moved import crosses_edge, digit_boxes, moved_box, moved_numbers, resized_map
from digitlens.live.observers import LiveObserver
from tests.edge.live.shaken import RATE, shaken
from tests.edge.live.test_loop import Frames, run
from tests.edge.pages import put

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]

SETTLED = 24
"""Frames after which something happens to the page."""
NUMBERS = [("314", 50, 50), ("27", 330, 70), ("40716", 60, 200)]
EVERY_FRAME = LoopParameters(following=FollowParameters(enabled=False))


def sheet(digits: Digits, numbers: list[tuple[str, int, int]], ruled: bool = False) -> Gray:
    page = np.full((360, 480), 220, np.uint8)
    if ruled:
        for y in range(130, 360, 60):
            page[y : y + 2] = 150
    for text, left, top in numbers:
        put(page, text, digits, left, top, 40)
    return page


class Seen(LiveObserver):
    """Keeps what was shown with each frame."""

    def __init__(self) -> None:
        self.numbers: list[tuple[Tracked, ...]] = []
        self.readings: list[Reading] = []

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        self.numbers.append(numbers)
        self.readings.append(reading)


def play(reader: Reader, pages: list[Gray], every: bool = False) -> tuple[Live, list[Event], Seen]:
    seen = Seen()
    parameters = EVERY_FRAME if every else LoopParameters()
    live, events, _ = run(Frames(list(shaken(pages))), reader, None, (seen,), parameters=parameters)
    return live, events, seen


@pytest.fixture(scope="module")
def film_reader() -> Reader:
    return Reader(film=True)


@pytest.mark.parametrize("ruled", [False, True], ids=["blank", "ruled"])
def test_a_shaking_page_is_read_in_a_quarter_of_its_frames(
    film_reader: Reader, digits: Digits, ruled: bool
) -> None:
    page = sheet(digits, NUMBERS, ruled)
    live, events, seen = play(film_reader, [page] * 50)
    assert live.read <= 50 // 4
    assert [(event.kind, event.text) for event in events] == [
        ("appeared", text) for text in ("314", "27", "40716")
    ]
    # The boxes that were moved are where the digits are.
    last = list(shaken([page] * 50))[-1]
    found = {number.text: number.box for number in film_reader.read(last).numbers}
    for one in seen.numbers[-1]:
        assert np.abs(np.subtract(one.number.box, found[one.number.text])).max() <= 3


def test_every_frame_is_read_where_that_is_asked_for(film_reader: Reader, digits: Digits) -> None:
    pages = [sheet(digits, NUMBERS)] * 12
    live, events, _ = play(film_reader, pages, every=True)
    assert live.read == 12
    _, followed, _ = play(film_reader, pages)
    assert [(event.text, event.time) for event in events] == [(event.text, event.time) for event in followed]


def test_a_number_written_meanwhile_is_steady_within_12_frames(film_reader: Reader, digits: Digits) -> None:
    before, after = sheet(digits, NUMBERS), sheet(digits, [*NUMBERS, ("95", 310, 280)])
    _, events, _ = play(film_reader, [before] * SETTLED + [after] * 14)
    (event,) = [event for event in events if event.text == "95"]
    assert event.kind == "appeared"
    assert 0 < event.time * RATE - SETTLED <= 12


def test_a_3_made_an_8_is_an_8_within_15_frames(film_reader: Reader, digits: Digits) -> None:
    before = sheet(digits, NUMBERS)
    after = before.copy()
    put(after, "8", digits, 50, 50, 40)  # over the 3
    _, events, seen = play(film_reader, [before] * SETTLED + [after] * 18)
    (event,) = [event for event in events if event.kind == "changed"]
    assert (event.before, event.text) == ("314", "814")
    assert 0 < event.time * RATE - SETTLED <= 15
    assert "314" not in [one.number.text for one in seen.numbers[-1] if one.steady]


def test_a_number_taken_away_goes_as_soon_as_where_every_frame_is_read(
    film_reader: Reader, digits: Digits
) -> None:
    pages = [sheet(digits, NUMBERS)] * 20 + [sheet(digits, NUMBERS[:2])] * 20
    gone = [
        [event.time for event in play(film_reader, pages, every)[1] if event.kind == "gone"]
        for every in (True, False)
    ]
    assert len(gone[0]) == 1
    assert gone[0] == gone[1]


def test_the_follower_finds_the_movement_and_each_change(film_reader: Reader, digits: Digits) -> None:
    page = sheet(digits, NUMBERS)
    first, second = shaken([page, page], sway=20)
    follower = Follower()
    assert follower.look(second) is None  # nothing was read
    reading = film_reader.read(first)
    follower.keep(first, digit_boxes(reading))
    still = follower.look(first)
    assert still is not None
    assert np.abs(still.matrix - np.eye(2, 3)).max() < 0.01
    moved = np.roll(first, (6, -9), (0, 1))
    motion = follower.look(moved)
    assert motion is not None
    assert np.abs(motion.matrix - [[1, 0, -9], [0, 1, 6]]).max() < 0.1
    assert not motion.changed
    motion = follower.look((moved * 0.8).astype(np.uint8))  # in a shadow
    assert motion is not None
    assert not motion.changed
    for text, left, top in (("1", 250, 290), ("8", 41, 56)):
        other = moved.copy()
        put(other, text, digits, left, top, 40)
        motion = follower.look(other)
        assert motion is not None
        assert motion.changed
    assert follower.look(np.full_like(first, 220)) is None
    assert follower.look(first[:100, :100]) is None
    follower.keep(first, np.zeros((0, 4)))
    assert follower.look(first) is None


def test_ink_that_comes_in_at_an_edge(film_reader: Reader, digits: Digits) -> None:
    page = np.ascontiguousarray(sheet(digits, [*NUMBERS, ("8", 432, 280)])[:, :470])
    follower = Follower()
    follower.keep(page[:, :430], digit_boxes(film_reader.read(page[:, :430])))
    grown = [follower.look(np.ascontiguousarray(page[:, left : left + 430])) for left in (8, 40)]
    assert [motion is not None and motion.grown for motion in grown] == [False, True]


def test_boxes_move_with_the_paper(film_reader: Reader, digits: Digits) -> None:
    turned = np.array([[0, -2.0, 100], [2.0, 0, 10]])
    assert moved_box((10, 20, 30, 40), turned) == (-10, 20, 60, 80)
    assert np.allclose(resized_map(turned, (640, 480), (320, 240)), [[0, -2, 50], [2, 0, 5]])
    assert resized_map(turned, (4, 3), (4, 3)) is turned
    _, _, seen = play(film_reader, [sheet(digits, NUMBERS)] * 8)
    numbers = seen.numbers[-1]
    assert moved_numbers(numbers, None) == numbers
    far = np.array([[1.0, 0, 300], [0, 1.0, 0]])
    assert crosses_edge(numbers, far, (480, 360))
    assert not crosses_edge(numbers, np.eye(2, 3), (480, 360))
