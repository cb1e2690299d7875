"""The protocols of a display and of its driver, and the keys that a display hands on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from digitlens.core.arrays import Pixels
from digitlens.core.preview import Preview
from digitlens.core.tracking import Tracked

Key = Literal["quit", "freeze", "save", "stages"]


class Display(Protocol):
    """A screen for live pictures; opened, shown on and closed in one thread."""

    name: str

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        """Show (H, W) or (H, W, 3) BGR uint8 with its numbers; returns the keys pressed since the last call.

        Args:
            image: is not written on.
            numbers: are drawn over it.
            size: width and height of the picture that their boxes are in.
            status: the line at the bottom; empty for none.

        Raises:
            DisplayError: the screen went away.
        """

    def follow(self, preview: Preview | None) -> None:
        """Continue with the preview of a camera that was opened again."""

    def close(self) -> None:
        """Give the screen back; closing twice does nothing."""


@dataclass(frozen=True)
class DisplayOptions:
    """How a display is opened; see digitlens.displays.registry.open_display."""

    full_screen: bool = False
    title: str = "digitlens"
    preview: Preview | None = None


class DisplayDriver(Protocol):
    """One kind of display; an entry point of the group `digitlens.displays` names an object of this kind."""

    @property
    def order(self) -> int:
        """Its place in the order in which `auto` tries the drivers; `none` has 100, and is always there."""

    def open(self, options: DisplayOptions) -> Display:
        """Open the display.

        Raises:
            DisplayError: it cannot be opened.
        """
