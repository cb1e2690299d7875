"""The sessions of those who signed in: each is a cookie's secret, until it expires or is signed out."""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

import msgspec

from digitlens.core.paths import SPECIAL, is_special

LIFETIME = 30 * 24 * 3600
"""Time for which a session lasts, seconds."""
MAX_SESSIONS = 256
"""Sessions at once; the oldest makes room for the next."""


class Sessions:
    """Kept in a file, where there is one; without, they end with the process.

    The file has digests alone, made with the token: it lets nobody in, and with another token no session in
    it is valid.

    Args:
        token: the page's.
        file: that the sessions are read from and written to.
        now: seconds since 1970.
        say: takes each line for the log.
    """

    def __init__(
        self,
        token: bytes,
        file: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._key = hmac.digest(token, b"digitlens web session", hashlib.sha256)
        self._file, self._now, self._say = file, now, say
        self._expires = self._read()  # digest -> seconds since 1970, the oldest session first

    def begin(self) -> str:
        """The secret of a new session."""
        secret = secrets.token_urlsafe(32)
        now = self._now()
        self._expires = {digest: expires for digest, expires in self._expires.items() if expires > now}
        while len(self._expires) >= MAX_SESSIONS:
            del self._expires[next(iter(self._expires))]
        self._expires[self._digest(secret)] = now + LIFETIME
        self._write()
        return secret

    def is_valid(self, secret: str) -> bool:
        """Whether a session with this secret was begun, and has neither ended nor expired."""
        return self._expires.get(self._digest(secret), 0.0) > self._now()

    def end(self, secret: str) -> None:
        """End the session, if there is one."""
        if self._expires.pop(self._digest(secret), None) is not None:
            self._write()

    def _digest(self, secret: str) -> str:
        return hmac.new(self._key, secret.encode(errors="replace"), hashlib.sha256).hexdigest()

    def _read(self) -> dict[str, float]:
        if self._file is None:
            return {}
        try:
            if is_special(self._file):
                raise ValueError(SPECIAL)
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, float])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            self._say(f"web page: {self._file}: {_reason(error)}; everybody has to sign in again")
            return {}

    def _write(self) -> None:
        if self._file is None:
            return
        new = Path(f"{self._file}.new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            with FileIO(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(msgspec.json.encode(self._expires))
            new.replace(self._file)
        except OSError as error:
            self._say(
                f"web page: {self._file}: cannot be written: {_reason(error)}; "
                "who has signed in or out is forgotten at the next start"
            )


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
