"""The newest frame and its numbers: published by the live loop, looked at by the outlets' threads."""

import threading

import msgspec

from digitlens.core.frames import Frame
from digitlens.core.tracking import Tracked


class ShownFrame(msgspec.Struct, frozen=True):
    """A frame and what stands on it.

    `numbers` are those followed by then, steady or not; their boxes are in the pixels of a picture of `size`
    (width, height), which need not be the frame's own. `count` grows by one from frame to frame. Whoever has
    it has the frame's buffer, which may be the camera's: encode it and let go.
    """

    count: int
    frame: Frame
    numbers: tuple[Tracked, ...]
    size: tuple[int, int]


class LatestFrame:
    """Holds the newest; every method may be called from any thread."""

    def __init__(self) -> None:
        self._shown: ShownFrame | None = None
        self._news = threading.Condition()
        self._closed = False

    def publish(self, frame: Frame, numbers: tuple[Tracked, ...], size: tuple[int, int]) -> None:
        """A frame has been looked at. Nothing is copied."""
        with self._news:
            count = self._shown.count + 1 if self._shown else 1
            self._shown = ShownFrame(count, frame, numbers, size)
            self._news.notify_all()

    def newest(self) -> ShownFrame | None:
        """The newest; None before the first."""
        return self._shown

    def after(self, count: int, timeout: float) -> ShownFrame | None:
        """The newest beyond `count`, waited for so many seconds; None if there is none, or never will be."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._count() > count, timeout)
            return self._shown if self._count() > count else None

    @property
    def closed(self) -> bool:
        """Whether there will be no more."""
        return self._closed

    def close(self) -> None:
        """There will be no more; who waits is told."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _count(self) -> int:
        return self._shown.count if self._shown else 0
