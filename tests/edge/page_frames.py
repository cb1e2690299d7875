"""Readings of a page of digits, frame by frame, without a picture."""

from collections.abc import Iterable
from typing import TypedDict

import numpy as np

from digitlens.core.readings import Digit, Reading, number
from digitlens.core.tracking import Event
from digitlens.live.tracker import Tracker

SIZE = (1280, 720)
ROWS = ["20260 717", "314 15", "9 2658"]
TEXTS = ["20260", "717", "314", "15", "9", "2658"]


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


class View(TypedDict):
    """Where the page is in the picture."""

    shift: tuple[float, float]
    zoom: float


def hand(frame: int) -> View:
    """The view of a page in a hand that shakes."""
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


def settled_tracker() -> Tracker:
    """A tracker that has seen the page for a second."""
    tracker = Tracker()
    follow(tracker, (reading(frame=frame) for frame in range(30)))
    assert steady(tracker) == TEXTS
    return tracker
