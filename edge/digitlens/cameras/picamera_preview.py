"""picamera2's own preview: by DRM on the full screen, by Qt in a window, its picture never in Python."""

import importlib
import logging
from collections import deque
from types import ModuleType
from typing import Any

from digitlens.cameras.time_limit import within
from digitlens.core.arrays import Pixels
from digitlens.core.errors import DisplayError
from digitlens.core.preview import PreviewKind

START = 10.0
"""Time that a preview has for its first picture, in seconds."""
MAX_SHARE = 0.9
"""Largest window, as a fraction of the screen."""
KINDS: dict[PreviewKind, str] = {"drm": "DRM", "qt": "QT", "gl": "QTGL"}
"""Our name of a preview -> picamera2's."""


class Preview:
    """See digitlens.core.preview.Preview.

    Args:
        library: picamera2.
        device: an open and started Picamera2.
        picture: width and height of its pictures.
        unfit: why they cannot be shown as they come; empty if they can.
    """

    def __init__(self, library: ModuleType, device: Any, picture: tuple[int, int], unfit: str) -> None:
        self.shown = False
        self._library, self._device, self._picture, self._unfit = library, device, picture, unfit
        self._keys: deque[str] = deque(maxlen=16)
        self._screen = picture
        self._window: Any = None

    def start(
        self, kind: PreviewKind, *, screen: tuple[int, int] | None, full_screen: bool, title: str
    ) -> None:
        """Show the pictures on the screen, see digitlens.core.preview.Preview.

        Raises:
            DisplayError: it cannot.
        """
        if self._unfit:
            raise DisplayError(self._unfit)
        try:
            window_class = self._library.Preview[KINDS[kind]].value
            if kind == "drm":
                self._screen = screen or self._picture
                window = window_class(x=0, y=0, width=self._screen[0], height=self._screen[1])
            else:
                window = _window(window_class, self._picture, full_screen, title, self._keys)
            within(START, f"no picture in {START:.0f} s", lambda: self._switch(window))
        except Exception as error:
            self._fall_back()
            raise DisplayError(f"picamera2's preview does not start ({error})") from error
        self._window = window
        self.shown = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that the picture has on the screen now."""
        widget = getattr(self._window, "qpicamera2", None)
        room = self._screen if widget is None else (int(widget.width()), int(widget.height()))
        scale = min(room[0] / self._picture[0], room[1] / self._picture[1])
        return max(1, round(self._picture[0] * scale)), max(1, round(self._picture[1] * scale))

    def overlay(self, layer: Pixels) -> None:
        """Lay (h, w, 4) RGBA uint8 over the picture.

        Raises:
            DisplayError: the screen went away, or has no room for a layer.
        """
        if not self.shown:
            return
        try:
            self._device.set_overlay(layer)
        except Exception as error:
            raise DisplayError(f"the preview takes no overlay ({error})") from error

    def keys(self) -> list[str]:
        """The keys pressed since the last call."""
        return [self._keys.popleft() for _ in range(len(self._keys))]

    def stop(self) -> None:
        """Show the pictures no longer; the camera goes on without a screen."""
        if self.shown:
            self._fall_back()

    def _switch(self, window: Any) -> None:
        self._device.stop_preview()
        self._device.start_preview(window)
        # Its answer comes when the frame has been shown: only then can a layer lie on it, and only here does
        # a screen that takes no picture show.
        self._device.capture_metadata()

    def _fall_back(self) -> None:
        """Start the preview that shows nothing, which the library needs to hand out frames."""
        self.shown, self._window = False, None

        def back() -> None:
            if getattr(self._device, "is_open", True):
                try:
                    self._device.stop_preview()
                finally:
                    self._device.start_preview(self._library.Preview.NULL)

        try:
            within(START, "the preview does not end", back)
        except Exception as error:  # then no frames come either, and the camera is opened again
            logging.getLogger(__name__).debug("%s", error)


def _window(base: Any, picture: tuple[int, int], full_screen: bool, title: str, keys: deque[str]) -> Any:
    """A preview of the library's Qt class, which collects its keys and does not close by itself."""
    core = importlib.import_module("PyQt5.QtCore")
    widgets = importlib.import_module("PyQt5.QtWidgets")

    class KeyFilter(core.QObject):  # type: ignore[misc,name-defined]  # no types without PyQt5
        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802  # Qt's name
            if event.type() == core.QEvent.Close:
                # The library would end the camera's loop with its window; our own end closes both.
                event.ignore()
                keys.append("close")
                return True
            if event.type() == core.QEvent.KeyPress:
                keys.append(event.text())
            return False

    class Window(base):  # type: ignore[misc]  # known at run time
        def make_picamera2_widget(self, *arguments: Any, **options: Any) -> Any:
            """In Qt's own thread, to which widgets and their filters belong."""
            screen = widgets.QApplication.primaryScreen()
            if full_screen:  # as large as it, too: there may be no window manager that would make it so
                room = screen.geometry()
                self.x, self.y, self.width, self.height = room.x(), room.y(), room.width(), room.height()
            else:
                room = screen.availableGeometry()
                shrink = min(
                    1.0, MAX_SHARE * room.width() / picture[0], MAX_SHARE * room.height() / picture[1]
                )
                self.width, self.height = round(picture[0] * shrink), round(picture[1] * shrink)
            options |= {"width": self.width, "height": self.height}
            widget = super().make_picamera2_widget(*arguments, **options)
            widget.installEventFilter(KeyFilter(widget))
            if full_screen:
                widget.setWindowState(core.Qt.WindowFullScreen)
                widget.setCursor(core.Qt.BlankCursor)
            return widget

        def get_title(self) -> str:
            return title

    return Window()
