"""Access to the page: bearer token, session cookie, and growing pauses for wrong ones."""

import hashlib
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Literal

from digitlens.core.errors import OutletError
from digitlens.outlets.secrets import read_secret, secret_path
from digitlens.outlets.web.addresses import network

CREDENTIAL = "web-token"
"""Its name among systemd's credentials."""
TOKEN = re.compile(r"[!-~]{16,512}")
MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
SESSION_LIFETIME = 30 * 24 * 3600
"""Time for which a session cookie is valid, seconds."""
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
Scheme = Literal["bearer", "cookie", "sign-in"]
"""How credentials were presented. Failures count by scheme: a program with an old token locks nobody out."""


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
        clock: monotonic seconds, for the waits.
        now: seconds since 1970, for the cookies.
        say: takes each line for the log.
    """

    def __init__(
        self,
        token: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._token = token.encode()
        # A stolen cookie must not reveal the token, so cookies are signed with a digest of it.
        self._key = hmac.digest(self._token, b"digitlens web session", hashlib.sha256)
        self._clock, self._now, self._say = clock, now, say
        self._failures: OrderedDict[tuple[Scheme, str], tuple[int, float, float]] = OrderedDict()

    @property
    def requires_token(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    def check(self, address: str, bearer: str | None, cookie: str | None) -> Verdict:
        """Check a request's bearer token and cookie; None is an absent one."""
        if not self.requires_token:
            return "granted"
        if bearer is not None:
            return self.check_token(address, bearer, "bearer")
        if cookie is None:
            return "missing"
        expires, _, _ = cookie.partition(".")
        if _same(cookie, self._signed(expires)):
            return "granted" if int(expires) > self._now() else "missing"
        return self._refuse(address, "cookie")

    def check_token(self, address: str, token: str, scheme: Scheme) -> Verdict:
        """Check a token.

        The right one is granted during a pause, too, for a guesser may share its address with a keeper. What
        keeps a token from being guessed is its length.
        """
        if self.requires_token and _same(token, self._token.decode()):
            return "granted"
        return self._refuse(address, scheme)

    def _refuse(self, address: str, scheme: Scheme) -> Verdict:
        if self.retry_after(address, scheme):
            return "throttled"
        self._record_failure(address, scheme)
        return "wrong"

    def issue_cookie(self) -> str:
        """A session cookie's value: when it expires, seconds since 1970, signed."""
        return self._signed(str(int(self._now()) + SESSION_LIFETIME))

    def retry_after(self, address: str, scheme: Scheme) -> float:
        """Time until that address may try again, seconds; 0: now."""
        _, _, until = self._failures.get((scheme, network(address)), (0, 0.0, 0.0))
        return max(0.0, until - self._clock())

    def _signed(self, expires: str) -> str:
        return (
            f"{expires}.{hmac.new(self._key, expires.encode(errors='replace'), hashlib.sha256).hexdigest()}"
        )

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
            self._say(f"web page: wrong {'token' if scheme != 'cookie' else 'cookie'} from {address}{waits}")


def _same(presented: str, right: str) -> bool:
    return hmac.compare_digest(presented.encode(errors="replace"), right.encode())
