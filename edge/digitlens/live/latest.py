"""The newest frame and its numbers: published by the live loop, read by the outlets' threads."""

import threading

import msgspec

from digitlens.core.frames import Frame
from digitlens.core.readings import Reading
from digitlens.core.tracking import Tracked
from digitlens.live.observers import LiveObserver


class ShownFrame(msgspec.Struct, frozen=True):
    """A frame and the numbers on it.

    `numbers` are tracked, steady or not; their boxes are in the pixels of a picture of `size` (width,
    height), which need not be the frame's own. `count` grows by one from frame to frame. The frame's buffer
    may be the camera's: encode it, and keep no reference.
    """

    count: int
    frame: Frame
    numbers: tuple[Tracked, ...]
    size: tuple[int, int]


class LatestFrame(LiveObserver):
    """Holds the newest frame; every method may be called from any thread."""

    def __init__(self) -> None:
        self._shown: ShownFrame | None = None
        self._news = threading.Condition()
        self._closed = False

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """See LiveObserver."""
        self.publish(frame, numbers, size)

    def publish(self, frame: Frame, numbers: tuple[Tracked, ...], size: tuple[int, int]) -> None:
        """Make this the newest frame. Nothing is copied."""
        with self._news:
            count = self._shown.count + 1 if self._shown else 1
            self._shown = ShownFrame(count, frame, numbers, size)
            self._news.notify_all()

    def newest(self) -> ShownFrame | None:
        """The newest frame; None before the first."""
        return self._shown

    def after(self, count: int, timeout: float) -> ShownFrame | None:
        """The newest frame beyond `count`, waited for `timeout` seconds; None if there is none."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._count() > count, timeout)
            return self._shown if self._count() > count else None

    @property
    def closed(self) -> bool:
        """Whether there will be no more frames."""
        return self._closed

    def close(self) -> None:
        """There will be no more frames; wakes the threads that wait."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _count(self) -> int:
        return self._shown.count if self._shown else 0
