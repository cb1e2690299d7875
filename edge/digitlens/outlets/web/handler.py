"""The base of all handlers: a request's origin and credentials are checked before its path and method."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar, cast

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from digitlens.outlets.web import addresses
from digitlens.outlets.web.context import AppContext
from digitlens.outlets.web.server import LimitedServer

T = TypeVar("T")
HEADERS = {
    "Server": "digitlens",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none, browsers hide the origin of the sign-in, too
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")
"""Headers of reverse proxies: behind one others than this machine reach the page."""
POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class Handler(RequestHandler):
    """Checks every request, and answers 404 itself where no other handler matches.

    `methods` are the HTTP methods it answers; `requires_access` says whether a client must present the token.
    """

    methods: ClassVar[tuple[str, ...]] = ()
    requires_access: ClassVar[bool] = True

    def initialize(self, context: AppContext) -> None:
        """See RequestHandler."""
        self.context = context

    def set_default_headers(self) -> None:
        """See RequestHandler."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Content-Security-Policy", POLICY)

    def compute_etag(self) -> None:
        """No ETag by default; the page's files set their own."""

    def prepare(self) -> None:
        """Check the request.

        Raises:
            HTTPError: 403, 401, 429, 404 or 405, in this order.
        """
        headers = self.request.headers
        if not self.context.access.requires_token and (
            _host(self.request.host) not in self.context.hosts or any(name in headers for name in FORWARDED)
        ):
            raise HTTPError(403, reason="Not Here", log_message="open without a token on this machine alone")
        site = headers.get("Sec-Fetch-Site", "none")
        if site in ("cross-site", "same-site") and headers.get("Sec-Fetch-Mode") != "navigate":
            raise HTTPError(403, log_message="asked for by another site's page")
        origin = headers.get("Origin")
        if origin is not None and origin.partition("://")[2].lower() != self.request.host.lower():
            raise HTTPError(403, log_message="asked for by another site's page")
        if self.requires_access:
            self._check_access()
            self.server.admit(cast(HTTP1Connection, self.request.connection))
        if not self.methods:
            raise HTTPError(404, log_message="nothing here")
        if self.request.method not in self.methods:
            self._not_allowed()

    def _check_access(self) -> None:
        verdict = self.context.access.check(self.address, self.bearer, self.session)
        if verdict == "throttled":
            self.refuse_until(self.context.access.retry_after(self.address, "bearer"))
        if verdict != "granted":
            raise HTTPError(401, log_message="needs the token")

    def still_granted(self) -> bool:
        """Whether what let the request in has not ended since, as a session does."""
        if not self.context.access.requires_token or self.bearer is not None:
            return True
        return self.session is not None and self.context.access.sessions.is_valid(self.session)

    def refuse_until(self, seconds: float) -> NoReturn:
        """Refuse a client that failed too often, with the seconds until it may try again.

        Raises:
            HTTPError: always.
        """
        self._headers["Retry-After"] = str(int(seconds) + 1)
        raise HTTPError(429, log_message=f"too many wrong tries; wait {int(seconds) + 1} s")

    def _not_allowed(self) -> None:
        self._headers["Allow"] = ", ".join(self.methods)
        raise HTTPError(405, log_message=f"takes {' and '.join(self.methods)} alone")

    @property
    def bearer(self) -> str | None:
        """The token in the Authorization header; None without one."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        # Of a header's value only these two are spaces; str.strip() takes a no-break space for one.
        return token.strip(" \t") if scheme.lower() == "bearer" else None

    @property
    def session(self) -> str | None:
        """The session's secret in the cookie; None without one."""
        return self.get_cookie(self.context.cookie_name)

    @property
    def address(self) -> str:
        """The client's IP address; behind proxies that are trusted what they say."""
        forwarded = ",".join(self.request.headers.get_list("X-Forwarded-For"))
        return addresses.client(str(self.request.remote_ip), forwarded, self.context.proxies)

    @property
    def encrypted(self) -> bool:
        """Whether the client came by https, to us or to a proxy that is trusted."""
        if self.context.encrypted:
            return True
        said = self.request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        return said == "https" and addresses.is_trusted(str(self.request.remote_ip), self.context.proxies)

    async def run_in_executor(self, call: Callable[..., T], *arguments: Any) -> T:
        """The result of a blocking call."""
        return await asyncio.get_running_loop().run_in_executor(self.context.executor, call, *arguments)

    async def look_up(self, call: Callable[..., T], *arguments: Any) -> T:
        """The result of a call that reads the history, behind those that others wait for."""
        return await asyncio.get_running_loop().run_in_executor(self.context.lookups, call, *arguments)

    @property
    def server(self) -> LimitedServer:
        """The server that has the request's connection."""
        return cast(LimitedServer, self.application.settings["server"])

    def extend_deadline(self) -> None:
        """Give this answer the time of a stream."""
        self.server.extend(cast(HTTP1Connection, self.request.connection))

    async def drain(self) -> None:
        """Wait until the client has taken all that was written; a stuck one is disconnected.

        Raises:
            StreamClosedError: the client has gone, or is stuck.
        """
        flushing = self.flush()
        done, _ = await asyncio.wait([flushing], timeout=self.context.limits.write_timeout)
        if not done:
            stream = cast(HTTP1Connection, self.request.connection).stream
            if stream is not None:
                stream.close()
            raise StreamClosedError
        flushing.result()

    def send_json(self, value: object) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(value))

    def send_error(self, status_code: int = 500, **options: Any) -> None:
        """See RequestHandler; keeps Retry-After and Allow."""
        kept = {name: self._headers[name] for name in ("Retry-After", "Allow") if name in self._headers}
        options["kept"] = kept
        super().send_error(status_code, **options)

    def write_error(self, status_code: int, **options: Any) -> None:
        """One line of JSON; the sign-in page for a browser without the token."""
        for name, value in options.get("kept", {}).items():
            self.set_header(name, value)
        error = (options.get("exc_info") or (None, None, None))[1]
        message = error.log_message if isinstance(error, HTTPError) and error.log_message else self._reason
        if status_code in (401, 429):
            if status_code == 401:
                self.set_header("WWW-Authenticate", 'Bearer realm="digitlens"')
            if "text/html" in self.request.headers.get("Accept", ""):
                self.set_header("Content-Type", "text/html; charset=utf-8")
                self.set_header("Content-Security-Policy", f"{POLICY}; {self.context.sign_in_policy}")
                note = {401: b"wrong", 429: b"slow"}[status_code] if not self.requires_access else b""
                self.finish(self.context.sign_in.replace(b' id="%s" hidden' % note, b' id="%s"' % note))
                return
        self.send_json({"error": message})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log our own faults in one line; clients' faults are not logged."""
        if not isinstance(value, HTTPError | StreamClosedError):
            self.context.say(f"web page: {self.request.path}: {typ.__name__}: {value}")

    def data_received(self, chunk: bytes) -> None:
        """Bodies are not streamed."""


def _host(name: str) -> str:
    """The name in a Host header, without its port."""
    name = name.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
