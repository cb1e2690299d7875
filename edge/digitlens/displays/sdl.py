"""A window by SDL, through pygame-ce (the extra window): OpenCV's headless build has none."""

import atexit
import os
import select
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import DisplayError
from digitlens.core.preview import Preview
from digitlens.core.readings import Box
from digitlens.core.stderr import quiet
from digitlens.core.tracking import Tracked
from digitlens.displays.base import DisplayOptions, Key
from digitlens.displays.labels import draw_help, draw_labels
from digitlens.images.labels import Planner

FIRST_SIZE = 1280, 720
"""Width and height of a window until its first picture, in pixels."""
MAX_SHARE = 0.9
"""Largest window, as a fraction of the screen."""
HELP = (
    ("?", "these keys, on and off"),
    ("space", "freeze the picture, and go on"),
    ("s", "save the picture with its numbers"),
    ("d", "save how it was read, step by step"),
    ("f", "full screen, and back"),
    ("Esc", "leave the full screen; quit"),
    ("q", "quit"),
)
"""Keys, and what they do."""
WITHOUT_SCREEN = "dummy", "offscreen"
"""Drivers without a screen, for tests: only taken where SDL_VIDEODRIVER asks for them."""


class Window:
    """A live window; without a desktop, or by choice, the full screen.

    q and the window's close are "quit", as is Escape in a window; in full screen it leaves that. Space is
    "freeze", s is "save", d is "stages"; f is full screen, ? shows the keys.

    Raises:
        DisplayError: pygame-ce is not installed, or there is no screen.
    """

    name = "sdl"

    def __init__(self, *, full_screen: bool = False, title: str = "digitlens") -> None:
        self._pygame = pygame = _pygame("--display sdl")
        before = _sockets()
        try:
            screen = _screen(pygame)
            self._driver: str = pygame.display.get_driver()
            self._can_leave = self._driver.lower() != "kmsdrm"
            self._full = full_screen or not self._can_leave
            size = screen if self._full else _fitting(FIRST_SIZE, screen)
            pygame.display.set_mode(size, pygame.FULLSCREEN if self._full else pygame.RESIZABLE)
            pygame.display.set_caption(title)
            pygame.mouse.set_visible(not self._full)
        except pygame.error as error:
            pygame.display.quit()
            raise DisplayError(f"no screen was found ({error})") from error
        self._screen = screen
        self._planner = Planner()
        self._help = False
        self._window = _fitting(FIRST_SIZE, screen)  # size outside of full screen
        self._has_size = self._full
        self._open = True
        self._server = select.poll()
        for socket in _sockets() - before:
            self._server.register(socket, 0)
        self.about = f"{self._driver}, {screen[0]} x {screen[1]}"

    def show(
        self, image: Pixels, numbers: Sequence[Tracked], size: tuple[int, int], status: str
    ) -> list[Key]:
        """Show a picture, see Display.

        Raises:
            DisplayError: the screen went away.
        """
        pygame = self._pygame
        self._check()
        try:
            if not self._has_size:
                self._has_size = True
                self._window = _fitting((image.shape[1], image.shape[0]), self._screen)
                pygame.display.set_mode(self._window, pygame.RESIZABLE)
            surface = pygame.display.get_surface()
            canvas, place = _on_screen(image, surface.get_size())
            line = f"{status}   ? keys" if status else ""
            draw_labels(canvas, numbers, size, line, place, self._planner, image)
            if self._help:
                draw_help(canvas, HELP)
            surface.blit(pygame.image.frombuffer(canvas, canvas.shape[1::-1], "BGR"), (0, 0))
            self._check()
            pygame.display.flip()
            return self._keys()
        except pygame.error as error:
            self.close()
            raise DisplayError(f"the screen is gone ({error})") from error

    def follow(self, preview: Preview | None) -> None:
        """Nothing to continue with: `show` gets each picture."""

    def close(self) -> None:
        """Close the window; closing twice does nothing."""
        if self._open:
            self._open = False
            self._pygame.display.quit()

    def _keys(self) -> list[Key]:
        pygame = self._pygame
        meaning: dict[int, Key] = {
            pygame.K_q: "quit",
            pygame.K_SPACE: "freeze",
            pygame.K_s: "save",
            pygame.K_d: "stages",
        }
        keys: list[Key] = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                keys.append("quit")
            elif event.type == pygame.KEYDOWN:
                if event.key in meaning:
                    keys.append(meaning[event.key])
                elif event.key == pygame.K_f:
                    self._change(full=not self._full)
                elif event.key == pygame.K_ESCAPE:
                    if self._full and self._can_leave:
                        self._change(full=False)
                    else:
                        keys.append("quit")
                elif getattr(event, "unicode", "") == "?" or event.key == pygame.K_QUESTION:
                    self._help = not self._help
        return keys

    def _change(self, *, full: bool) -> None:
        """Go to full screen, or back to a window; without a desktop there is only the full screen."""
        if not self._can_leave:
            return
        pygame, self._full = self._pygame, full
        if full:
            self._window = pygame.display.get_surface().get_size()
        else:
            self._has_size = self._has_size and self._window != _fitting(FIRST_SIZE, self._screen)
        size = self._screen if full else self._window
        pygame.display.set_mode(size, pygame.FULLSCREEN if full else pygame.RESIZABLE)
        pygame.mouse.set_visible(not full)

    def _check(self) -> None:
        """Look at the connection first: Xlib ends the process if its server is gone."""
        if not self._open or not self._pygame.display.get_init():
            raise DisplayError("the screen is closed; open the display again")
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in self._server.poll(0)):
            self._open = False  # SDL is not even closed at the end: that would talk to the server
            atexit.unregister(self._pygame.quit)
            _gone.append(self._driver)
            raise DisplayError(f"the screen is gone ({self._driver}'s server has ended)")


