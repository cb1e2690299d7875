"""Files in place of a camera: a video, a picture, or a folder, replayed."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.orientation import framed
from digitlens.core.arrays import Pixels
from digitlens.core.errors import CameraError, CameraStalled, PictureError
from digitlens.core.frames import Frame
from digitlens.core.paths import as_text
from digitlens.images import pictures

RATE = 30.0
"""Rate if neither the caller nor the video has one, in frames a second."""
MAX_RATE = 1000.0
"""Highest plausible rate of a video, in frames a second; above it the file counts as having none."""


class ReplayDriver:
    """Replays files; takes every spec for a path."""

    automatic = None
    is_replay = True

    def matches(self, spec: str) -> bool:
        """True: a path that does not exist is an error of `open`."""
        return True

    def open(self, spec: str, options: CameraOptions) -> "Replay":
        """Open the files of a path.

        Raises:
            CameraError: there are none.
        """
        return Replay(
            Path(spec),
            rate=options.rate,
            rotation=options.rotation,
            flip=options.flip,
            color=options.color,
            repeat=options.repeat,
            hold=options.hold,
        )


DRIVER = ReplayDriver()


class Replay:
    """A camera of files; see open_camera for the arguments.

    Frames come due at their rate, as a camera's do: a late caller gets the newest, the others are dropped.
    After an error the next call continues after the file that caused it.
    """

    preview = None

    def __init__(
        self,
        path: Path,
        *,
        rate: float | None = None,
        rotation: int = 0,
        flip: str = "",
        color: bool = True,
        repeat: int = 1,
        hold: int = 1,
    ) -> None:
        self.name = as_text(path)
        self.dropped = 0
        self._rotation, self._flip, self._color, self._hold = rotation, flip, color, hold
        try:
            self._files = pictures.expand(path)
        except PictureError as error:
            raise CameraError(str(error)) from error
        self._own = next((_rate(file) for file in self._files if pictures.is_video(file)), RATE)
        self._rate = self._own if rate is None else rate
        passes = itertools.count() if repeat == 0 else range(repeat)
        self._paths: Iterator[Path] = (file for _ in passes for file in self._files)
        self._pictures: Iterator[Pixels] = iter(())
        self._still: Pixels | None = None
        self._index = 0
        self._started: float | None = None

    def newest(self, timeout: float) -> Frame | None:
        """See Camera.newest."""
        now = time.monotonic()
        if self._started is None:  # the first frame is due when it is first asked for
            self._started = now
        if self._rate:
            wait = self._started + self._index / self._rate - now
            if wait > timeout:
                time.sleep(timeout)
                raise CameraStalled(f"{self.name}: the next frame is due in {wait - timeout:.1f} s")
            time.sleep(max(0.0, wait))
            for _ in range(int(-wait * self._rate)):
                if self._next() is None:
                    return None
                self.dropped += 1
        pixels = self._next()
        if pixels is None:
            return None
        own = (self._index - 1) / (self._rate or self._own)
        taken = self._started + own if self._rate else time.monotonic()
        return framed(pixels, own, taken, rotation=self._rotation, flip=self._flip, color=self._color)

    def close(self) -> None:
        """Close the file; there are no frames after."""
        self._pictures, self._paths = iter(()), iter(())

    def _next(self) -> Pixels | None:
        self._index += 1
        try:
            while True:
                for pixels in self._pictures:
                    return pixels
                path = next(self._paths, None)
                if path is None:
                    return None
                self._pictures = self._play(path)
        except PictureError as error:
            raise CameraError(str(error)) from error

    def _play(self, path: Path) -> Iterator[Pixels]:
        if pictures.is_video(path):
            yield from (picture.pixels for picture in pictures.load(path, self._color))
            return
        pixels = self._still
        if pixels is None:
            (picture,) = pictures.load(path, self._color)
            pixels = picture.pixels
            if len(self._files) == 1:  # shown many times, and decoded once
                self._still = pixels
        yield from itertools.repeat(pixels, self._hold)


def _rate(path: Path) -> float:
    rate = pictures.rate(path)
    return rate if 0 < rate <= MAX_RATE else RATE
