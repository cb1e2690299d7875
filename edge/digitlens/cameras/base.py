"""The protocols of a camera and of its driver."""

from dataclasses import dataclass
from typing import Protocol

from digitlens.core.frames import Frame
from digitlens.core.preview import Preview


class Camera(Protocol):
    """Gives its newest frame; `dropped` counts the frames that nobody took in time or that were unusable."""

    @property
    def name(self) -> str:
        """The name that a person gives it: `usb:0`, a path."""

    @property
    def dropped(self) -> int:
        """Frames that were never handed out."""

    @property
    def preview(self) -> Preview | None:
        """Its own preview on the screen, if it has one; while that is shown, `image` is gray."""

    def newest(self, timeout: float) -> Frame | None:
        """The newest frame not yet handed out, waited for `timeout` seconds; None: the replay has ended.

        Raises:
            CameraStalled: no new frame came in that time.
            CameraError: the camera is gone.
        """

    def close(self) -> None:
        """Give the camera back; closing twice does nothing."""


@dataclass(frozen=True)
class CameraOptions:
    """How a camera is opened; see digitlens.cameras.registry.open_camera."""

    rate: float | None = None
    rotation: int = 0
    flip: str = ""
    size: tuple[int, int] = (1280, 720)
    color: bool = True
    repeat: int = 1
    hold: int = 1
    login: str = ""


class CameraDriver(Protocol):
    """One kind of camera; an entry point of the group `digitlens.cameras` names an object of this kind."""

    @property
    def automatic(self) -> int | None:
        """Its place in the order in which `auto` tries the drivers; None: it is not tried."""

    @property
    def is_replay(self) -> bool:
        """Whether it plays files, which end."""

    def matches(self, spec: str) -> bool:
        """Whether `spec` (see open_camera) is for this driver."""

    def open(self, spec: str, options: CameraOptions) -> Camera:
        """Open the camera of a spec that matches; `auto` is the first one that there is.

        Raises:
            CameraError: there is none, it is busy, or it cannot be read.
        """
