"""The newest frame as a JPEG with its numbers; encoded once, and only on demand."""

import threading
from time import monotonic
from typing import Any

import cv2
import msgspec

from digitlens.core.arrays import Pixels
from digitlens.core.frames import Frame
from digitlens.core.tracking import Tracked
from digitlens.live.latest import LatestFrame, ShownFrame

QUALITY = 80
"""Quality of the JPEG, of 100."""
MAX_SIDE = 1280
"""Longer side of an encoded picture at the most, pixels; larger frames are scaled down."""
FRAME_TIMEOUT = 1.0
"""Time to wait for a new frame, seconds."""


class EncodedFrame(msgspec.Struct, frozen=True):
    """A frame's JPEG, and the numbers on it; their boxes are in pixels of a picture of `size`."""

    count: int
    jpeg: bytes
    time: float
    taken: float
    size: tuple[int, int]
    numbers: tuple[Tracked, ...]

    def message(self) -> bytes:
        """The WebSocket message: the length of the JSON (4 bytes, big-endian), the JSON, the JPEG."""
        header = msgspec.json.encode(
            {
                "count": self.count,
                "time": self.time,
                "age": round(max(0.0, monotonic() - self.taken), 3),
                "size": self.size,
                "numbers": [number_json(number) for number in self.numbers],
            }
        )
        return b"".join((len(header).to_bytes(4, "big"), header, self.jpeg))


class FrameEncoder:
    """Encodes the newest frames; may be called from several threads, and blocks.

    Args:
        rate: frames to encode at the most, per second, whatever the number of clients.
    """

    def __init__(self, latest: LatestFrame, rate: float) -> None:
        self._latest, self._interval = latest, 1 / rate
        self._lock = threading.Lock()
        self._last: EncodedFrame | None = None
        self._encoded_at = 0.0
        self.encoded = 0

    def after(self, count: int) -> EncodedFrame | None:
        """The newest frame beyond `count`; None if none comes within FRAME_TIMEOUT."""
        shown = self._latest.after(count, FRAME_TIMEOUT)
        return None if shown is None else self._encode(shown)

    def newest(self) -> EncodedFrame | None:
        """A frame at most 1 / rate seconds older than the newest; None before the first."""
        last = self._last
        if last is not None and monotonic() - self._encoded_at < self._interval:
            return last
        shown = self._latest.newest()
        return None if shown is None else self._encode(shown)

    def clear(self) -> None:
        """Free the last encoded frame: no client is connected."""
        self._last = None

    def _encode(self, shown: ShownFrame) -> EncodedFrame:
        with self._lock:
            last = self._last
            if last is not None and last.count >= shown.count:
                return last
            self._last = encoded = EncodedFrame(
                shown.count,
                _jpeg(shown.frame),
                shown.frame.time,
                shown.frame.taken,
                shown.size,
                shown.numbers,
            )
            self._encoded_at = monotonic()
            self.encoded += 1
            return encoded


def number_json(number: Tracked) -> dict[str, Any]:
    """A number of the JSON reading, with its track's `id`, `steady` and `age` (frames)."""
    found: dict[str, Any] = {
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
    if number.number.printed:
        found["printed"] = True
    return found


def _jpeg(frame: Frame) -> bytes:
    image: Pixels = frame.image
    height, width = image.shape[:2]
    if (longer := max(width, height)) > MAX_SIDE:
        size = max(1, round(width * MAX_SIDE / longer)), max(1, round(height * MAX_SIDE / longer))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(image.dtype, copy=False)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
