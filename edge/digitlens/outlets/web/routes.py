"""The routes: who asks is judged before what is asked for."""

import asyncio
from collections.abc import Callable
from math import isfinite
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from digitlens import __version__
from digitlens.errors import DigitLensError
from digitlens.outlets.web import metrics, past, viewers
from digitlens.outlets.web.access import LIFE
from digitlens.outlets.web.gate import Gate
from digitlens.outlets.web.pictures import flat
from digitlens.outlets.web.site import Site

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
PAGE_POLICY = f"{POLICY}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
LONG = 3600.0
"""Seconds that a stream of events may last; whoever listens comes again."""
SILENT = 15.0
"""Seconds after which such a stream says that it is alive."""
AT_ONCE = 500
"""Entries that one answer has at the most, and that a download reads at a time."""


class Route(RequestHandler):
    """What holds for every address, the unknown ones included: it answers 404 to whoever may ask."""

    methods: ClassVar[tuple[str, ...]] = ()
    signs_in = False

    def initialize(self, site: Site) -> None:
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
        if origin is not None and urlsplit(origin).netloc.lower() != self.request.host.lower():
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
            kind = "cookie" if bearer is None else "bearer"
            self._slow(self.site.access.wait(self.address, kind))
        if verdict != "in":
            raise HTTPError(401, log_message="needs the token")

    def _slow(self, seconds: float) -> None:
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
        gate: Gate = self.application.settings["gate"]
        gate.extend(cast(HTTP1Connection, self.request.connection), LONG)

    async def flow(self) -> None:
        """Send what was written; as fast as it is taken, and not to one who takes nothing.

        Raises:
            StreamClosedError: nobody is there.
        """
        try:
            await asyncio.wait_for(self.flush(), viewers.STUCK)
        except TimeoutError:
            stream = cast(HTTP1Connection, self.request.connection).stream
            if stream is not None:
                stream.close()
            raise StreamClosedError from None

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


