"""User and password of a network camera, from a file: options and settings are read by others."""

import os
import stat
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from digitlens.core.errors import CameraError

FORBIDDEN_MODE = 0o037
"""Mode bits that the file must not have: its group may not write, and others have no access."""
MAX_BYTES = 4096
"""Largest size of the file, in bytes."""
HINT = "write USER:PASSWORD into it, and chmod 640"


class Login(NamedTuple):
    """A user and a password."""

    user: str
    password: str


def read_login(file: str) -> Login | None:
    """The login in a file, USER:PASSWORD in one line or each in its own; None without a file.

    Raises:
        CameraError: it is missing, holds none, or others than its group have access.
    """
    if not file:
        return None
    path = Path(file)
    try:
        # A FIFO without a writer would block the open for ever.
        with FileIO(str(path), opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(MAX_BYTES + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError as error:
        raise CameraError(f"{path}: no such file; {HINT}") from error
    except OSError as error:
        raise CameraError(f"{path}: cannot be read: {error.strerror}") from error
    if mode & FORBIDDEN_MODE:
        raise CameraError(f"{path}: others than its group can reach it: chmod 640 {path}")
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise CameraError(f"{path}: is not text; {HINT}") from error
    user, found, password = lines[0].partition(":") if len(lines) == 1 else ("", "", "")
    if len(lines) == 2:
        (user, password), found = lines, ":"
    if not found or not user or len(content) > MAX_BYTES:
        raise CameraError(f"{path}: holds no user and password; {HINT}")
    return Login(user, password)
