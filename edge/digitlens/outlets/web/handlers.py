"""The routes of the page, and of the programs that ask for the same."""

import asyncio
from math import isfinite
from typing import Any, cast

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError
from tornado.websocket import WebSocketHandler

from digitlens.core.errors import DigitLensError
from digitlens.core.version import __version__
from digitlens.outlets.web import history as past
from digitlens.outlets.web import metrics, websockets
from digitlens.outlets.web.access import LIFE
from digitlens.outlets.web.context import AppContext
from digitlens.outlets.web.frames import flat
from digitlens.outlets.web.handler import POLICY, Handler
from digitlens.outlets.web.limits import LimitedServer

PAGE_POLICY = f"{POLICY}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
SILENT = 15.0
"""Seconds after which a stream of events says that it is alive."""
AT_ONCE = 500
"""Entries that one answer has at the most, and that a download reads at a time."""


class Asset(Handler):
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


class SignIn(Handler):
    """The token, from the form of the sign-in page, for a cookie."""

    methods = ("POST",)
    signs_in = True

    def post(self) -> None:
        """303 to the page, or 401."""
        access = self.site.access
        verdict = access.try_token(self.address, self.get_body_argument("token", ""), "sign-in")
        if verdict == "slow":
            self.slow(access.wait(self.address, "sign-in"))
        if verdict != "in":
            raise HTTPError(401, log_message="wrong token")
        self.set_cookie(
            self.site.cookie,
            access.cookie(),
            expires_days=None,
            max_age=LIFE,
            httponly=True,
            samesite="Strict",
        )
        self.redirect("/", status=303)


class SignOut(Handler):
    """Takes the cookie back."""

    methods = ("POST",)

    def post(self) -> None:
        """303 to the page."""
        self.clear_cookie(self.site.cookie, httponly=True, samesite="Strict")
        self.redirect("/", status=303)


class Reading(Handler):
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
                "milliseconds": {
                    name: round(vitals.last[stage], 3)
                    for name in ("glyphs", "rows", "numbers", "total")
                    if (stage := "read" if name == "total" else name) in vitals.last
                },
                "age": None if vitals.age is None else round(vitals.age, 3),
                "trouble": metrics.trouble(vitals),
            }
        )

    head = get


class Frame(Handler):
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


class History(Handler):
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
            return await self.off_loop(lambda: self.site.past.history(limit, **wanted))
        except DigitLensError as error:
            self.site.say(f"web page: {error}")
            raise HTTPError(503, log_message="the journal cannot be read") from error

    def _filters(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for name in ("before", "containing", "region", "kind"):
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


class Events(Handler):
    """Server-sent events: each entry as it is announced, and, after Last-Event-ID, what was missed."""

    methods = ("GET",)

    async def get(self) -> None:
        """Goes on until the listener leaves or the server ends; who has missed too many begins anew."""
        if len(self.site.listeners) >= websockets.MOST:
            raise HTTPError(503, log_message="too many listeners")
        self.set_header("Content-Type", "text/event-stream")
        self.last_long()
        self.news, self.gone = asyncio.Event(), False
        self.site.listeners.add(self.news.set)
        try:
            last = self.request.headers.get("Last-Event-ID", "") or await self._newest()
            self.write(": digitlens\n\n")
            await self.flow()
            while not self.gone:
                self.news.clear()
                entries = await self.off_loop(past.since, self.site.past, last, AT_ONCE)
                last = await self._newest() if entries is None else entries[-1].id if entries else last
                for entry in entries or ():
                    said = msgspec.json.encode(entry).decode()
                    self.write(f"id: {entry.id}\nevent: {entry.kind}\ndata: {said}\n\n")
                if entries:
                    await self.flow()
                try:
                    await asyncio.wait_for(self.news.wait(), SILENT)
                except TimeoutError:
                    self.write(":\n\n")
                    await self.flow()
        except StreamClosedError:
            return
        except DigitLensError as error:
            self.site.say(f"web page: {error}")
        finally:
            self.site.listeners.discard(self.news.set)

    def on_connection_close(self) -> None:
        """The listener has left; its place is free at once."""
        self.gone = True
        self.news.set()

    async def _newest(self) -> str:
        entries = await self.off_loop(self.site.past.history, 1)
        return entries[0].id if entries else ""


class Health(Handler):
    """Whether frames flow, for whoever restarts what is ill."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """200, or 503 with the reason."""
        trouble = metrics.trouble(self.site.vitals.snapshot())
        self.set_status(503 if trouble else 200)
        self.send({"frames": not trouble, "why": trouble})

    head = get


class Metrics(Handler):
    """For Prometheus."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """See metrics.exposition."""
        site = self.site
        try:
            outbox = await self.off_loop(site.outbox)
        except DigitLensError:  # a journal that cannot be read is told elsewhere; the rest still counts
            outbox = {}
        self.set_header("Content-Type", metrics.TYPE)
        self.finish(metrics.exposition(site.vitals.snapshot(), outbox, len(site.viewers), __version__))

    head = get


class Live(Handler, WebSocketHandler):
    """A page's connection, see viewers.Viewer."""

    methods = ("GET",)

    def prepare(self) -> None:
        """See Route."""
        super().prepare()
        self.stream = cast(HTTP1Connection, self.request.connection).stream
        if len(self.site.viewers) >= websockets.MOST:
            raise HTTPError(503, log_message=f"{websockets.MOST} pages are open already")

    def open(self, *arguments: str, **named: str) -> None:
        """A page is there."""
        self.set_nodelay(True)
        self.viewer = websockets.WebSocketClient(self, self.stream)
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


ROUTES: dict[str, type[Handler]] = {
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


def gate(site: AppContext) -> LimitedServer:
    """The server with all routes."""
    found: dict[str, type[Handler]] = {**ROUTES, **dict.fromkeys(site.assets, Asset)}
    app = Application(
        [(path.replace(".", r"\."), handler, {"site": site}) for path, handler in found.items()],
        default_handler_class=Handler,
        default_handler_args={"site": site},
        log_function=lambda handler: None,
        websocket_max_message_size=1024,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
    )
    server = LimitedServer(app)
    app.settings["gate"] = server
    return server
