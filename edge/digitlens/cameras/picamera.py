"""The Pi's own camera, by picamera2, which comes from apt and is imported when a camera is opened."""

import importlib
import logging
import os
import threading
import time
from functools import partial
from types import ModuleType
from typing import Any

from digitlens.cameras.orientation import turned
from digitlens.cameras.picamera_buffers import Lender
from digitlens.cameras.picamera_preview import Preview
from digitlens.cameras.picamera_streams import Stream
from digitlens.cameras.time_limit import within
from digitlens.core.arrays import Pixels
from digitlens.core.errors import CameraError, CameraStalled
from digitlens.core.frames import Frame

OPEN = 10.0
"""Seconds that libcamera has to open and start a camera."""
FIRST = 4.0
"""Seconds that the camera has for its first frame."""
CLOSE = 3.0
"""Seconds that libcamera has to close it; then it is left alone."""
BUFFERS = 6
"""Two lent to us, one waiting for us, one on the preview's screen, two for the camera to fill."""
RATE = 30.0
"""Frames a second, at the most: more would be dropped, and each costs light."""
DARKEST = 83_333
"""Microseconds of a frame in the dark, at the most: twelve a second."""
OLDEST = 10.0
"""Seconds: a frame that says it is older tells its time by another clock."""

PAPER = {
    "AfMode": 2,  # continuous: the sheet comes nearer and goes
    "AfRange": 2,  # full: the normal range ends before a sheet that is held close, macro before a table's
    "AeEnable": True,
    "AeExposureMode": 1,  # short: a sheet is held by a hand, and noise does less harm than a blur
    "AeConstraintMode": 1,  # highlights: with paper that is burnt out go the pale strokes on it
}
"""libcamera's controls, set where the camera has them; the numbers are those of its enumerations."""


def open_picamera(
    *, rate: float | None, rotation: int, flip: str, size: tuple[int, int], color: bool
) -> "Picamera":
    """Open the Pi's camera and wait for its first frame; see open_camera for the arguments.

    Raises:
        CameraError: picamera2 is not there, or sees no camera, or the camera is busy, or gives no frames.
    """
    library = _library()
    make = partial(Picamera, library, rate=rate, rotation=rotation, flip=flip, size=size, color=color)
    try:
        camera = within(OPEN, f"does not open ({OPEN:.0f} s)", make, late=Picamera.close)
    except CameraError as error:
        raise CameraError(f"picamera: {error}") from error
    except Exception as error:  # libcamera raises whatever its binding makes of an errno
        raise CameraError(f"picamera: {_why(error)}") from error
    try:
        camera.ready(FIRST)
    except CameraStalled as error:
        camera.close()
        raise CameraError(f"{error}: look at its cable, and at rpicam-hello") from error
    return camera


