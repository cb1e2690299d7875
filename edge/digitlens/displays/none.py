"""No display, where nobody looks."""

from collections.abc import Sequence

from digitlens.core.arrays import Pixels
from digitlens.core.preview import Preview
from digitlens.core.tracking import Tracked
from digitlens.displays.base import DisplayOptions, Key


class NoDisplay:
    """No display: the same calls, nothing shown, no keys."""

    name = "none"

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        """Show nothing."""
        return []

    def follow(self, preview: Preview | None) -> None:
        """Nothing to continue with."""

    def close(self) -> None:
        """Nothing to give back."""


class NoDisplayDriver:
    """Opens no display, and never fails."""

    order = 100

    def open(self, options: DisplayOptions) -> NoDisplay:
        """No display."""
        return NoDisplay()


DRIVER = NoDisplayDriver()
