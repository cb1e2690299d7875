"""What holds for every route: who asks is judged before what is asked for."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar, cast

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from digitlens.outlets.web.context import AppContext
from digitlens.outlets.web.limits import LimitedServer

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
POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
LONG = 3600.0
"""Seconds that a stream of events may last; whoever listens comes again."""
STUCK = 20.0
"""Seconds for which whoever listens may leave something lying before it is over."""


class Handler(RequestHandler):
    """What holds for every address, the unknown ones included: it answers 404 to whoever may ask."""

    methods: ClassVar[tuple[str, ...]] = ()
    signs_in = False

    def initialize(self, site: AppContext) -> None:
        """See RequestHandler."""
        self.site = site

    def set_default_headers(self) -> None:
        """See RequestHandler."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Content-Security-Policy", POLICY)

    def compute_etag(self) -> None:
        """Nothing is worth it but the page's files, which have theirs."""

    def prepare(self) -> None:
        """Judge the request.

        Raises:
            HTTPError: 403, 401, 429, 404 or 405, in this order.
        """
        headers = self.request.headers
        if not self.site.access.guarded and _host(self.request.host) not in self.site.hosts:
            raise HTTPError(403, reason="Not Here", log_message="open without a token on this machine alone")
        where = headers.get("Sec-Fetch-Site", "none")
        if where in ("cross-site", "same-site") and headers.get("Sec-Fetch-Mode") != "navigate":
            raise HTTPError(403, log_message="asked for by another site's page")
        origin = headers.get("Origin")
        if origin is not None and origin.partition("://")[2].lower() != self.request.host.lower():
            raise HTTPError(403, log_message="asked for by another site's page")
        if not self.signs_in:
            self._admit()
        if not self.methods:
            raise HTTPError(404, log_message="nothing here")
        if self.request.method not in self.methods:
            self._not_allowed()

    def _admit(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else None
        verdict = self.site.access.judge(self.address, bearer, self.get_cookie(self.site.cookie))
        if verdict == "slow":
            self.slow(self.site.access.wait(self.address, "cookie" if bearer is None else "bearer"))
        if verdict != "in":
            raise HTTPError(401, log_message="needs the token")

    def slow(self, seconds: float) -> NoReturn:
        """Refuse whoever has tried too often.

        Raises:
            HTTPError: always.
        """
        self._headers["Retry-After"] = str(int(seconds) + 1)
        raise HTTPError(429, log_message=f"too many wrong tries; wait {int(seconds) + 1} s")

    def _not_allowed(self) -> None:
        self._headers["Allow"] = ", ".join(self.methods)
        raise HTTPError(405, log_message=f"takes {' and '.join(self.methods)} alone")

    @property
    def address(self) -> str:
        """Who asks."""
        return str(self.request.remote_ip)

    async def off_loop(self, call: Callable[..., T], *arguments: Any) -> T:
        """The outcome of a call that may take its time."""
        return await asyncio.get_running_loop().run_in_executor(self.site.pool, call, *arguments)

    def last_long(self) -> None:
        """This answer is long by its nature."""
        gate: LimitedServer = self.application.settings["gate"]
        gate.extend(cast(HTTP1Connection, self.request.connection), LONG)

    async def flow(self) -> None:
        """Send what was written; as fast as it is taken, and not to one who takes nothing.

        Raises:
            StreamClosedError: nobody is there.
        """
        flushing = self.flush()
        done, _ = await asyncio.wait([flushing], timeout=STUCK)
        if not done:
            stream = cast(HTTP1Connection, self.request.connection).stream
            if stream is not None:
                stream.close()
            raise StreamClosedError
        flushing.result()

    def send(self, what: object) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(what))

    def send_error(self, status_code: int = 500, **about: Any) -> None:
        """See RequestHandler; what was set for the answer, Retry-After and the like, is kept."""
        kept = {name: self._headers[name] for name in ("Retry-After", "Allow") if name in self._headers}
        about["kept"] = kept
        super().send_error(status_code, **about)

    def write_error(self, status_code: int, **about: Any) -> None:
        """One line of JSON; for a person without the token the page to sign in."""
        for name, value in about.get("kept", {}).items():
            self.set_header(name, value)
        error = (about.get("exc_info") or (None, None, None))[1]
        said = error.log_message if isinstance(error, HTTPError) and error.log_message else self._reason
        if status_code in (401, 429):
            if status_code == 401:
                self.set_header("WWW-Authenticate", 'Bearer realm="digitlens"')
            if "text/html" in self.request.headers.get("Accept", ""):
                self.set_header("Content-Type", "text/html; charset=utf-8")
                self.set_header("Content-Security-Policy", f"{POLICY}; {self.site.sign_in_policy}")
                note = {401: b"wrong", 429: b"slow"}[status_code] if self.signs_in else b""
                self.finish(self.site.sign_in.replace(b' id="%s" hidden' % note, b' id="%s"' % note))
                return
        self.send({"error": said})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What strangers do wrong is not logged; what we did is one line."""
        if not isinstance(value, HTTPError | StreamClosedError):
            self.site.say(f"web page: {self.request.path}: {typ.__name__}: {value}")

    def data_received(self, chunk: bytes) -> None:
        """Bodies are not streamed."""


def _host(name: str) -> str:
    """The name in a Host header, without its port."""
    name = name.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
