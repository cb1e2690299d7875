"""Where frames come from; each kind of camera in a module of its own, imported when it is opened."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.errors import CameraError
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.core.stderr import quiet

Pixels = npt.NDArray[np.uint8]

ROTATIONS = {
    0: None,
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""Degrees clockwise -> OpenCV's name for it."""
FLIPS = {"": None, "horizontal": 1, "vertical": 0, "both": -1}


class Camera(Protocol):
    """Gives its newest frame; `dropped` counts those that nobody took in time or that were unusable."""

    @property
    def name(self) -> str:
        """How a person calls it: `usb:0`, a path."""

    @property
    def dropped(self) -> int:
        """Frames that were never handed out."""

    @property
    def preview(self) -> Preview | None:
        """Its own way onto the screen, if it has one; while that is taken, `image` is gray."""

    def newest(self, timeout: float) -> Frame | None:
        """The newest frame not yet handed out, waited for `timeout` seconds; None: the replay has ended.

        Raises:
            CameraStalled: no new frame came in that time.
            CameraError: the camera is gone.
        """

    def close(self) -> None:
        """Give the camera back; again and again does nothing more."""


def is_replay(spec: str) -> bool:
    """Whether `spec` (see open_camera) is a path."""
    return spec not in ("auto", "picamera") and not spec.startswith("usb:")


def open_camera(
    spec: str = "auto",
    *,
    rate: float | None = None,
    rotation: int = 0,
    flip: str = "",
    size: tuple[int, int] = (1280, 720),
    color: bool = True,
    repeat: int = 1,
    hold: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> Camera:
    """Open the camera that `spec` names.

    Args:
        spec: `picamera` is the Pi's own camera; `usb:N` is /dev/videoN; `auto` takes the first of all those
            that opens, in this order; anything else is the path of a video, a picture, or a folder of them,
            which are replayed.
        rate: frames a second; None is the video's own, or 30; 0 replays as fast as frames are taken.
        rotation: 0, 90, 180 or 270 degrees clockwise.
        flip: "", "horizontal", "vertical" or "both"; done after the rotation.
        size: width and height asked of a camera; it may give another.
        color: False leaves `image` gray, which costs less.
        repeat: how many times a replay is played; 0 is without end.
        hold: for how many frames a replay shows each picture.
        say: is handed the line that tells which camera `auto` took and why.

    Raises:
        CameraError: there is none, it is busy, or it cannot be read.
    """
    if rotation not in ROTATIONS or flip not in FLIPS:
        raise CameraError(
            f"rotation {rotation}, flip {flip!r}: take a rotation of {', '.join(map(str, ROTATIONS))} and a "
            f"flip of {', '.join(filter(None, FLIPS))}"
        )
    device = partial(_device, rate=rate, rotation=rotation, flip=flip, size=size, color=color)
    if spec == "auto":
        return _best(device, say)
    if spec == "picamera" or spec.startswith("usb:"):
        return device(spec)
    from digitlens.cameras import files

    return files.Replay(
        Path(spec), rate=rate, rotation=rotation, flip=flip, color=color, repeat=repeat, hold=hold
    )


def _best(device: Callable[[str], Camera], say: Callable[[str], None]) -> Camera:
    """The Pi's own camera, or else the first USB camera."""
    try:
        camera = device("picamera")
    except CameraError as error:
        try:
            camera = device("auto")
        except CameraError as other:
            raise CameraError(f"{other}; {error}") from other
        why = f"no {error}"
    else:
        why = "the best there is"
    about = f" ({camera.about})" if hasattr(camera, "about") else ""
    say(f"camera {camera.name}{about}; {why}")
    return camera


def _device(
    spec: str, *, rate: float | None, rotation: int, flip: str, size: tuple[int, int], color: bool
) -> Camera:
    """A real camera; what its driver writes by itself does not reach the terminal."""
    with quiet():
        if spec == "picamera":
            from digitlens.cameras import picamera

            return picamera.open_picamera(rate=rate, rotation=rotation, flip=flip, size=size, color=color)
        from digitlens.cameras import v4l2

        return v4l2.open_usb(spec, rate=rate, rotation=rotation, flip=flip, size=size, color=color)


def turned(pixels: Pixels, rotation: int, flip: str) -> Pixels:
    """(H, W) or (H, W, 3) as `rotation` (a key of ROTATIONS) and then `flip` (of FLIPS) have it."""
    turn, mirror = ROTATIONS[rotation], FLIPS[flip]
    if turn is not None:
        pixels = cv2.rotate(pixels, turn).astype(np.uint8, copy=False)
    if mirror is not None:
        pixels = cv2.flip(pixels, mirror).astype(np.uint8, copy=False)
    return pixels


def framed(pixels: Pixels, time: float, taken: float, *, rotation: int, flip: str, color: bool) -> Frame:
    """The frame of a camera that gives one picture for both, (H, W) gray or (H, W, 3) BGR."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    gray = turned(gray.astype(np.uint8, copy=False), rotation, flip)
    image = turned(pixels, rotation, flip) if color and pixels.ndim == 3 else gray
    return Frame(image, gray, time, taken)
