"""Where pictures are shown; each display in a module of its own, imported when it is opened."""

import sys
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from digitlens.core.errors import DisplayError
from digitlens.core.preview import Preview
from digitlens.displays.base import Display
from digitlens.displays.none import NoDisplay

Pixels = npt.NDArray[np.uint8]
Name = Literal["drm", "qt", "sdl", "none"]
NAMES: tuple[Name, ...] = get_args(Name)
"""In the order in which they are tried."""


def open_display(
    wanted: str = "auto",
    *,
    full_screen: bool = False,
    title: str = "digitlens",
    preview: Preview | None = None,
) -> Display:
    """Open the display `wanted`: drm, qt, sdl, none, or auto for the first of these that there is.

    `preview` is the open camera's own, which drm and qt need. Says on stderr, in one line, which was taken
    and why.

    Raises:
        DisplayError: what was wanted cannot be had; never for auto and none.
    """
    if wanted != "auto" and wanted not in NAMES:
        raise DisplayError(f"display {wanted!r}: there is auto, {', '.join(NAMES)}")
    reasons: dict[str, str] = {}  # a reason, and the names that it holds for
    for name in NAMES if wanted == "auto" else tuple(name for name in NAMES if name == wanted):
        try:
            display = _open(name, full_screen, title, preview)
        except DisplayError as error:
            if wanted != "auto":
                raise DisplayError(f"display {name}: {error}; --display none does without") from error
            reasons[str(error)] = ", ".join(filter(None, (reasons.get(str(error)), name)))
            continue
        taken = "as asked" if wanted != "auto" else "the best there is"
        why = "; ".join(f"no {names}: {reason}" for reason, names in reasons.items()) or taken
        about = f" ({display.about})" if hasattr(display, "about") else ""
        sys.stderr.write(f"digitlens: display {name}{about}; {why}\n")
        return display
    raise AssertionError("none is always there")


def _open(name: Name, full_screen: bool, title: str, preview: Preview | None) -> Display:
    if name == "drm" or name == "qt":
        if preview is None:
            raise DisplayError("the camera has no preview of its own (picamera's has)")
        from digitlens.displays.preview import Overlay

        return Overlay(preview, name, full_screen=full_screen, title=title)
    if name == "sdl":
        from digitlens.displays import sdl

        return sdl.Window(full_screen=full_screen, title=title)
    return NoDisplay()
