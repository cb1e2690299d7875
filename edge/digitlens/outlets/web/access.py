"""Access to the page: bearer token, session cookie, and growing pauses for wrong tokens."""

import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from digitlens.core.errors import OutletError
from digitlens.outlets.secrets import read_secret, secret_path
from digitlens.outlets.web.addresses import network
from digitlens.outlets.web.sessions import Sessions

CREDENTIAL = "web-token"
"""Its name among systemd's credentials."""
TOKEN = re.compile(r"[!-~]{16,512}")
MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
FREE_FAILURES = 5
"""Failures of a network until it has to wait."""
MAX_WAIT = 60.0
"""Longest wait after a failure, seconds; the first is one second, each next one twice as long."""
FAILURES_EXPIRE = 600.0
"""Time without a failure after which a network's failures are forgotten, seconds."""
MAX_NETWORKS = 1024
"""Networks whose failures are remembered; the one whose last failure is the oldest makes room."""

Verdict = Literal["granted", "missing", "wrong", "throttled"]
"""The outcome of a check: `missing` is without credentials, `throttled` is wrong and has to wait."""
Scheme = Literal["bearer", "sign-in"]
"""How a token was presented. Failures count by scheme: a person does not wait for a program's old token."""


def read_token(file: str, environment: Mapping[str, str]) -> str:
    """The token of that file, or of systemd's credential `web-token`; empty if there is neither.

    Raises:
        OutletError: it cannot be read, others can read it, or it is no token.
    """
    path = secret_path(file, CREDENTIAL, environment)
    if path is None:
        return ""
    token = read_secret(path, hint=f"make a token with {MAKE}").strip()
    if not TOKEN.fullmatch(token):
        raise OutletError(f"{path}: a token is one line of 16 to 512 letters, digits and signs: {MAKE}")
    return token


class Access:
    """Checks the credentials of requests; without a token every request is granted.

    Args:
        token: the secret, or empty.
        sessions: the file that keeps who is signed in, see Sessions.
        clock: monotonic seconds, for the waits.
        now: seconds since 1970, for the sessions.
        say: takes each line for the log.
    """

    def __init__(
        self,
        token: str,
        sessions: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._token = token
        self.sessions = Sessions(token.encode(), sessions, now=now, say=say)
        self._clock, self._say = clock, say
        self._failures: OrderedDict[tuple[Scheme, str], tuple[int, float, float]] = OrderedDict()

    @property
    def requires_token(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    def check(self, address: str, bearer: str | None, cookie: str | None) -> Verdict:
        """Check a request's bearer token and cookie; None is an absent one."""
        if not self.requires_token:
            return "granted"
        # A cookie of before is no try to guess one: nobody guesses 256 bits.
        if cookie is not None and self.sessions.is_valid(cookie):
            return "granted"
        return "missing" if bearer is None else self.check_token(address, bearer, "bearer")

    def check_token(self, address: str, token: str, scheme: Scheme) -> Verdict:
        """Check a token.

        The right one is granted during a pause, too, for a guesser may share its address with a keeper. What
        keeps a token from being guessed is its length.
        """
        if self.requires_token and _same(token, self._token):
            return "granted"
        if self.retry_after(address, scheme):
            return "throttled"
        self._record_failure(address, scheme)
        return "wrong"

    def retry_after(self, address: str, scheme: Scheme) -> float:
        """Time until that address may try again, seconds; 0: now."""
        _, _, until = self._failures.get((scheme, network(address)), (0, 0.0, 0.0))
        return max(0.0, until - self._clock())

    def _record_failure(self, address: str, scheme: Scheme) -> None:
        """Count a failure. A success resets nothing: the guesser may share its address with a person."""
        key, now = (scheme, network(address)), self._clock()
        failures, last, _ = self._failures.pop(key, (0, now, 0.0))
        failures = failures + 1 if now - last < FAILURES_EXPIRE else 1
        pause = min(MAX_WAIT, 2.0 ** (failures - FREE_FAILURES)) if failures >= FREE_FAILURES else 0.0
        self._failures[key] = failures, now, now + pause
        while len(self._failures) > MAX_NETWORKS:
            self._failures.popitem(last=False)
        if failures == 1 or pause:
            waits = f"; {failures} by now, the next in {pause:.0f} s" if pause else ""
            self._say(f"web page: wrong token from {address}{waits}")


def _same(presented: str, right: str) -> bool:
    return hmac.compare_digest(presented.encode(errors="replace"), right.encode())
