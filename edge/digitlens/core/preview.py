"""A camera's own preview on the screen, past Python: such a camera offers it, and a display uses it."""

from typing import Literal, Protocol

from digitlens.core.arrays import Pixels

PreviewKind = Literal["drm", "qt", "gl"]
"""The full screen without a desktop; a window; a window that the graphics chip draws."""


class Preview(Protocol):
    """Shows an open camera's pictures, with a layer over them that a display draws."""

    def start(
        self, kind: PreviewKind, *, screen: tuple[int, int] | None, full_screen: bool, title: str
    ) -> None:
        """Begin to show them; `screen` is its width and height, which `drm` needs.

        Raises:
            DisplayError: this camera cannot, or not by this kind.
        """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that the picture has on the screen now."""

    def overlay(self, layer: Pixels) -> None:
        """Lay (h, w, 4) RGBA uint8 over all of the picture, in place of the layer before.

        Raises:
            DisplayError: the screen went away, or cannot.
        """

    def keys(self) -> list[str]:
        """The keys pressed since the last call, each as its character; "close" is the window's close."""

    def stop(self) -> None:
        """Show them no longer; the camera goes on. Stopping twice does nothing."""
