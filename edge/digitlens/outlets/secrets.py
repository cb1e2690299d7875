"""Passwords, keys and tokens, from a file or a systemd credential; never from the settings or the command."""

import os
import stat
from collections.abc import Mapping
from io import FileIO
from pathlib import Path

from digitlens.core.errors import OutletError

FORBIDDEN_MODE = 0o037
"""Mode bits that a secret's file must not have: its group may not write, and others have no access."""
MAX_BYTES = 4096
"""Size of a secret's file, at most, bytes; a larger one is another file."""


def secret_path(file: str, credential: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The named file; without one, systemd's credential of that name (LoadCredential=), if there is one."""
    if file:
        return Path(file)
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    path = Path(folder) / credential
    return path if folder and credential and path.exists() else None


def read_secret(path: Path, hint: str = "", most: int = MAX_BYTES) -> str:
    """The text of a secret's file, without the line's end.

    Args:
        path: of the file.
        hint: how to make such a file, appended to the message where there is none.
        most: its size, bytes.

    Raises:
        OutletError: the file is missing, cannot be read, is not a regular one, too large or not UTF-8, or
            others than its group have access. The message begins with the path.
    """
    try:
        # A FIFO without a writer would block the open for ever.
        with FileIO(str(path), opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(most + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError as error:
        why = f"no such file; {hint} > {path}" if hint else f"cannot be read: {error.strerror}"
        raise OutletError(f"{path}: {why}") from error
    except OSError as error:
        raise OutletError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise OutletError(f"{path}: not a file{hint and f'; {hint}'}")
    if mode & FORBIDDEN_MODE:
        raise OutletError(f"{path}: others than its group can reach it: chmod 640 {path}")
    if len(content) > most:
        raise OutletError(f"{path}: must hold one line, of at most {most} bytes")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise OutletError(f"{path}: is not text") from error


def secret(file: str, credential: str, setting: str) -> str:
    """The secret in that file or credential, see secret_path; empty if there is neither.

    Raises:
        OutletError: see read_secret; or the file is empty. The message begins with the `setting`.
    """
    path = secret_path(file, credential)
    if path is None:
        return ""
    try:
        text = read_secret(path)
        if not text:
            raise OutletError(f"{path}: must hold one line, of at most {MAX_BYTES} bytes")
    except OutletError as error:
        raise OutletError(f"{setting}: {error}") from error
    return text
