"""Passwords and keys, from a file or from systemd's credentials; never from the settings or the command."""

import os
from pathlib import Path

from digitlens.errors import OutletError

LARGEST = 4096
"""Bytes of a secret's file; more is another file."""


def secret(file: str, credential: str, setting: str) -> str:
    """What is in `file`; without one, in the credential of that name (systemd's LoadCredential=), if given.

    The line's end is not part of it. Empty if there is neither.

    Raises:
        OutletError: a file that is named cannot be read, or holds nothing.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    path = Path(file) if file else Path(folder) / credential
    if not file and not (folder and path.exists()):
        return ""
    try:
        with path.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise OutletError(f"{setting}: {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OutletError(f"{setting}: {path}: is not text") from error
    if not text or len(content) > LARGEST:
        raise OutletError(f"{setting}: {path}: must hold one line, of at most {LARGEST} bytes")
    return text
