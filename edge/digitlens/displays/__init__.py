"""Where pictures are shown; each display in a module of its own, imported when it is opened."""

import sys
from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from digitlens.errors import DisplayError
from digitlens.track import Tracked

Pixels = npt.NDArray[np.uint8]
Key = Literal["quit", "freeze", "save", "stages"]
Name = Literal["drm", "qt", "sdl", "none"]
NAMES: tuple[Name, ...] = get_args(Name)
"""In the order in which they are tried."""


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

    def close(self) -> None:
        """Give the screen back; closing twice does nothing."""


class Nowhere:
    """No display: the same calls, nothing shown, no keys."""

    name = "none"

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        """Show nothing."""
        return []

    def close(self) -> None:
        """Nothing to give back."""


def open_display(wanted: str = "auto", *, full_screen: bool = False, title: str = "digitlens") -> Display:
    """Open the display `wanted`: drm, qt, sdl, none, or auto for the first of these that there is.

    Says on stderr, in one line, which was taken and why.

    Raises:
        DisplayError: what was wanted cannot be had; never for auto and none.
    """
    if wanted != "auto" and wanted not in NAMES:
        raise DisplayError(f"display {wanted!r}: there is auto, {', '.join(NAMES)}")
    reasons: dict[str, str] = {}  # a reason, and the names that it holds for
    for name in NAMES if wanted == "auto" else (wanted,):
        try:
            display = _open(name, full_screen, title)
        except DisplayError as error:
            if wanted != "auto":
                raise DisplayError(f"display {name}: {error}; --display none does without") from error
            reasons[str(error)] = ", ".join(filter(None, (reasons.get(str(error)), name)))
            continue
        why = "; ".join(f"no {names}: {reason}" for reason, names in reasons.items()) or "as asked"
        about = f" ({display.about})" if hasattr(display, "about") else ""
        sys.stderr.write(f"digitlens: display {name}{about}; {why}\n")
        return display
    raise AssertionError("none is always there")


def _open(name: str, full_screen: bool, title: str) -> Display:
    if name in ("drm", "qt"):
        raise DisplayError("picamera2's own previews are not built yet")
    if name == "sdl":
        from digitlens.displays import sdl

        return sdl.Window(full_screen=full_screen, title=title)
    return Nowhere()
