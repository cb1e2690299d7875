"""A window by SDL, through pygame-ce (the extra window): OpenCV's headless build has none."""

import os

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.errors import DigitLensError


class DisplayError(DigitLensError, RuntimeError):
    """A window that cannot be opened."""


def show(image: npt.NDArray[np.uint8], title: str) -> None:
    """Show (H, W, 3) BGR uint8, reduced to the screen, until any key or the window's close.

    Raises:
        DisplayError: pygame-ce is not installed, or there is no screen.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # stdout is for readings
    try:
        import pygame
    except ImportError as error:
        raise DisplayError("--show needs pygame-ce: pip install 'digitlens[window]'") from error
    try:
        pygame.display.init()
        screen = pygame.display.get_desktop_sizes()[0]
        height, width = image.shape[:2]
        shrink = min(1.0, 0.9 * screen[0] / width, 0.9 * screen[1] / height)
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        window = pygame.display.set_mode(size)
    except pygame.error as error:
        pygame.display.quit()
        raise DisplayError(
            f"--show found no screen ({error}); write the picture with --overlay DIR"
        ) from error
    try:
        pygame.display.set_caption(title)
        pixels = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        window.blit(pygame.image.frombuffer(pixels.tobytes(), size, "RGB"), (0, 0))
        pygame.display.flip()
        while pygame.event.wait().type not in (pygame.KEYDOWN, pygame.QUIT):
            pygame.display.flip()  # an uncovered window is drawn again
    finally:
        pygame.display.quit()
