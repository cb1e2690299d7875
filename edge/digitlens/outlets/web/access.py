"""Who may look at the page: the token, the cookie that stands for it, and how fast one may guess."""

import hashlib
import hmac
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Literal

from digitlens.core.errors import OutletError
from digitlens.outlets.secrets import read_secret, secret_path

CREDENTIAL = "web-token"
"""Its name among systemd's credentials."""
TOKEN = re.compile(r"[!-~]{16,512}")
MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
LIFE = 30 * 24 * 3600
"""Seconds that a sign-in lasts."""
FREE = 5
"""Wrong tries from one address before it has to wait."""
LONGEST = 60.0
"""Seconds of the longest wait; the first is one, and each is twice the one before."""
FORGET = 600.0
"""Seconds without a wrong try, after which an address is as good as new."""
MOST = 1024
"""Addresses that are remembered: whoever comes with more pushes out his own."""

Verdict = Literal["in", "unknown", "wrong", "slow"]
"""Whether a request comes in; `unknown` showed nothing, `slow` has to wait and was not looked at."""
Kind = Literal["bearer", "cookie", "sign-in"]
"""How the token was shown; each is counted for itself, so that a program with an old token bars no person."""


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
    """Judges what requests show; without a token all may come in.

    Args:
        token: the secret, or empty.
        clock: monotonic seconds, for the waits.
        now: seconds since 1970, for the cookies.
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
        # Whoever has a cookie has not the token: it cannot be had back from its digest.
        self._key = hmac.digest(self._token, b"digitlens web session", hashlib.sha256)
        self._clock, self._now, self._say = clock, now, say
        self._tries: OrderedDict[tuple[Kind, str], tuple[int, float, float]] = OrderedDict()

    @property
    def guarded(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    def judge(self, address: str, bearer: str | None, cookie: str | None) -> Verdict:
        """What a request's Authorization header and cookie are worth; None is an absent one."""
        if not self.guarded:
            return "in"
        if bearer is not None:
            return self.try_token(address, bearer, "bearer")
        if cookie is None:
            return "unknown"
        if self.wait(address, "cookie"):
            return "slow"
        expires, _, _ = cookie.partition(".")
        if _same(cookie, self._signed(expires)):
            return "in" if int(expires) > self._now() else "unknown"
        self._count(address, "cookie")
        return "wrong"

    def try_token(self, address: str, token: str, kind: Kind) -> Verdict:
        """Whether it is the token."""
        if self.wait(address, kind):
            return "slow"
        if self.guarded and _same(token, self._token.decode()):
            return "in"
        self._count(address, kind)
        return "wrong"

    def cookie(self) -> str:
        """A cookie's value that stands for the token until it expires."""
        return self._signed(str(int(self._now()) + LIFE))

    def wait(self, address: str, kind: Kind) -> float:
        """Seconds until that address may try again; 0: now."""
        _, _, until = self._tries.get((kind, _network(address)), (0, 0.0, 0.0))
        return max(0.0, until - self._clock())

    def _signed(self, expires: str) -> str:
        return (
            f"{expires}.{hmac.new(self._key, expires.encode(errors='replace'), hashlib.sha256).hexdigest()}"
        )

    def _count(self, address: str, kind: Kind) -> None:
        """One more wrong try. A right one in between takes none back, or two could share an address."""
        key, now = (kind, _network(address)), self._clock()
        wrong, last, _ = self._tries.pop(key, (0, now, 0.0))
        wrong = wrong + 1 if now - last < FORGET else 1
        pause = min(LONGEST, 2.0 ** (wrong - FREE)) if wrong >= FREE else 0.0
        self._tries[key] = wrong, now, now + pause
        while len(self._tries) > MOST:
            self._tries.popitem(last=False)
        if wrong == 1 or pause:
            waits = f"; {wrong} by now, the next in {pause:.0f} s" if pause else ""
            self._say(f"web page: wrong {'token' if kind != 'cookie' else 'cookie'} from {address}{waits}")


def _same(shown: str, right: str) -> bool:
    return hmac.compare_digest(shown.encode(errors="replace"), right.encode())


def _network(address: str) -> str:
    """An IPv4 address is one guest's, of IPv6 a whole /64 is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
