"""Cameras in the network, by OpenCV's FFmpeg: rtsp://, and Motion JPEG or other video by http://."""

import os
from time import monotonic, sleep, time
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import cv2
import numpy as np

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.login import Login, read_login
from digitlens.cameras.network_probe import MISSING, PORTS, UNAUTHORIZED, ask
from digitlens.cameras.newest import Newest
from digitlens.cameras.orientation import framed
from digitlens.core.errors import CameraError
from digitlens.core.frames import Frame
from digitlens.images.video_limits import MOST_PIXELS, limit_ffmpeg

MOST_BAD = 100
"""Unusable frames one after the other after which a stream is given up, a count."""
PAUSES = (0.3, 1.0)
"""Seconds before a stream is asked for again that answers and gives no video: a camera that has just been
asked what it has may be taking that down."""


class NetworkDriver:
    """Opens network cameras: rtsp://, rtsps://, http:// and https:// addresses.

    Args:
        timeout: seconds for connecting, for each answer, and between two frames.
        first_frame: seconds that a camera has for its first frame.
    """

    automatic = None
    is_replay = False

    def __init__(self, timeout: float = 5.0, first_frame: float = 10.0) -> None:
        self._timeout, self._first_frame = timeout, first_frame

    def matches(self, spec: str) -> bool:
        """Whether `spec` is an address of one of these schemes."""
        return spec.split("://")[0].lower() in PORTS and "://" in spec

    def open(self, spec: str, options: CameraOptions) -> Newest:
        """Open the stream.

        Raises:
            CameraError: the address is none, nothing answers there, or it refuses or gives no video. No
                message has a password.
        """
        address, login = _address(spec, options.login)
        name = urlunsplit(address)
        try:
            status = ask(address, login, self._timeout)
        except CameraError as error:
            raise CameraError(f"{name}: {error}") from error
        if status in MISSING:
            raise CameraError(f"{name}: there is no such stream ({status}); look up its path in the camera")
        if status in UNAUTHORIZED and login is None:
            raise CameraError(
                f"{name}: asks for user and password ({status}): name a file that has them, USER:PASSWORD, "
                "with --camera-login, or [camera] login_file"
            )
        if status >= 400 and status not in UNAUTHORIZED:
            raise CameraError(f"{name}: answers with status {status}; look at the camera's own page")
        capture = self._capture(address, login)
        for pause in () if status in UNAUTHORIZED else PAUSES:
            if capture.isOpened():
                break
            sleep(pause)
            capture = self._capture(address, login)
        if not capture.isOpened():
            capture.release()
            # A camera may take the login in another way than was asked in: only FFmpeg's answer counts.
            why = (
                f"refuses the user and password in {options.login or 'the address'}"
                if status in UNAUTHORIZED
                else "answers, but gives no video"
            )
            raise CameraError(f"{name}: {why}")
        source = Source(name, capture, options)
        camera = Newest(name, source.grab, capture.release)
        try:
            camera.ready(self._first_frame)
        except CameraError as error:
            camera.close(0)
            raise CameraError(str(error)) from error
        return camera

    def _capture(self, address: SplitResult, login: Login | None) -> cv2.VideoCapture:
        # FFmpeg's lines would stand between ours; what matters of them is in our messages.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        if login is not None:
            user, password = quote(login.user, safe=""), quote(login.password, safe="")
            address = address._replace(netloc=f"{user}:{password}@{address.netloc}")
        limit_ffmpeg()
        milliseconds = round(self._timeout * 1000)
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds,
        ]  # fmt: skip
        return cv2.VideoCapture(urlunsplit(address), cv2.CAP_FFMPEG, limits)


DRIVER = NetworkDriver()


class Source:
    """Takes the frames out of an open stream."""

    def __init__(self, name: str, capture: cv2.VideoCapture, options: CameraOptions) -> None:
        self.name = name
        self._capture, self._options = capture, options
        self._bad = 0

    def grab(self) -> Frame | None:
        """The next frame; None for one that is no picture.

        Raises:
            CameraError: there are no more, or they are too large.
        """
        success, pixels = self._capture.read()
        now, taken = time(), monotonic()
        if not success:
            raise CameraError(f"{self.name}: gives no more frames")
        if pixels is None or pixels.size == 0 or pixels.ndim not in (2, 3):
            self._bad += 1
            if self._bad > MOST_BAD:
                raise CameraError(f"{self.name}: gives no pictures")
            return None
        self._bad = 0
        if pixels.shape[0] * pixels.shape[1] > MOST_PIXELS:
            raise CameraError(
                f"{self.name}: frames of {pixels.shape[1]} x {pixels.shape[0]} are too large: choose a "
                "smaller stream of the camera's"
            )
        options = self._options
        return framed(
            pixels.astype(np.uint8, copy=False),
            now,
            taken,
            rotation=options.rotation,
            flip=options.flip,
            color=options.color,
        )


def _address(spec: str, login_file: str) -> tuple[SplitResult, Login | None]:
    """The address without a login, and the login: the file's, or else the address's own."""
    try:
        address = urlsplit(spec)
        host, port = address.hostname, address.port
    except ValueError as error:
        scheme = spec.split("://")[0]
        raise CameraError(
            f"{scheme}://...: is no address ({error}); take {scheme}://HOST:PORT/PATH"
        ) from error
    if not host:
        raise CameraError(f"{address.scheme}://: has no host; take {address.scheme}://HOST:PORT/PATH")
    login = read_login(login_file)
    if login is None and address.username:
        login = Login(unquote(address.username), unquote(address.password or ""))
    at = f"[{host}]" if ":" in host else host
    return address._replace(netloc=f"{at}:{port}" if port else at, fragment=""), login
