"""A camera whose picture is turned as its paper lies: what the numbers on it say is up."""

from itertools import pairwise

import numpy as np

from digitlens.cameras.base import Camera
from digitlens.cameras.orientation import oriented
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.core.readings import Reading
from digitlens.core.tracking import Tracked
from digitlens.live.observers import LiveObserver

AGREEING = 4
"""Frames that must say the same before the picture is turned, in frames: before a number is steady."""
LATER = 30
"""The same once numbers were read as the picture stood, in frames: a hand may push the paper."""
TURNS = {(1, 0): 0, (0, -1): 90, (-1, 0): 180, (0, 1): 270}
"""Direction across and down in which digits follow each other -> clockwise turn that makes them upright."""


class UprightCamera(LiveObserver):
    """Turns the frames of another camera; has no preview, which could not be turned.

    It is also an observer of the loop that takes its frames, whose numbers tell it.
    """

    preview: Preview | None = None

    def __init__(self, camera: Camera) -> None:
        self.rotation = 0  # degrees clockwise
        self._camera = camera
        self._turn, self._frames = 0, 0  # that the last frames ask for, and how many of them
        self._read = False  # a number was steady as the picture stands

    @property
    def name(self) -> str:
        """See Camera."""
        return self._camera.name

    @property
    def dropped(self) -> int:
        """See Camera."""
        return self._camera.dropped

    def newest(self, timeout: float) -> Frame | None:
        """See Camera."""
        frame = self._camera.newest(timeout)
        if frame is None or not self.rotation:
            return frame
        gray = oriented(frame.gray, self.rotation, "")
        image = gray if frame.image is frame.gray else oriented(frame.image, self.rotation, "")
        return Frame(image, gray, frame.time, frame.taken)

    def follow(self, camera: Camera) -> "UprightCamera":
        """Continue with a camera that was opened again; returns itself."""
        self._camera = camera
        return self

    def close(self) -> None:
        """See Camera."""
        self._camera.close()

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """See LiveObserver."""
        turn = wanted_turn(numbers)
        if turn == 0:
            self._read = self._read or any(one.steady for one in numbers)
        if not turn:
            self._frames = 0
            return
        self._frames = self._frames + 1 if turn == self._turn else 1
        self._turn = turn
        if self._frames >= (LATER if self._read else AGREEING):
            self.rotation = (self.rotation + turn) % 360
            self._frames, self._read = 0, False


def wanted_turn(numbers: tuple[Tracked, ...]) -> int | None:
    """Degrees clockwise that make the numbers upright; None where no number has two digits."""
    steps = [
        (right.box[0] + right.box[2] / 2 - left.box[0] - left.box[2] / 2,
         right.box[1] + right.box[3] / 2 - left.box[1] - left.box[3] / 2)
        for one in numbers
        for left, right in pairwise(one.number.digits)
    ]  # fmt: skip
    if not steps:
        return None
    across, down = np.sum(steps, axis=0).tolist()
    if abs(across) >= abs(down):
        return TURNS[-1 if across < 0 else 1, 0]
    return TURNS[0, -1 if down < 0 else 1]
