"""The Pi's own camera, by picamera2, which comes from apt and is imported when a camera is opened."""

import importlib
import logging
import os
import threading
import time
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.orientation import oriented
from digitlens.cameras.picamera_buffers import Lender
from digitlens.cameras.picamera_preview import Preview
from digitlens.cameras.picamera_streams import Stream
from digitlens.cameras.time_limit import within
from digitlens.core.arrays import Pixels
from digitlens.core.errors import CameraError, CameraStalled, first_line
from digitlens.core.frames import Frame

BUFFERS = 6
"""Buffers of a stream, a count: two lent, one waiting, one on the preview's screen, two to be filled."""
RATE = 30.0
"""Highest rate, in frames a second: more would be dropped, and each costs light."""
LONGEST_EXPOSURE = 83_333
"""Longest time of a frame, reached in the dark, in microseconds: twelve a second."""
MAX_AGE = 10.0
"""Highest plausible age of a frame, in seconds: beyond it, the frame's time is by another clock."""

PAPER = {
    "AfMode": 2,  # continuous: the sheet comes nearer and goes
    "AfRange": 2,  # full: normal ends before a sheet that is held close, macro before one on a table
    "AeEnable": True,
    "AeExposureMode": 1,  # short: a sheet is held by a hand, and noise does less harm than a blur
    "AeConstraintMode": 1,  # highlights: paper that is burnt out takes its pale strokes with it
}
"""libcamera's controls, set where the camera has them; the numbers are those of its enumerations."""


@dataclass(frozen=True)
class PicameraTimes:
    """Limits on the time that libcamera takes, all in seconds."""

    open: float = 10.0
    """Time to open and start a camera, in seconds."""
    first_frame: float = 4.0
    """Time for the first frame, in seconds."""
    close: float = 3.0
    """Time to close it, in seconds; then it is abandoned."""


class PicameraDriver:
    """Opens the Pi's camera: `picamera`."""

    automatic = 0
    is_replay = False

    def __init__(self, times: PicameraTimes | None = None) -> None:
        self._times = times or PicameraTimes()

    def matches(self, spec: str) -> bool:
        """Whether `spec` is picamera."""
        return spec == "picamera"

    def open(self, spec: str, options: CameraOptions) -> "Picamera":
        """Open the camera and wait for its first frame.

        Raises:
            CameraError: picamera2 is missing, or sees no camera, or the camera is busy, or gives no frames.
        """
        times = self._times
        make = partial(Picamera, _library(), options, times.close)
        try:
            camera = within(times.open, f"does not open ({times.open:.0f} s)", make, late=Picamera.close)
        except CameraError as error:
            raise CameraError(f"picamera: {error}") from error
        except Exception as error:  # libcamera raises whatever its binding makes of an errno
            raise CameraError(f"picamera: {_why(error)}") from error
        try:
            camera.ready(times.first_frame)
        except CameraStalled as error:
            camera.close()
            raise CameraError(f"{error}: look at its cable, and at rpicam-hello") from error
        return camera


DRIVER = PicameraDriver()


