"""The camera's own preview as a display: its picture never passes through Python, labels lie over it."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Literal

from digitlens.core.arrays import Pixels
from digitlens.core.errors import DisplayError
from digitlens.core.preview import Preview, PreviewKind
from digitlens.core.stderr import quiet
from digitlens.core.tracking import Tracked
from digitlens.displays import labels
from digitlens.displays.base import DisplayOptions, Key
from digitlens.displays.screens import Screens
from digitlens.images.labels import Planner, label_text

STATUS = 1.0
"""Time for which a status line stays, in seconds: nobody reads faster, and each costs a new layer."""
KEYS: dict[str, Key] = {"q": "quit", "\x1b": "quit", "close": "quit", "s": "save", "d": "stages"}


class Overlay:
    """Shows an open camera's preview, by `kind` "drm" or "qt".

    In Qt's window, q, Escape and the window's close are "quit", s is "save", d is "stages"; there is no
    "freeze", for the picture is not ours to hold. By DRM there are no keys.

    Raises:
        DisplayError: there is no such screen, or the camera's preview does not start on it.
    """

    def __init__(
        self,
        preview: Preview,
        kind: Literal["drm", "qt"],
        *,
        full_screen: bool = False,
        title: str = "digitlens",
        clock: Callable[[], float] = monotonic,
        screens: Screens | None = None,
    ) -> None:
        screens = screens or Screens()
        self.name: str = kind
        self._screen = screens.console() if kind == "drm" else None
        self._kind: PreviewKind = "gl" if kind == "qt" and screens.desktop() else kind
        self._full_screen, self._title, self._clock = full_screen, title, clock
        self._planner = Planner()
        self._preview: Preview | None = preview
        self._started = False
        self._drawn: object = None
        self._status, self._since = "", 0.0
        self._start()
        size = preview.size
        how = {"drm": "full screen", "gl": "OpenGL", "qt": "without OpenGL"}[self._kind]
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
        drawn = shown, size, [(one.steady, label_text(one), one.number.box) for one in numbers]
        now = self._clock()
        old = now - self._since >= STATUS
        if drawn != self._drawn or (status != self._status and old):
            if old or not self._status:
                self._status, self._since = status, now
            layer = labels.label_layer(shown, numbers, size, self._status, self._planner, image)
            self._preview.overlay(layer)
            self._drawn = drawn
        return [KEYS[key] for key in self._preview.keys() if key in KEYS]  # noqa: SIM118  # no dict

    def follow(self, preview: Preview | None) -> None:
        """Continue with the preview of a camera that was opened again, from the next `show` on."""
        self._preview = preview
        self._started = False

    def close(self) -> None:
        """End the preview; the camera goes on. Closing twice does nothing."""
        if self._preview is not None:
            self._preview.stop()
            self._preview = None

    def _start(self) -> None:
        if self._preview is not None:
            with quiet():  # Qt warns on the terminal that it runs in a thread
                self._preview.start(
                    self._kind, screen=self._screen, full_screen=self._full_screen, title=self._title
                )
            self._started = True
            self._drawn = None
            self._status, self._since = "", self._clock() - STATUS


class PreviewDriver:
    """Opens a camera's preview by DRM or in Qt's window; `screens` None looks for real ones."""

    def __init__(self, kind: Literal["drm", "qt"], order: int, screens: Screens | None = None) -> None:
        self.order = order
        self._kind, self._screens = kind, screens

    def open(self, options: DisplayOptions) -> Overlay:
        """Start the preview.

        Raises:
            DisplayError: the camera has none, or there is no such screen.
        """
        if options.preview is None:
            raise DisplayError("the camera has no preview of its own (picamera's has)")
        return Overlay(
            options.preview,
            self._kind,
            full_screen=options.full_screen,
            title=options.title,
            screens=self._screens,
        )


DRM = PreviewDriver("drm", 0)
QT = PreviewDriver("qt", 1)
