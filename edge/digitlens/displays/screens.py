"""The screens that exist, asked before a library tries them: some libraries end the process instead."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from digitlens.core.errors import DisplayError

SET_MASTER = 0x641E
"""DRM's request to be the one program that may set pictures, DRM_IOCTL_SET_MASTER."""
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
"""Program that tries Qt in another process, because Qt aborts without a desktop; it prints True or False."""


class Screens:
    """Looks for a console and for a desktop.

    Args:
        devices: the folder of the graphics cards' devices.
        system: the folder where the kernel lists their connectors.
        probe_time: seconds for Qt to find a desktop.
    """

    def __init__(
        self,
        devices: Path = Path("/dev/dri"),
        system: Path = Path("/sys/class/drm"),
        probe_time: float = 15.0,
    ) -> None:
        self._devices, self._system, self._probe_time = devices, system, probe_time

    def console(self) -> tuple[int, int]:
        """Width and height of a connected screen that no desktop has.

        Raises:
            DisplayError: there is none, or a desktop runs on it.
        """
        found = []
        for status in sorted(self._system.glob("card*-*/status")):
            modes = (status.parent / "modes").read_text().split()
            if status.read_text().strip() == "connected" and modes:
                found.append((status.parent.name.split("-")[0], modes[0]))
        if not found:
            raise DisplayError("no screen is connected" if self._devices.exists() else "no /dev/dri")
        card, mode = found[0]
        path = self._devices / card
        width, height = mode.rstrip("ip").split("x")
        try:
            device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise DisplayError(f"{path}: {error.strerror}; is the user in the group video?") from error
        try:
            fcntl.ioctl(device, SET_MASTER)
        except OSError as error:
            raise DisplayError("another program has the screen, a desktop for one") from error
        finally:
            os.close(device)
        return int(width), int(height)

    def desktop(self) -> bool:
        """Whether the desktop can show a camera's buffers without a copy (OpenGL).

        Raises:
            DisplayError: there is no desktop, or no PyQt5.
        """
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise DisplayError("no desktop (neither DISPLAY nor WAYLAND_DISPLAY is set)")
        try:
            run = subprocess.run(  # noqa: S603  # this interpreter, and the text above
                [sys.executable, "-c", PROBE],
                capture_output=True, text=True, timeout=self._probe_time, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DisplayError(f"Qt finds no desktop in {self._probe_time:.0f} s") from error
        if run.returncode:
            lines = [line for line in run.stderr.splitlines() if line.strip()] or ["it says nothing"]
            missing = "No module named" in lines[-1]
            raise DisplayError(
                f"PyQt5 is not installed: sudo apt install python3-pyqt5 python3-opengl ({lines[-1]})"
                if missing
                else f"Qt finds no desktop ({lines[0]})"
            )
        return run.stdout.strip() == "True" and any(self._devices.glob("renderD*"))