class Picamera:
    """An open Pi camera, configured once; picamera2's own thread hands each frame to `_arrived`.

    `gray` of a frame is the Y plane in the camera's own buffer, see Lender. With `color` there are two
    streams, main for the screen and lores for the reader; without it one is enough. While `preview` shows
    the pictures, `image` is the gray one, so that the colored one never passes through Python.
    """

    name = "picamera"

    def __init__(self, library: ModuleType, options: CameraOptions, close_time: float) -> None:
        self.dropped = 0
        self._library = library
        self._close_time = close_time
        rotation, flip = options.rotation, options.flip
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
            self._orientation = (0, "") if straight else (rotation, flip)
            self._configure(mirror, options)
            actual = device.camera_configuration()
            done = actual["transform"]
            # Some cameras do not mirror, though they were asked to.
            missing = (mirror[0] != bool(done.hflip), mirror[1] != bool(done.vflip))
            self._flip = {(0, 0): "", (1, 0): "horizontal", (0, 1): "vertical", (1, 1): "both"}[missing]
            self._gray = Stream.configured("lores" if options.color else "main", actual)
            self._color = Stream.configured("main", actual) if options.color else None
            # Before the start, so that no frame is missed.
            device.pre_callback = self._arrived
            device.start()
        except BaseException:
            device.close()
            raise
        why = "" if self._color is not None else "its pictures are not asked for"
        if self._orientation != (0, "") or self._flip:
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
        """Give the camera back; one that hangs is abandoned. Frames that are still held stay readable."""
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
            within(self._close_time, "picamera: does not close", self._device.close)
        except Exception as error:  # it is abandoned in any case
            logging.getLogger(__name__).debug("%s", error)

    def _configure(self, mirror: tuple[bool, bool], options: CameraOptions) -> None:
        device = self._device
        shortest = round(1e6 / (options.rate or RATE))
        wanted = PAPER | {"FrameDurationLimits": (shortest, max(shortest, LONGEST_EXPOSURE))}
        has = device.camera_controls
        stream = {"format": "YUV420", "size": options.size}
        transform = importlib.import_module("libcamera").Transform
        device.configure(
            device.create_preview_configuration(
                main=stream,
                lores=dict(stream) if options.color else None,
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
                image = self._oriented(image)
        except BaseException:
            request.release()
            raise
        mapped = self._library.MappedArray(request, self._gray.name, reshape=False, write=False)
        gray = self._gray.gray(self._lender.lend(mapped, request.release))
        if gray is None:
            return None
        gray = self._oriented(gray)
        return Frame(gray if image is None else image, gray, now, taken)

    def _oriented(self, pixels: Pixels) -> Pixels:
        return oriented(oriented(pixels, 0, self._flip), *self._orientation)


def _library() -> ModuleType:
    """picamera2, if it is installed and sees a camera of the Pi; its own messages are suppressed."""
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
        raise CameraError(f"picamera: picamera2 cannot be imported ({first_line(error)})") from error
    try:
        seen = library.Picamera2.global_camera_info()
    except Exception as error:
        raise CameraError(f"picamera: libcamera does not start ({first_line(error)})") from error
    # It lists USB cameras, too, after its own; V4L2 serves them better.
    if not seen or "usb" in str(seen[0].get("Id", "")).lower():
        raise CameraError(
            "picamera: no camera is seen: look at its cable, and at rpicam-hello --list-cameras"
        )
    return library


def _takes(limits: Any, value: Any) -> bool:
    """Whether a control exists and its limits (least, most, default) admit the value."""
    if limits is None:
        return False
    least, most = limits[:2]
    if isinstance(value, tuple):
        return bool(least < most)  # of a rate that cannot be chosen they are the same
    return bool(least <= value <= most)


def _times(stamp: int | None) -> tuple[float, float]:
    """A frame's time since 1970 and in time.monotonic(), in seconds, from its SensorTimestamp in ns."""
    # Since the system's start, with or without its sleep: drivers differ. A Pi does not sleep.
    clocks = (time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))
    ages = [clock - stamp / 1e9 for clock in clocks] if stamp else []
    age = next((age for age in ages if 0 <= age < MAX_AGE), 0.0)
    return time.time() - age, clocks[0] - age


def _why(error: BaseException) -> str:
    """Advice on an error of the library, whose cause is more exact than the error itself."""
    while error.__cause__ is not None:
        error = error.__cause__
    message = first_line(error)
    if "busy" in message.lower() or "in use" in message.lower():
        return f"busy ({message}): end the program that has it"
    if "dma" in message.lower() or isinstance(error, PermissionError):
        return f"may not be opened ({message}): add the user to the groups video and render"
    return f"cannot be opened ({message})"
