"""What a display is: the protocol that each kind of display keeps, and the keys that it hands on."""

from collections.abc import Sequence
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
        """Show (H, W) or (H, W, 3) BGR uint8 with its numbers; returns the keys pressed since the last time.

        Args:
            image: is not written on.
            numbers: are drawn over it.
            size: width and height of the picture that their boxes are in.
            status: the line at the bottom; empty for none.

        Raises:
            DisplayError: the screen went away.
        """

    def follow(self, preview: Preview | None) -> None:
        """Go on with the preview of a camera that was opened again."""

    def close(self) -> None:
        """Give the screen back; closing twice does nothing."""
