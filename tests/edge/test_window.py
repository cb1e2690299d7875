"""The window of --show, in a real SDL with its dummy screen."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pygame = pytest.importorskip("pygame", reason="needs pygame-ce (the extra window)")


@pytest.mark.parametrize("event", ["KEYDOWN", "QUIT"])
def test_closes_on_any_key(monkeypatch: pytest.MonkeyPatch, event: str) -> None:
    from digitlens.displays import sdl

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    seen = []

    def press() -> None:
        while pygame.display.get_surface() is None:
            pass
        seen.append(pygame.display.get_window_size())
        pygame.event.post(pygame.event.Event(getattr(pygame, event)))

    finger = threading.Thread(target=press)
    finger.start()
    sdl.show(np.full((3000, 2000, 3), 200, np.uint8), "a tall picture")
    finger.join()
    assert seen[0][0] * 3 == pytest.approx(seen[0][1] * 2, rel=0.01)  # reduced, its shape kept
    assert not pygame.display.get_init()


def test_no_screen_is_one_line(root: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    run = subprocess.run(
        [sys.executable, "-m", "digitlens", "read", "--show", str(root / "examples" / "sheet.jpg")],
        capture_output=True,
        text=True,
        env=environment | {"SDL_VIDEODRIVER": "x11"},
    )
    assert run.returncode == 1
    assert "pygame" not in run.stdout
    (line,) = run.stderr.splitlines()
    assert "no screen" in line
    assert "--overlay" in line