class Picamera:
    """An open Pi camera, configured once; picamera2's own thread hands each frame to `_arrived`.

    `gray` of a frame is the Y plane in the camera's own buffer, see Lender. Where `color` is asked there are
    two streams, main for the screen and lores for the reader; else the one is enough. While `preview` shows
    the pictures, `image` is the gray one, so that the colored one never passes through Python.
    """

    name = "picamera"

    def __init__(
        self,
        library: ModuleType,
        *,
        rate: float | None,
        rotation: int,
        flip: str,
        size: tuple[int, int],
        color: bool,
    ) -> None:
        self.dropped = 0
        self._library = library
        self._lender = Lender()
        self._news = threading.Condition()
        self._waiting: Any = None  # the newest request, which nobody has taken yet
        self._last = time.monotonic()
        self._closed = False
        self._device = device = library.Picamera2()
        try:
            straight = rotation in (0, 180)
            mirror = (
                straight and (rotation == 180) != (flip in ("horizontal", "both")),
                straight and (rotation == 180) != (flip in ("vertical", "both")),
            )
            self._turn = (0, "") if straight else (rotation, flip)
            self._configure(mirror, rate, size, color)
            told = device.camera_configuration()
            # What the camera does not mirror, though it was asked to, is left to us.
            left = (mirror[0] != bool(told["transform"].hflip), mirror[1] != bool(told["transform"].vflip))
            self._mend = {(0, 0): "", (1, 0): "horizontal", (0, 1): "vertical", (1, 1): "both"}[left]
            self._gray = Stream.told("lores" if color else "main", told)
            self._color = Stream.told("main", told) if color else None
            # Set before the start: no frame is to pass by.
            device.pre_callback = self._arrived
            device.start()
        except BaseException:
            device.close()
            raise
        why = "" if self._color is not None else "its pictures are not asked for"
        if self._turn != (0, "") or self._mend:
            why = f"it cannot turn the picture as rotation {rotation}, flip {flip!r} has it"
        self.preview = Preview(library, device, (self._color or self._gray).size, why)
        model = device.camera_properties.get("Model", "unknown")
        self.about = f"{model}, {self._gray.size[0]} x {self._gray.size[1]} {self._gray.format}"

    def newest(self, timeout: float) -> Frame:
        """See Camera.newest."""
        until = time.monotonic() + timeout
        while True:
            request = self._next(until - time.monotonic())
            try:
                frame = self._frame(request)
            except Exception as error:  # whatever the library raises of a frame, the camera is of no use
                raise CameraError(f"{self.name}: {error}") from error
            if frame is not None:
                return frame
            self.dropped += 1

    def ready(self, timeout: float) -> None:
        """Wait for a frame and leave it there; raises as `newest` does."""
        with self._news:
            self._wait(timeout)

    def close(self) -> None:
        """Give the camera back; one that hangs is left alone. Frames that are still held stay readable."""
        with self._news:
            if self._closed:
                return
            self._closed = True
            request, self._waiting = self._waiting, None
        self._device.pre_callback = None
        self.preview.shown = False  # it ends with the camera: nothing can be laid over it any more
        if request is not None:
            request.release()
        self._lender.collect()
        try:
            within(CLOSE, "picamera: does not close", self._device.close)
        except Exception as error:  # it is given up either way
            logging.getLogger(__name__).debug("%s", error)

    def _configure(
        self, mirror: tuple[bool, bool], rate: float | None, size: tuple[int, int], color: bool
    ) -> None:
        device = self._device
        shortest = round(1e6 / (rate or RATE))
        wanted = PAPER | {"FrameDurationLimits": (shortest, max(shortest, DARKEST))}
        has = device.camera_controls
        stream = {"format": "YUV420", "size": size}
        transform = importlib.import_module("libcamera").Transform
        device.configure(
            device.create_preview_configuration(
                main=stream,
                lores=dict(stream) if color else None,
                transform=transform(hflip=mirror[0], vflip=mirror[1]),
                buffer_count=BUFFERS,
                queue=False,  # we keep the newest ourselves
                controls={name: value for name, value in wanted.items() if _takes(has.get(name), value)},
            )
        )

    def _arrived(self, request: Any) -> None:
        """The newest frame, in the thread of the library, which holds locks of its own and must not wait."""
        request.acquire()
        with self._news:
            if self._closed:
                before = request
            else:
                before, self._waiting = self._waiting, request
                self._last = time.monotonic()
                self.dropped += before is not None
                self._news.notify()
        if before is not None:
            before.release()

    def _next(self, timeout: float) -> Any:
        self._lender.collect()
        with self._news:
            self._wait(timeout)
            request, self._waiting = self._waiting, None
            return request

    def _wait(self, timeout: float) -> None:
        self._news.wait_for(lambda: self._waiting is not None or self._closed, max(0.0, timeout))
        if self._closed:
            raise CameraError(f"{self.name}: closed")
        if self._waiting is None:
            raise CameraStalled(f"{self.name}: no frame for {time.monotonic() - self._last:.1f} s")

    def _frame(self, request: Any) -> Frame | None:
        """The frame of a request, which goes back to the camera when its gray picture is gone."""
        image = None
        try:
            now, taken = _times(request.get_metadata().get("SensorTimestamp"))
            if self._color is not None and not self.preview.shown:
                with self._library.MappedArray(request, "main", reshape=False, write=False) as mapped:
                    image = self._color.color(mapped.array)
                if image is None:
                    request.release()
                    return None
                image = self._turned(image)
        except BaseException:
            request.release()
            raise
        mapped = self._library.MappedArray(request, self._gray.name, reshape=False, write=False)
        gray = self._gray.gray(self._lender.lend(mapped, request.release))
        if gray is None:
            return None
        gray = self._turned(gray)
        return Frame(gray if image is None else image, gray, now, taken)

    def _turned(self, pixels: Pixels) -> Pixels:
        return turned(turned(pixels, 0, self._mend), *self._turn)


def _library() -> ModuleType:
    """picamera2, if it is there and sees a camera of the Pi; quiet, for the user gets our line."""
    if os.environ.get("DIGITLENS_DEBUG") != "1":
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")
        log = logging.getLogger("picamera2")
        if not log.handlers:  # without one, Python itself writes its warnings
            log.addHandler(logging.NullHandler())
    try:
        library = importlib.import_module("picamera2")
    except ModuleNotFoundError as error:
        raise CameraError(
            f"picamera: {error.name} is not installed: sudo apt install python3-picamera2, "
            "and make the environment with --system-site-packages"
        ) from error
    except Exception as error:  # a NumPy that its parts were not built for raises ValueError
        raise CameraError(f"picamera: picamera2 cannot be imported ({_first_line(error)})") from error
    try:
        seen = library.Picamera2.global_camera_info()
    except Exception as error:
        raise CameraError(f"picamera: libcamera does not start ({_first_line(error)})") from error
    # It lists USB cameras too, behind its own; they are better opened as what they are.
    if not seen or "usb" in str(seen[0].get("Id", "")).lower():
        raise CameraError(
            "picamera: no camera is seen: look at its cable, and at rpicam-hello --list-cameras"
        )
    return library


def _takes(limits: Any, value: Any) -> bool:
    """Whether a control is there and its limits (least, most, default) have the value."""
    if limits is None:
        return False
    least, most = limits[:2]
    if isinstance(value, tuple):
        return bool(least < most)  # of a rate that cannot be chosen they are the same
    return bool(least <= value <= most)


def _times(stamp: int | None) -> tuple[float, float]:
    """A frame's seconds since 1970 and of time.monotonic(), of its SensorTimestamp in nanoseconds."""
    # Since the system's start, with its sleep or without: the drivers do not agree. A Pi does not sleep.
    clocks = (time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))
    ages = [clock - stamp / 1e9 for clock in clocks] if stamp else []
    age = next((age for age in ages if 0 <= age < OLDEST), 0.0)
    return time.time() - age, clocks[0] - age


def _why(error: BaseException) -> str:
    """What to do about an error of the library's; the cause is below what it says itself."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = _first_line(error)
    if "busy" in said.lower() or "in use" in said.lower():
        return f"busy ({said}): end the program that has it"
    if "dma" in said.lower() or isinstance(error, PermissionError):
        return f"may not be opened ({said}): add the user to the groups video and render"
    return f"cannot be opened ({said})"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
