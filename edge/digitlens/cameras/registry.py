"""Opens a camera by its name; the drivers are found through entry points."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache

from digitlens.cameras.base import Camera, CameraDriver, CameraOptions
from digitlens.cameras.orientation import FLIPS, ROTATIONS
from digitlens.core import registry
from digitlens.core.errors import CameraError
from digitlens.core.stderr import quiet

AUTO = "auto"
FALLBACK = "replay"
"""Entry point of the driver that matches every spec: it is asked last."""


@cache
def camera_drivers() -> tuple[CameraDriver, ...]:
    """All drivers, in the order in which they are asked; one that cannot be imported is left out."""
    found: dict[str, CameraDriver] = registry.imported(registry.CAMERAS, "camera")
    return tuple(found[name] for name in sorted(found, key=lambda name: name == FALLBACK))


def is_replay(spec: str) -> bool:
    """Whether `spec` (see open_camera) names files, which are replayed."""
    return spec != AUTO and _driver(spec, camera_drivers()).is_replay


def open_camera(
    spec: str = AUTO,
    *,
    rate: float | None = None,
    rotation: int = 0,
    flip: str = "",
    size: tuple[int, int] = (1280, 720),
    color: bool = True,
    repeat: int = 1,
    hold: int = 1,
    login: str = "",
    say: Callable[[str], None] = lambda line: None,
    drivers: Iterable[CameraDriver] | None = None,
) -> Camera:
    """Open the camera that `spec` names.

    Args:
        spec: `picamera` is the Pi's own camera; `usb:N` is /dev/videoN; `auto` takes the first of these that
            opens, in this order; rtsp://, http:// and so on are cameras in the network; anything else is the
            path of a video, a picture, or a folder of both, which are replayed. Other packages may bring
            more.
        rate: frames a second; None is the video's own, or 30; 0 replays as fast as frames are taken.
        rotation: 0, 90, 180 or 270 degrees clockwise.
        flip: "", "horizontal", "vertical" or "both"; done after the rotation.
        size: width and height asked of a camera; it may give another.
        color: False leaves `image` gray, which costs less.
        repeat: how many times a replay is played; 0 is without end.
        hold: frames for which a replay shows each picture.
        login: file with user and password of a network camera, see digitlens.cameras.login.
        say: is called with a line that names the camera that `auto` took, and the reason.
        drivers: None takes all that are installed.

    Raises:
        CameraError: there is none, it is busy, or it cannot be read.
    """
    if rotation not in ROTATIONS or flip not in FLIPS:
        raise CameraError(
            f"rotation {rotation}, flip {flip!r}: take a rotation of {', '.join(map(str, ROTATIONS))} and a "
            f"flip of {', '.join(filter(None, FLIPS))}"
        )
    options = CameraOptions(rate, rotation, flip, size, color, repeat, hold, login)
    found = camera_drivers() if drivers is None else tuple(drivers)
    if spec == AUTO:
        return _first(found, options, say)
    return _open(_driver(spec, found), spec, options)


def _driver(spec: str, drivers: Iterable[CameraDriver]) -> CameraDriver:
    for driver in drivers:
        if driver.matches(spec):
            return driver
    raise CameraError(f"{spec}: no camera driver is installed for it; reinstall digitlens with pip")


def _first(drivers: Iterable[CameraDriver], options: CameraOptions, say: Callable[[str], None]) -> Camera:
    """The camera of the first automatic driver that opens one."""
    ranked = [(driver.automatic, driver) for driver in drivers if driver.automatic is not None]
    errors: list[CameraError] = []
    for _, driver in sorted(ranked, key=lambda one: one[0]):
        try:
            camera = _open(driver, AUTO, options)
        except CameraError as error:
            errors.append(error)
            continue
        why = "; ".join(f"no {error}" for error in errors) or "the best there is"
        about = f" ({camera.about})" if hasattr(camera, "about") else ""
        say(f"camera {camera.name}{about}; {why}")
        return camera
    if not errors:
        raise CameraError("no camera driver is installed; reinstall digitlens with pip")
    raise CameraError("; ".join(str(error) for error in reversed(errors))) from errors[-1]


def _open(driver: CameraDriver, spec: str, options: CameraOptions) -> Camera:
    """Open a camera; messages that a device's libraries print do not reach the terminal."""
    with nullcontext() if driver.is_replay else quiet():
        return driver.open(spec, options)