class SdlDriver:
    """Opens a live window."""

    order = 2

    def open(self, options: DisplayOptions) -> Window:
        """Open the window.

        Raises:
            DisplayError: pygame-ce is not installed, or there is no screen.
        """
        return Window(full_screen=options.full_screen, title=options.title)


DRIVER = SdlDriver()

_gone: list[str] = []
"""Drivers whose server ended in this process: SDL cannot be closed or opened after that."""


def show(image: Pixels, title: str) -> None:
    """Show (H, W, 3) BGR uint8, reduced to the screen, until any key or the window's close.

    Raises:
        DisplayError: pygame-ce is not installed, or there is no screen.
    """
    pygame = _pygame("--show")
    try:
        size = _fitting((image.shape[1], image.shape[0]), _screen(pygame))
        window = pygame.display.set_mode(size)
    except pygame.error as error:
        pygame.display.quit()
        raise DisplayError(
            f"--show found no screen ({error}); write the picture with --overlay DIR"
        ) from error
    try:
        pygame.display.set_caption(title)
        canvas, _ = _on_screen(image, size)
        window.blit(pygame.image.frombuffer(canvas, size, "BGR"), (0, 0))
        pygame.display.flip()
        while pygame.event.wait().type not in (pygame.KEYDOWN, pygame.QUIT):
            pygame.display.flip()  # an uncovered window is drawn again
    finally:
        pygame.display.quit()


def _pygame(feature: str) -> ModuleType:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # stdout is for readings
    os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # SIGTERM belongs to the program
    try:
        import pygame
    except ImportError as error:
        raise DisplayError(f"{feature} needs pygame-ce: pip install 'digitlens[window]'") from error
    module: ModuleType = pygame
    return module


def _screen(pygame: Any) -> tuple[int, int]:
    """Width and height of the screen; pygame.error if there is none, DisplayError if its server has ended."""
    if _gone:
        raise DisplayError(f"the screen is gone ({_gone[-1]}'s server has ended); start digitlens again")
    with quiet():
        pygame.display.init()
    driver = pygame.display.get_driver()
    if driver in WITHOUT_SCREEN and os.environ.get("SDL_VIDEODRIVER") != driver:
        raise pygame.error("no desktop and no kmsdrm")
    width, height = pygame.display.get_desktop_sizes()[0]
    return width, height


def _fitting(size: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int]:
    """A window's size for a picture, its shape kept."""
    shrink = min(1.0, MAX_SHARE * screen[0] / size[0], MAX_SHARE * screen[1] / size[1])
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _on_screen(image: Pixels, screen: tuple[int, int]) -> tuple[Pixels, Box]:
    """A canvas (H, W, 3) BGR of the screen's size with the picture in its middle, and the picture's box."""
    height, width = image.shape[:2]
    scale = min(screen[0] / width, screen[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    x, y = (screen[0] - size[0]) // 2, (screen[1] - size[1]) // 2
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR  # faster, and as good there
    fitted = cv2.resize(image, size, interpolation=interpolation) if size != (width, height) else image
    canvas = np.zeros((screen[1], screen[0], 3), np.uint8)
    canvas[y : y + size[1], x : x + size[0]] = fitted[..., np.newaxis] if fitted.ndim == 2 else fitted
    return canvas, (x, y, *size)


def _sockets() -> set[int]:
    """The file descriptors that are sockets; the connection to the screen's server is among the new ones."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if str(entry.readlink()).startswith("socket:"):
                found.add(int(entry.name))
        except OSError:  # the one that listed the folder is closed again
            continue
    return found
