"""Where frames come from; each kind of camera in a module of its own, imported when it is opened."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitlens.cameras.base import Camera
from digitlens.cameras.orientation import FLIPS, ROTATIONS
from digitlens.core.errors import CameraError
from digitlens.core.stderr import quiet

Pixels = npt.NDArray[np.uint8]


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
    from digitlens.cameras import replay

    return replay.Replay(
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
