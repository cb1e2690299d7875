"""Webhook: each reading as a POST of JSON, signed, one after the other from the journal.

The body is the entry. Where there is a key, the headers are `X-Digitlens-Timestamp` (seconds since 1970)
and `X-Digitlens-Signature: sha256=HEX`, the HMAC of TIMESTAMP.BODY; `X-Digitlens-Id` is the entry's id, by
which a receiver tells a repeat.
"""

import email.utils
import hashlib
import hmac
import http.client
import random
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC
from time import monotonic, time
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import msgspec

from digitlens.core.errors import OutletError
from digitlens.core.version import __version__
from digitlens.outlets.base import Option, Outlet, OutletContext
from digitlens.outlets.entries import Entry
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.secrets import secret
from digitlens.outlets.tls import trusting
from digitlens.outlets.webhook_settings import WebhookSettings

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds before an entry is sent again; the last again and again. A fifth more or less, by chance."""
LONGEST = 3600.0
"""Seconds that a receiver may tell us to wait (Retry-After)."""
LATER = frozenset((408, 425, 429))
"""Of the answers 400 to 499, those that may be another the next time."""
BODY = 65_536
"""Bytes of an answer that are read; what comes after is of no use."""

FAREWELL = 3.0
"""Seconds for what is under way when the outlet is closed."""


class Answer(NamedTuple):
    """A status, and the seconds after which the receiver wants to be asked again."""

    status: int
    after: float
    moved: str


class WebhookOutlet(Outlet):
    """Posts in a thread of its own, from the journal, in order.

    2xx is the acknowledgment. 4xx but 408, 425 and 429 sets the entry aside in the journal; all else,
    redirects among it, is tried again at growing pauses, and what comes after waits.

    Args:
        journal: what is announced stands in it.
        say: is handed each line for the user, from the thread.

    Raises:
        OutletError: the address is none, or the key or the certificates cannot be read.
    """

    name = "webhook"
    Settings = WebhookSettings
    switch = "url"
    options = (Option("--webhook", "url", "[webhook] url", "URL"),)
    sends_from_outbox = True

    @classmethod
    def check(cls, settings: WebhookSettings) -> None:
        """See Outlet; the address is not repeated, for it may hold a secret."""
        if settings.url and not re.fullmatch(r"https?://[^\s/?#]+\S*", settings.url):
            raise ValueError("url: take http://... or https://...")

    @classmethod
    def open(cls, settings: WebhookSettings, context: OutletContext) -> Self:
        """See Outlet."""
        return cls(settings, context.outbox(), context.say)

    def __init__(
        self,
        settings: WebhookSettings,
        journal: Outbox,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._settings, self._journal, self._say_line = settings, journal, say
        try:
            parts = urlsplit(settings.url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise OutletError(f"webhook.url: {error}") from error
        if parts.scheme not in ("http", "https") or not self._host:
            raise OutletError("webhook.url: take http://... or https://...")
        if parts.username is not None:
            raise OutletError(
                "webhook.url: no user and password in it: the receiver knows us by the signature"
            )
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not self._path.isascii() or any(sign <= " " or sign == "\x7f" for sign in self._path):
            raise OutletError("webhook.url: must be written with %XX where it is not plain letters")
        # Without the path, which may hold a secret.
        self._where = f"{parts.scheme}://{parts.netloc}"
        self._context = None
        if parts.scheme == "https":
            self._context = trusting(settings.ca_file, "webhook.ca_file")
        self._key()  # what is wrong with it is said now
        journal.follow(self.name)
        self._said = ""
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._tries = 0
        self._refused = 0
        self._closing = False
        self._news = threading.Condition()
        self._fresh = True
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        with self._news:
            self._fresh = True
            self._news.notify()

    def close(self) -> None:
        """See Outlet; what has no answer in a few seconds stays in the journal."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(FAREWELL)
        self._hang_up()
        self._thread.join(FAREWELL)

    def _key(self) -> bytes:
        return secret(self._settings.key_file, "webhook-key", "webhook.key_file").encode()

    def _run(self) -> None:
        while True:
            with self._news:
                # Now and then also without news: whatever an announcement may have missed.
                self._news.wait_for(lambda: self._fresh or self._closing, 60.0)
                self._fresh = False
            for entry in iter(self._next, None):
                if self._closing:
                    break
                self._deliver(entry)
            if self._closing:
                self._drop()
                return

    def _next(self) -> Entry | None:
        found = [] if self._closing else self._journal.pending(self.name, 1)
        return found[0] if found else None

    def _deliver(self, entry: Entry) -> None:
        """Try once; where it has failed, wait."""
        after = 0.0
        try:
            answer = self._post(entry)
        except OutletError as error:
            self._say(str(error))
        else:
            if 200 <= answer.status < 300:
                if self._said:
                    self._say_line(f"webhook: {self._where}: takes readings again")
                self._said, self._tries, self._refused = "", 0, 0
                self._journal.acknowledge(self.name, [entry.id])
                return
            what = f"{answer.status} {http.client.responses.get(answer.status, '')}".strip()
            if 400 <= answer.status < 500 and answer.status not in LATER:
                self._refused += 1
                if self._refused == 1:
                    self._say(f"{self._where}: refuses readings: {what}; see digitlens log --dead-letters")
                self._tries = 0
                self._journal.refuse(self.name, entry.id, what)
                return
            if answer.moved:
                what += (
                    f" to {answer.moved}; redirects are not followed: put the new address into webhook.url"
                )
            self._say(f"{self._where}: {what}; readings wait")
            after = answer.after
        pause = PAUSES[min(self._tries, len(PAUSES) - 1)] * random.uniform(0.8, 1.2)
        self._tries += 1
        with self._news:
            self._news.wait_for(lambda: self._closing, max(pause, after))

    def _post(self, entry: Entry) -> Answer:
        """Send it and hear the answer; a connection that the receiver has closed meanwhile is made anew.

        Raises:
            OutletError: there is no answer.
        """
        body = msgspec.json.encode(entry)
        timestamp = f"{time():.0f}"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"digitlens/{__version__}",
            "X-Digitlens-Id": "".join(sign if " " < sign < "\x7f" else "-" for sign in entry.id),
        }
        if key := self._key():
            signature = hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers |= {"X-Digitlens-Timestamp": timestamp, "X-Digitlens-Signature": f"sha256={signature}"}
        while True:
            used = self._connection is not None
            try:
                return self._exchange(body, headers)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._drop()
                if used and isinstance(error, http.client.RemoteDisconnected | ConnectionError):
                    continue
                raise OutletError(f"{self._where}: {_why(error)}; readings wait") from error

    def _exchange(self, body: bytes, headers: dict[str, str]) -> Answer:
        timeout = self._settings.timeout
        if self._connection is None:
            if self._context is not None:
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
            self._connection.connect()
            self._socket = self._connection.sock
        # The timeout of the socket is for each piece; a receiver that trickles would hold us for ever.
        overdue = threading.Timer(timeout, self._hang_up)
        overdue.daemon = True
        started = monotonic()  # before the timer, so that what it ends is always seen to be late
        overdue.start()
        try:
            self._connection.request("POST", self._path, body, headers)
            with self._connection.getresponse() as response:
                left = len(response.read(BODY + 1)) > BODY
                answer = Answer(
                    response.status, _after(response.getheader("Retry-After", "")), _moved(response)
                )
                if left or response.will_close:
                    self._drop()
            if monotonic() - started >= timeout:  # hung up on; http.client takes that for the head's end
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if monotonic() - started >= timeout:
                raise TimeoutError from error
            raise
        finally:
            overdue.cancel()
            overdue.join()
        return answer

    def _hang_up(self) -> None:
        """From another thread: what waits on the connection ends."""
        if (held := self._socket) is not None:
            with suppress(OSError):
                # Not SSLSocket's own, which takes its TLS away under the thread that reads.
                socket.socket.shutdown(held, socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._socket = None

    def _say(self, line: str) -> None:
        """Once, until another thing is wrong or it is mended."""
        if line != self._said:
            self._said = line
            self._say_line(f"webhook: {line}")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}"
    return f"does not answer as a web server does ({type(error).__name__})"


def _after(told: str) -> float:
    """Retry-After: seconds, or a date."""
    if told.isascii() and told.strip().isdigit():
        return min(float(told.strip()[:9]), LONGEST)
    try:
        date = email.utils.parsedate_to_datetime(told)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, LONGEST))


def _moved(response: http.client.HTTPResponse) -> str:
    """Where a redirect leads, for people; without what would disturb their terminal."""
    if not 300 <= response.status < 400:
        return ""
    place = _origin(response.getheader("Location", ""))
    return "".join(sign for sign in place if sign.isprintable())[:200] or "nowhere"


def _origin(address: str) -> str:
    """Scheme and host of an address; empty if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