class Asset(Route):
    """A file of the page."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """The file, or 304."""
        asset = self.site.assets[self.request.path]
        self.set_header("Content-Type", asset.type)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Etag", asset.tag)
        if asset.type.startswith("text/html"):
            self.set_header("Content-Security-Policy", PAGE_POLICY)
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return
        self.finish(asset.content)

    head = get


class SignIn(Route):
    """The token, from the form of the sign-in page, for a cookie."""

    methods = ("POST",)
    signs_in = True

    def post(self) -> None:
        """303 to the page, or 401."""
        access = self.site.access
        verdict = access.try_token(self.address, self.get_body_argument("token", ""), "sign-in")
        if verdict == "slow":
            self._slow(access.wait(self.address, "sign-in"))
        if verdict != "in":
            raise HTTPError(401, log_message="wrong token")
        self.set_cookie(
            self.site.cookie, access.cookie(), expires_days=None, max_age=LIFE, httponly=True, samesite="Strict"
        )
        self.redirect("/", status=303)


class SignOut(Route):
    """Takes the cookie back."""

    methods = ("POST",)

    def post(self) -> None:
        """303 to the page."""
        self.set_cookie(self.site.cookie, "", max_age=0, httponly=True, samesite="Strict")
        self.redirect("/", status=303)


class Reading(Route):
    """What is on the paper now."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """The JSON reading of the newest frame, with `id`, `steady` and `age` (frames) of each number."""
        shown, vitals = self.site.latest.newest(), self.site.vitals.snapshot()
        if shown is None:
            raise HTTPError(503, log_message=metrics.trouble(vitals) or "no frame has come yet")
        self.send(
            {
                "source": vitals.camera,
                "time": shown.frame.time,
                "size": shown.size,
                "numbers": [flat(number) for number in shown.numbers],
                "age": None if vitals.age is None else round(vitals.age, 3),
                "trouble": metrics.trouble(vitals),
            }
        )

    head = get


class Frame(Route):
    """The newest picture."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """A JPEG, unless none is new."""
        trouble = metrics.trouble(self.site.vitals.snapshot())
        picture = None if trouble else await self.off_loop(self.site.pictures.newest)
        if picture is None:
            raise HTTPError(503, log_message=trouble or "no frame has come yet")
        self.set_header("Content-Type", "image/jpeg")
        self.finish(picture.jpeg)

    head = get


class History(Route):
    """What was read before."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """JSON, the newest first, with the `before` of the next page; `format=csv` gives all as one file."""
        wanted = self._filters()
        if self.get_query_argument("format", "json") == "csv" or self.request.path.endswith(".csv"):
            await self._csv(wanted)
            return
        limit = self._number("limit", 100, int)
        if not 1 <= limit <= AT_ONCE:
            raise HTTPError(400, log_message=f"limit: take 1 to {AT_ONCE}")
        entries = await self._page(limit + 1, wanted)
        more = entries[limit - 1].id if len(entries) > limit else None
        self.send({"entries": entries[:limit], "next": more, "journal": self.site.kept})

    head = get

    async def _csv(self, wanted: dict[str, Any]) -> None:
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="digitlens.csv"')
        self.last_long()
        entries = await self._page(AT_ONCE, wanted)
        self.write(past.as_csv(entries, head=True))
        try:
            while len(entries) == AT_ONCE and self.request.method != "HEAD":
                await self.flow()
                entries = await self._page(AT_ONCE, {**wanted, "before": entries[-1].id})
                self.write(past.as_csv(entries, head=False))
        except StreamClosedError:
            return
        self.finish()

    async def _page(self, limit: int, wanted: dict[str, Any]) -> list[Any]:
        try:
            return await self.off_loop(lambda: self.site.past.entries(limit, **wanted))
        except DigitLensError as error:
            self.site.say(f"web page: {error}")
            raise HTTPError(503, log_message="the journal cannot be read") from error

    def _filters(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for name in ("before", "text", "region", "kind"):
            wanted[name] = self.get_query_argument(name, "")
            if len(wanted[name]) > 200 or "\0" in wanted[name]:
                raise HTTPError(400, log_message=f"{name}: take at most 200 signs")
        for name in ("since", "until"):
            wanted[name] = self._number(name, None, float)
        return wanted

    def _number(self, name: str, default: Any, kind: type) -> Any:
        text = self.get_query_argument(name, None)
        if text is None:
            return default
        try:
            found = kind(text[:40])
        except ValueError:
            found = float("nan")
        if not isfinite(found):
            raise HTTPError(400, log_message=f"{name}: take a number")
        return found


class Events(Route):
    """Server-sent events: each entry as it is announced, and, after Last-Event-ID, what was missed."""

    methods = ("GET",)

    async def get(self) -> None:
        """Goes on until the listener leaves or the server ends."""
        if len(self.site.listeners) >= viewers.MOST:
            raise HTTPError(503, log_message="too many listeners")
        self.set_header("Content-Type", "text/event-stream")
        self.last_long()
        news = asyncio.Event()
        self.site.listeners.add(news.set)
        try:
            last = self.request.headers.get("Last-Event-ID", "") or await self._last()
            self.write(": digitlens\n\n")
            await self.flow()
            while not self.site.latest.closed:
                news.clear()
                while entries := await self.off_loop(self.site.past.after, last, AT_ONCE):
                    last = entries[-1].id
                    for entry in entries:
                        said = msgspec.json.encode(entry).decode()
                        self.write(f"id: {entry.id}\nevent: {entry.kind}\ndata: {said}\n\n")
                    await self.flow()
                try:
                    await asyncio.wait_for(news.wait(), SILENT)
                except TimeoutError:
                    self.write(":\n\n")
                    await self.flow()
        except StreamClosedError:
            return
        except DigitLensError as error:
            self.site.say(f"web page: {error}")
        finally:
            self.site.listeners.discard(news.set)

    async def _last(self) -> str:
        entries = await self.off_loop(lambda: self.site.past.entries(1))
        return entries[0].id if entries else ""


class Health(Route):
    """Whether frames flow, for whoever restarts what is ill."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """200, or 503 with the reason."""
        trouble = metrics.trouble(self.site.vitals.snapshot())
        self.set_status(503 if trouble else 200)
        self.send({"frames": not trouble, "why": trouble})

    head = get


class Metrics(Route):
    """For Prometheus."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """See metrics.exposition."""
        site = self.site
        try:
            backlog = await self.off_loop(site.backlog)
        except DigitLensError:  # a journal that cannot be read is told elsewhere; the rest still counts
            backlog = {}
        self.set_header("Content-Type", metrics.TYPE)
        self.finish(metrics.exposition(site.vitals.snapshot(), backlog, len(site.viewers), __version__))

    head = get


class Live(Route, WebSocketHandler):
    """A page's connection, see viewers.Viewer."""

    methods = ("GET",)

    def prepare(self) -> None:
        """See Route."""
        super().prepare()
        if len(self.site.viewers) >= viewers.MOST:
            raise HTTPError(503, log_message=f"{viewers.MOST} pages are open already")

    def open(self, *arguments: str, **named: str) -> None:
        """A page is there."""
        self.set_nodelay(True)
        self.viewer = viewers.Viewer(self)
        self.site.viewers.add(self.viewer)

    def on_message(self, message: str | bytes) -> None:
        """It wants the next picture, or is no page of ours."""
        if message != "next":
            self.close(1003, "next")
            return
        self.viewer.wants = True
        self.site.viewers.wake()

    def on_close(self) -> None:
        """It has gone."""
        self.site.viewers.remove(self.viewer)


ROUTES: dict[str, type[Route]] = {
    "/sign-in": SignIn,
    "/sign-out": SignOut,
    "/api/reading": Reading,
    "/api/frame.jpg": Frame,
    "/api/history": History,
    "/api/history.csv": History,
    "/api/events": Events,
    "/api/live": Live,
    "/healthz": Health,
    "/metrics": Metrics,
}


def gate(site: Site) -> Gate:
    """The server with all routes."""
    found: dict[str, type[Route]] = {**ROUTES, **dict.fromkeys(site.assets, Asset)}
    app = Application(
        [(path.replace(".", r"\."), handler, {"site": site}) for path, handler in found.items()],
        default_handler_class=Route,
        default_handler_args={"site": site},
        log_function=lambda handler: None,
        websocket_max_message_size=1024,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
    )
    server = Gate(app)
    app.settings["gate"] = server
    return server


def _host(name: str) -> str:
    """The name in a Host header, without its port."""
    name = name.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
