"""Where pictures are shown; each display in a module of its own, imported when it is opened."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from digitlens.errors import DisplayError
from digitlens.track import Tracked

Pixels = npt.NDArray[np.uint8]


class Display(Protocol):
    """Shows each frame with the numbers that are followed."""

    @property
    def name(self) -> str:
        """How a person calls it."""

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[str]:
        """Show (H, W) gray or (H, W, 3) BGR; `size` is the pixels that the boxes are in.

        Returns what the keys pressed since ask for: "quit", "freeze", "save", "stages".

        Raises:
            DisplayError: the screen is gone.
        """

    def close(self) -> None:
        """Give the screen back."""


class NoDisplay:
    """Shows nothing, and has no keys."""

    name = "none"

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[str]:
        """Nothing."""
        return []

    def close(self) -> None:
        """Nothing."""


def open_display(wanted: str = "auto", *, full_screen: bool = False, title: str = "digitlens") -> Display:
    """Open the display that is wanted.

    Raises:
        DisplayError: it cannot be had.
    """
    if wanted in ("auto", "none"):
        return NoDisplay()
    raise DisplayError(f"{wanted}: there is no such display yet; take none")
