"""Passwords and keys, from a file or from systemd's credentials; never from the settings or the command."""

import os
from collections.abc import Mapping
from pathlib import Path

from digitlens.core.errors import OutletError

OTHERS = 0o037
"""What a file's mode must not allow: its group to write, and others anything."""
LARGEST = 4096
"""Bytes of a secret's file; more is another file."""


def place(file: str, credential: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that was named; without one, systemd's credential of that name (LoadCredential=), if given."""
    if file:
        return Path(file)
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    path = Path(folder) / credential
    return path if folder and path.exists() else None


def secret(file: str, credential: str, setting: str) -> str:
    """What stands there, see place.

    The line's end is not part of it. Empty if there is neither.

    Raises:
        OutletError: a file that is named cannot be read, others can read it, or it holds nothing.
    """
    path = place(file, credential)
    if path is None:
        return ""
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(LARGEST + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise OutletError(f"{setting}: {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OutletError(f"{setting}: {path}: is not text") from error
    if mode & OTHERS:
        raise OutletError(f"{setting}: {path}: others than its group can reach it: chmod 640 {path}")
    if not text or len(content) > LARGEST:
        raise OutletError(f"{setting}: {path}: must hold one line, of at most {LARGEST} bytes")
    return text
