"""Webhook: each entry of the outbox as a signed POST of JSON, one after the other.

The body is the entry. Where there is a key, the headers are `X-Digitlens-Timestamp` (seconds since 1970)
and `X-Digitlens-Signature: sha256=HEX`, the HMAC of TIMESTAMP.BODY. `X-Digitlens-Id` is the entry's id, by
which a receiver recognizes a repeat.
"""

import email.utils
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from time import monotonic, time
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import msgspec

from digitlens.core.backoff import Backoff
from digitlens.core.errors import OutletError
from digitlens.core.version import __version__
from digitlens.outlets.base import Option, Outlet, OutletContext, OutletThread, stopped_by
from digitlens.outlets.entries import Entry
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.secrets import secret
from digitlens.outlets.tls import client_context, is_loopback
from digitlens.outlets.webhook_address import address, parse
from digitlens.outlets.webhook_settings import WebhookSettings

CREDENTIAL = "webhook-key"
"""The key's name among systemd's credentials."""
REFUSED = frozenset((400, 409, 413, 422))
"""The statuses by which a receiver judges the entry. Whatever else fails may be mended, here or there."""
MAX_BODY = 65_536
"""Length of an answer's body that is read, at most, bytes; more is of no use."""
DRAIN_TIMEOUT = 3.0
"""Time to finish the request in flight when the outlet is closed, at most, seconds."""
IDLE = 60.0
"""Time between two looks into the outbox without an announcement, which may have been missed, seconds."""


@dataclass(frozen=True)
class WebhookTiming:
    """When an entry is sent again."""

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
    """Pauses before an entry is sent again, the last one repeated; each varies by a fifth, seconds."""
    longest_retry_after: float = 3600.0
    """Wait that a receiver may ask for (Retry-After), at most, seconds."""


class Answer(NamedTuple):
    """A status, the Retry-After in seconds, and where a redirect leads, else empty."""

    status: int
    retry_after: float
    location: str


