"""USB cameras, by OpenCV's V4L2."""

import os
from pathlib import Path
from time import monotonic, time

import cv2
import numpy as np

from digitlens.cameras.newest import Newest
from digitlens.cameras.orientation import framed
from digitlens.core.errors import CameraError
from digitlens.core.frames import Frame

MOST = 64
"""Numbers of /dev/videoN that the search for a camera goes through."""
FIRST = 4.0
"""Seconds that a camera has for its first frame; OpenCV itself would wait for ten."""


def open_usb(
    spec: str, *, rate: float | None, rotation: int, flip: str, size: tuple[int, int], color: bool
) -> Newest:
    """`usb:N` -> that camera; `auto` -> the first that gives frames.

    Raises:
        CameraError: there is none, it is busy, or it may not be opened.
    """
    if spec == "auto":
        numbers = _there()
        if not numbers:
            raise CameraError("no camera found (no /dev/video*): plug one in, or name a file with --camera")
    else:
        text = spec.removeprefix("usb:")
        if not text.isdecimal():
            raise CameraError(f"{spec}: take usb:N with the N of /dev/videoN")
        numbers = [int(text)]
    reasons = []
    for number in numbers:
        try:
            capture = _open(number, rate, size)
            source = Source(f"usb:{number}", capture, Path(f"/dev/video{number}"), rotation, flip, color)
            camera = Newest(source.name, source.grab, capture.release)
            try:
                camera.ready(FIRST)
            except CameraError as error:  # busy shows here with many drivers
                camera.close(0)
                raise CameraError(f"{error}: end the program that has it, or plug it in anew") from error
        except CameraError as error:  # a Pi has many /dev/video* that are no cameras
            reasons.append(error)
            continue
        return camera
    raise (
        reasons[0]
        if len(reasons) == 1
        else CameraError(f"none of {len(reasons)} /dev/video* gives frames; the first: {reasons[0]}")
    )


class Source:
    """Takes the frames out of an open cv2.VideoCapture; `device` is looked at when no more come."""

    def __init__(
        self, name: str, capture: cv2.VideoCapture, device: Path, rotation: int, flip: str, color: bool
    ) -> None:
        self.name = name
        self._capture = capture
        self._device = device
        self._rotation, self._flip, self._color = rotation, flip, color

    def grab(self) -> Frame | None:
        """The next frame; None for one that is no picture.

        Raises:
            CameraError: there are no more.
        """
        some, pixels = self._capture.read()
        now, taken = time(), monotonic()
        if not some:
            gone = not self._device.exists()
            raise CameraError(f"{self.name}: {'unplugged' if gone else 'gives no more frames'}")
        if pixels is None or pixels.size == 0 or (pixels.ndim == 3 and pixels.shape[2] != 3):
            return None
        return framed(
            pixels.astype(np.uint8, copy=False),
            now,
            taken,
            rotation=self._rotation,
            flip=self._flip,
            color=self._color,
        )


def _there() -> list[int]:
    return [number for number in range(MOST) if Path(f"/dev/video{number}").exists()]


def _open(number: int, rate: float | None, size: tuple[int, int]) -> cv2.VideoCapture:
    device = Path(f"/dev/video{number}")
    if not device.exists():
        others = ", ".join(f"usb:{other}" for other in _there())
        raise CameraError(
            f"usb:{number}: no such camera ({device}); {f'there are {others}' if others else 'plug it in'}"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise CameraError(f"usb:{number}: {device} may not be opened: add the user to the group video")
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise CameraError(f"usb:{number}: busy, or no camera ({device}): end the program that has it")
    # MJPG before the size: uncompressed, USB 2 carries 1280 x 720 at 10 frames a second only.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
    if rate:
        capture.set(cv2.CAP_PROP_FPS, rate)
    return capture
