"""Which screens there are, asked before a library is let loose on them: some end the process instead."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from digitlens.core.errors import DisplayError

SET_MASTER = 0x641E
"""DRM's request to be the one program that may set pictures."""
WAIT = 15.0
"""Seconds for Qt to find a desktop."""
PROBE = """
import os
from PyQt5.QtWidgets import QApplication
application = QApplication([])
try:
    os.environ["PYOPENGL_PLATFORM"] = "egl"
    from OpenGL import EGL
    display = EGL.eglGetDisplay(EGL.EGL_DEFAULT_DISPLAY)
    EGL.eglInitialize(display, None, None)
    known = EGL.eglQueryString(display, EGL.EGL_EXTENSIONS)
    print("EGL_EXT_image_dma_buf_import" in known.decode())
except Exception:
    print(False)
"""
"""Without a desktop Qt aborts; so it is tried in another process."""


def console(devices: Path = Path("/dev/dri"), system: Path = Path("/sys/class/drm")) -> tuple[int, int]:
    """Width and height of a connected screen that no desktop has.

    Raises:
        DisplayError: there is none, or a desktop runs on it.
    """
    found = []
    for status in sorted(system.glob("card*-*/status")):
        modes = (status.parent / "modes").read_text().split()
        if status.read_text().strip() == "connected" and modes:
            found.append((status.parent.name.split("-")[0], modes[0]))
    if not found:
        raise DisplayError("no screen is connected" if devices.exists() else "no /dev/dri")
    card, mode = found[0]
    width, height = mode.rstrip("ip").split("x")
    try:
        device = os.open(devices / card, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise DisplayError(f"{devices / card}: {error.strerror}; is the user in the group video?") from error
    try:
        fcntl.ioctl(device, SET_MASTER)
    except OSError as error:
        raise DisplayError("another program has the screen, a desktop for one") from error
    finally:
        os.close(device)
    return int(width), int(height)


def desktop() -> bool:
    """Whether the desktop there is can show a camera's buffers without a copy (OpenGL).

    Raises:
        DisplayError: there is no desktop, or no PyQt5.
    """
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DisplayError("no desktop (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    try:
        run = subprocess.run(  # noqa: S603  # this interpreter, and the text above
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=WAIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DisplayError(f"Qt finds no desktop in {WAIT:.0f} s") from error
    if run.returncode:
        lines = [line for line in run.stderr.splitlines() if line.strip()] or ["it says nothing"]
        missing = "No module named" in lines[-1]
        raise DisplayError(
            f"PyQt5 is not installed: sudo apt install python3-pyqt5 python3-opengl ({lines[-1]})"
            if missing
            else f"Qt finds no desktop ({lines[0]})"
        )
    return run.stdout.strip() == "True" and any(Path("/dev/dri").glob("renderD*"))
