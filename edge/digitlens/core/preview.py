"""A camera's own way onto the screen, past Python: what such a camera offers and a display takes."""

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
PreviewKind = Literal["drm", "qt", "gl"]
"""The whole screen without a desktop; a window; a window that the graphics chip draws."""


class Preview(Protocol):
    """Shows an open camera's pictures, with a layer over them that a display draws."""

    def start(
        self, way: PreviewKind, *, screen: tuple[int, int] | None, full_screen: bool, title: str
    ) -> None:
        """Begin to show them; `screen` is its width and height, which `drm` needs to be told.

        Raises:
            DisplayError: this camera cannot, or not in this way.
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
        """What was pressed since the last time, each as its sign; "close" is the window's close."""

    def stop(self) -> None:
        """Show them no longer; the camera goes on. Again and again does nothing more."""
