"""The newest frame as a JPEG with the numbers that stand on it; encoded once, and only when someone asks."""

import threading
from time import monotonic
from typing import Any

import cv2
import msgspec

from digitlens.core.frames import Frame
from digitlens.core.tracking import Tracked
from digitlens.images.pictures import Pixels
from digitlens.live.latest import LatestFrame, ShownFrame

QUALITY = 80
LARGEST = 1280
"""Pixels of the longer side; a larger picture is reduced."""
WAIT = 1.0
"""Seconds in which a frame must come."""


class EncodedFrame(msgspec.Struct, frozen=True):
    """A frame's JPEG, and the numbers on it; their boxes are in pixels of a picture of `size`."""

    count: int
    jpeg: bytes
    time: float
    taken: float
    size: tuple[int, int]
    numbers: tuple[Tracked, ...]

    def message(self) -> bytes:
        """For a viewer: the length of the JSON in four bytes, big-endian; the JSON; the JPEG."""
        said = msgspec.json.encode(
            {
                "count": self.count,
                "time": self.time,
                "age": round(max(0.0, monotonic() - self.taken), 3),
                "size": self.size,
                "numbers": [flat(number) for number in self.numbers],
            }
        )
        return b"".join((len(said).to_bytes(4, "big"), said, self.jpeg))


class FrameEncoder:
    """Makes pictures of the newest frames; may be called from several threads, and waits.

    Args:
        rate: pictures a second at the most, however many ask.
    """

    def __init__(self, latest: LatestFrame, rate: float) -> None:
        self._latest, self._interval = latest, 1 / rate
        self._lock = threading.Lock()
        self._last: EncodedFrame | None = None
        self._made = 0.0
        self.encoded = 0

    def after(self, count: int) -> EncodedFrame | None:
        """The newest beyond `count`; None if none comes in WAIT seconds."""
        shown = self._latest.after(count, WAIT)
        return None if shown is None else self._encode(shown)

    def newest(self) -> EncodedFrame | None:
        """One that is hardly older than the newest frame; None before the first."""
        last = self._last
        if last is not None and monotonic() - self._made < self._interval:
            return last
        shown = self._latest.newest()
        return None if shown is None else self._encode(shown)

    def forget(self) -> None:
        """Let go of the last one: nobody looks."""
        self._last = None

    def _encode(self, shown: ShownFrame) -> EncodedFrame:
        with self._lock:
            last = self._last
            if last is not None and last.count >= shown.count:
                return last
            self._last = made = EncodedFrame(
                shown.count,
                _jpeg(shown.frame),
                shown.frame.time,
                shown.frame.taken,
                shown.size,
                shown.numbers,
            )
            self._made = monotonic()
            self.encoded += 1
            return made


def flat(number: Tracked) -> dict[str, Any]:
    """A number of the JSON reading, with what the tracker knows of it."""
    return {
        "text": number.number.text,
        "confidence": round(number.number.confidence, 4),
        "box": number.number.box,
        "digits": [
            {"value": digit.value, "confidence": round(digit.confidence, 4), "box": digit.box}
            for digit in number.number.digits
        ],
        "id": number.id,
        "steady": number.steady,
        "age": number.age,
    }


def _jpeg(frame: Frame) -> bytes:
    image: Pixels = frame.image
    height, width = image.shape[:2]
    if (longer := max(width, height)) > LARGEST:
        size = max(1, round(width * LARGEST / longer)), max(1, round(height * LARGEST / longer))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(image.dtype, copy=False)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
