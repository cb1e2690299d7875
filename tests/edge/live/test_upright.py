"""--rotation auto: the picture is turned as its paper lies."""

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from digitlens.core.readings import Digit, number
from digitlens.core.tracking import Tracked
from digitlens.live.upright import UprightCamera, wanted_turn
from tests.edge.live.test_loop import Frames, run

Pixels = npt.NDArray[np.uint8]


def row(step: tuple[int, int]) -> tuple[Tracked, ...]:
    """A number whose digits follow each other in these steps."""
    boxes = [(200 + step[0] * place, 200 + step[1] * place, 20, 30) for place in range(3)]
    return (Tracked(1, number(tuple(Digit(1, 0.9, box) for box in boxes)), False, 1),)


def test_the_turn_that_numbers_ask_for() -> None:
    steps = {(30, 4): 0, (-30, 4): 180, (3, 40): 270, (3, -40): 90}
    assert {step: wanted_turn(row(step)) for step in steps} == steps
    assert wanted_turn(()) is None
    (one,) = row((30, 0))
    assert wanted_turn((Tracked(1, number(one.number.digits[:1]), True, 9),)) is None


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_turned(reader: Reader, page: Pixels, turn: int) -> None:
    """It is turned before its number is steady, so that nothing is reported twice."""
    page = np.pad(page, 60, mode="edge")
    lying = np.ascontiguousarray(np.rot90(page, turn // 90))  # counterclockwise
    camera = UprightCamera(Frames([lying] * 30))
    live, events, _ = run(camera, reader, observers=[camera])
    assert camera.rotation == turn
    assert [(event.kind, event.text) for event in events] == [("appeared", "40716")]
    assert live.size == (page.shape[1], page.shape[0])


def test_an_upright_page_stays(reader: Reader, page: Pixels) -> None:
    camera = UprightCamera(Frames([page] * 15))
    _, events, _ = run(camera, reader, observers=[camera])
    assert (camera.rotation, [event.text for event in events]) == (0, ["40716"])
