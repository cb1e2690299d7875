"""What the live loop reads frames with: numbers and their tracker, or the sheets of a form."""

from collections.abc import Iterable
from typing import Protocol

from digitlens.core.arrays import Doubles, Pixels
from digitlens.core.readings import Reading
from digitlens.core.tracking import Event, Tracked


class FrameReader(Protocol):
    """Reads the frames: a Reader, or what takes sheets."""

    def read(self, image: Pixels, source: str, time: float, /) -> Reading:
        """What a frame (H, W) uint8 says."""


class FrameTracker(Protocol):
    """Makes steady numbers of readings: a Tracker."""

    @property
    def numbers(self) -> tuple[Tracked, ...]:
        """What is shown over the picture."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether anything shown may change in the frames to come."""

    def follow(self, matrix: Doubles, /) -> None:
        """Move what was read by a map (2, 3)."""

    def update(self, reading: Reading, gray: Pixels, /) -> Iterable[Event]:
        """Take in a reading; what happened by it."""
