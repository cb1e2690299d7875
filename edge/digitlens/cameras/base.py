"""What a camera is: the protocol that each kind of camera keeps."""

from typing import Protocol

from digitlens.core.frames import Frame
from digitlens.core.preview import Preview


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
