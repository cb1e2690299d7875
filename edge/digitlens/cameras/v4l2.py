"""USB cameras, by OpenCV's V4L2."""

import os
from pathlib import Path
from time import monotonic, time

import cv2
import numpy as np

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.newest import Newest
from digitlens.cameras.orientation import framed
from digitlens.core.errors import CameraError
from digitlens.core.frames import Frame

MAX_DEVICES = 64
"""Numbers of /dev/videoN that the search for a camera tries, a count."""


class UsbDriver:
    """Opens USB cameras: `usb:N`, or `auto` for the first that gives frames.

    Args:
        devices: the folder of the devices video0, video1 ...
        first_frame: seconds that a camera has for its first frame; OpenCV itself would wait for ten.
    """

    automatic = 1
    is_replay = False

    def __init__(self, devices: Path = Path("/dev"), first_frame: float = 4.0) -> None:
        self._devices, self._first_frame = devices, first_frame

    def matches(self, spec: str) -> bool:
        """Whether `spec` is usb:N."""
        return spec.startswith("usb:")

    def open(self, spec: str, options: CameraOptions) -> Newest:
        """Open the camera.

        Raises:
            CameraError: there is none, it is busy, or it may not be opened.
        """
        if spec == "auto":
            numbers = self._numbers()
            if not numbers:
                raise CameraError(
                    "no camera found (no /dev/video*): plug one in, or name a file with --camera"
                )
        else:
            text = spec.removeprefix("usb:")
            if not text.isdecimal():
                raise CameraError(f"{spec}: take usb:N with the N of /dev/videoN")
            numbers = [int(text)]
        reasons = []
        for number in numbers:
            try:
                return self._camera(number, options)
            except CameraError as error:  # a Pi has many /dev/video* that are no cameras
                reasons.append(error)
        if len(reasons) == 1:
            raise reasons[0]
        raise CameraError(f"none of {len(reasons)} /dev/video* gives frames; the first: {reasons[0]}")

    def _camera(self, number: int, options: CameraOptions) -> Newest:
        device = self._device(number)
        capture = self._capture(number, device, options)
        source = Source(f"usb:{number}", capture, device, options.rotation, options.flip, options.color)
        camera = Newest(source.name, source.grab, capture.release)
        try:
            camera.ready(self._first_frame)
        except CameraError as error:  # many drivers report only here that the camera is busy
            camera.close(0)
            raise CameraError(f"{error}: end the program that has it, or plug it in anew") from error
        return camera

    def _capture(self, number: int, device: Path, options: CameraOptions) -> cv2.VideoCapture:
        if not device.exists():
            others = ", ".join(f"usb:{other}" for other in self._numbers())
            hint = f"there are {others}" if others else "plug it in"
            raise CameraError(f"usb:{number}: no such camera ({device}); {hint}")
        if not os.access(device, os.R_OK | os.W_OK):
            raise CameraError(f"usb:{number}: {device} may not be opened: add the user to the group video")
        capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise CameraError(f"usb:{number}: busy, or no camera ({device}): end the program that has it")
        # MJPG before the size: uncompressed, USB 2 carries 1280 x 720 at 10 frames a second only.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.size[1])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
        if options.rate:
            capture.set(cv2.CAP_PROP_FPS, options.rate)
        return capture

    def _numbers(self) -> list[int]:
        return [number for number in range(MAX_DEVICES) if self._device(number).exists()]

    def _device(self, number: int) -> Path:
        return self._devices / f"video{number}"


DRIVER = UsbDriver()


class Source:
    """Takes the frames out of an open cv2.VideoCapture; a missing `device` means that it was unplugged."""

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
        success, pixels = self._capture.read()
        now, taken = time(), monotonic()
        if not success:
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