class WebhookOutlet(Outlet):
    """Posts the outbox's entries in its own thread, in order.

    2xx is the acknowledgment. The statuses of REFUSED make the entry a dead letter. Everything else, a wrong
    key and redirects included, is retried with backoff while later entries wait. Dead letters that are to be
    sent again come after the pending entries.

    Args:
        outbox: holds every entry that is announced.
        say: takes each line for the user, in the thread.
        timing: of tests, which do not wait for long.

    Raises:
        OutletError: the address is not one, or it, the key or the certificates cannot be read.
    """

    name = "webhook"
    Settings = WebhookSettings
    switch = "url"
    options = (Option("--webhook", "url", "[webhook] url; the process list shows it", "URL"),)
    sends_from_outbox = True
    secrets = (("key_file", CREDENTIAL), ("url_file", ""))
    thread: OutletThread

    @classmethod
    def check(cls, settings: WebhookSettings) -> None:
        """See Outlet; the address is not repeated, for it may hold a secret."""
        if settings.url and settings.url_file:
            raise ValueError("url_file: holds the address, and so does url: take one of them")
        if settings.url:
            try:
                parse(settings.url)
            except ValueError as error:
                raise ValueError(f"url: {error}") from error

    @classmethod
    def is_on(cls, settings: WebhookSettings) -> bool:
        """See Outlet."""
        return bool(settings.url or settings.url_file)

    @classmethod
    def preflight(cls, settings: WebhookSettings) -> list[str]:
        """See Outlet."""
        problems = super().preflight(settings)
        return problems or stopped_by(cls.name, lambda: address(settings))

    @classmethod
    def warnings(cls, settings: WebhookSettings) -> list[str]:
        """See Outlet."""
        to = address(settings)
        if to.encrypted or is_loopback(to.host):
            return []
        unused = ", and ca_file is of no use" if settings.ca_file else ""
        return [f"[webhook] url: by http everybody on the way can read what is sent{unused}: take https"]

    @classmethod
    def open(cls, settings: WebhookSettings, context: OutletContext) -> Self:
        """See Outlet."""
        return cls(settings, context.outbox(), context.say)

    def __init__(
        self,
        settings: WebhookSettings,
        outbox: Outbox,
        say: Callable[[str], None] = lambda line: None,
        timing: WebhookTiming = WebhookTiming(),  # frozen
    ) -> None:
        self._settings, self._outbox, self._say_line, self._timing = settings, outbox, say, timing
        self._address = address(settings)
        self._context = None
        if self._address.encrypted:
            self._context = client_context(settings.ca_file, "webhook.ca_file")
        self._key()  # read again for each entry; an error is raised now
        outbox.follow(self.name)
        self._said = ""
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._backoff = Backoff(timing.pauses, jitter=0.2)
        self._refused = 0
        self._closing = False
        self._changed = threading.Condition()
        self._announced = True
        self.thread = OutletThread("webhook", self._run)
        self.thread.start()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        with self._changed:
            self._announced = True
            self._changed.notify()

    def close(self) -> None:
        """See Outlet; an entry without an answer within DRAIN_TIMEOUT stays in the outbox."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.thread.join(DRAIN_TIMEOUT)
        self._hang_up()
        self.thread.join(DRAIN_TIMEOUT)

    def _key(self) -> bytes:
        return secret(self._settings.key_file, CREDENTIAL, "webhook.key_file").encode()

    def _run(self) -> None:
        try:
            while not self._closing:
                with self._changed:
                    self._changed.wait_for(lambda: self._announced or self._closing, IDLE)
                    self._announced = False
                for entry in iter(self._next, None):
                    if self._closing:
                        break
                    self._deliver(entry)
        finally:
            self._drop()

    def _next(self) -> Entry | None:
        if self._closing:
            return None
        found = self._outbox.pending(self.name, 1) or self._outbox.again(self.name, 1)
        return found[0] if found else None

    def _deliver(self, entry: Entry) -> None:
        """Try once; after a failure, wait."""
        retry_after, origin = 0.0, self._address.origin
        try:
            answer = self._post(entry)
        except OutletError as error:
            self._say(str(error))
        else:
            if 200 <= answer.status < 300:
                if self._said:
                    self._say_line(f"webhook: {origin}: takes readings again")
                self._said, self._refused = "", 0
                self._backoff.reset()
                self._outbox.acknowledge(self.name, [entry.id])
                return
            status = f"{answer.status} {http.client.responses.get(answer.status, '')}".strip()
            if answer.status in REFUSED:
                self._refused += 1
                if self._refused == 1:
                    self._say(f"{origin}: refuses readings: {status}; see digitlens log --dead-letters")
                self._backoff.reset()
                self._outbox.refuse(self.name, entry.id, status)
                return
            if answer.location:
                status += (
                    f" to {answer.location}; redirects are not followed: put the new address into webhook.url"
                )
            question = ": are key_file and this device's clock right?" if answer.status in (401, 403) else ""
            self._say(f"{origin}: {status}; readings wait{question}")
            retry_after = answer.retry_after
        with self._changed:
            self._changed.wait_for(lambda: self._closing, max(self._backoff.pause(), retry_after))

    def _post(self, entry: Entry) -> Answer:
        """Send the entry and read the answer; a connection that the receiver has closed is renewed.

        Raises:
            OutletError: no answer came.
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
                raise OutletError(f"{self._address.origin}: {_failure(error)}; readings wait") from error

    def _exchange(self, body: bytes, headers: dict[str, str]) -> Answer:
        timeout, host, port = self._settings.timeout, self._address.host, self._address.port
        if self._connection is None:
            if self._context is not None:
                self._connection = http.client.HTTPSConnection(
                    host, port, timeout=timeout, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=timeout)
            self._connection.connect()
            self._socket = self._connection.sock
        # The socket's timeout is for each piece; a receiver that trickles would hold us for ever.
        overdue = threading.Timer(timeout, self._hang_up)
        overdue.daemon = True
        started = monotonic()  # before the timer, so that a request which it ends always counts as late
        overdue.start()
        try:
            self._connection.request("POST", self._address.path, body, headers)
            with self._connection.getresponse() as response:
                more = len(response.read(MAX_BODY + 1)) > MAX_BODY
                answer = Answer(
                    response.status,
                    _retry_after(response.getheader("Retry-After", ""), self._timing.longest_retry_after),
                    _location(response),
                )
                if more or response.will_close:
                    self._drop()
            if monotonic() - started >= timeout:  # http.client takes our hang-up for the head's end
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
        """End the exchange from another thread."""
        if (open_socket := self._socket) is not None:
            with suppress(OSError):
                # SSLSocket's own shutdown() takes TLS away under the thread that reads.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._socket = None

    def _say(self, line: str) -> None:
        """Say a line once, until another one follows or an entry is taken."""
        if line != self._said:
            self._said = line
            self._say_line(f"webhook: {line}")


def _failure(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}"
    return f"does not answer as a web server does ({type(error).__name__})"


def _retry_after(header: str, longest: float) -> float:
    """Retry-After, a number or a date, in seconds from now."""
    if header.isascii() and header.strip().isdigit():
        return min(float(header.strip()[:9]), longest)
    try:
        date = email.utils.parsedate_to_datetime(header)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, longest))


def _location(response: http.client.HTTPResponse) -> str:
    """Where a redirect leads, for people, without what would disturb their terminal; else empty."""
    if not 300 <= response.status < 400:
        return ""
    origin = _origin_of(response.getheader("Location", ""))
    return "".join(sign for sign in origin if sign.isprintable())[:200] or "nowhere"


def _origin_of(address: str) -> str:
    """Scheme and host of an address; empty if it is not one."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
