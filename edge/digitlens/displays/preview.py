"""The camera's own preview as a display: its picture passes Python by, the numbers lie over it as a layer."""

from collections.abc import Callable, Sequence
from time import monotonic

import numpy as np
import numpy.typing as npt

from digitlens.core.preview import Preview, PreviewKind
from digitlens.core.stderr import quiet
from digitlens.core.tracking import Tracked
from digitlens.displays import labels, screens
from digitlens.displays.base import Key

Pixels = npt.NDArray[np.uint8]

STATUS = 1.0
"""Seconds that a status line stands: faster than that nobody reads it, and each costs a new layer."""
KEYS: dict[str, Key] = {"q": "quit", "\x1b": "quit", "close": "quit", "s": "save", "d": "stages"}


class Overlay:
    """Shows an open camera's preview, by `way` "drm" or "qt".

    In Qt's window, q, Escape and the window's close are "quit", s is "save", d is "stages"; there is no
    "freeze", for the picture is not ours to hold. By DRM there are no keys.

    Raises:
        DisplayError: there is no such screen, or the camera's preview does not start on it.
    """

    def __init__(
        self,
        preview: Preview,
        way: PreviewKind,
        *,
        full_screen: bool = False,
        title: str = "digitlens",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name: str = way
        self._screen = screens.console() if way == "drm" else None
        self._way: PreviewKind = "gl" if way == "qt" and screens.desktop() else way
        self._full_screen, self._title, self._clock = full_screen, title, clock
        self._sides: labels.Sides = {}
        self._preview: Preview | None = preview
        self._started = False
        self._drawn: object = None
        self._status, self._since = "", 0.0
        self._start()
        size = preview.size
        how = {"drm": "the whole screen", "gl": "OpenGL", "qt": "without OpenGL"}[self._way]
        self.about = f"the camera's own preview, {how}, {size[0]} x {size[1]}"

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        """Lay the numbers over the camera's picture, see Display; `image` is not needed.

        Raises:
            DisplayError: the screen went away.
        """
        if self._preview is None:
            return []
        if not self._started:
            self._start()
        shown = self._preview.size
        drawn = shown, size, [(one.id, one.steady, one.number.text, one.number.box) for one in numbers]
        now = self._clock()
        old = now - self._since >= STATUS
        if drawn != self._drawn or (status != self._status and old):
            if old or not self._status:
                self._status, self._since = status, now
            self._preview.overlay(labels.layer(shown, numbers, size, self._status, self._sides))
            self._drawn = drawn
        return [KEYS[key] for key in self._preview.keys() if key in KEYS]  # noqa: SIM118  # no dict

    def follow(self, preview: Preview | None) -> None:
        """The camera was opened again: go on with its preview, from the next `show` on."""
        self._preview = preview
        self._started = False

    def close(self) -> None:
        """End the preview; the camera goes on. Closing twice does nothing."""
        if self._preview is not None:
            self._preview.stop()
            self._preview = None

    def _start(self) -> None:
        if self._preview is not None:
            with quiet():  # Qt tells the terminal that it runs in a thread
                self._preview.start(
                    self._way, screen=self._screen, full_screen=self._full_screen, title=self._title
                )
            self._started = True
            self._drawn = None
            self._status, self._since = "", self._clock() - STATUS
