"""Handlers of connections that stay open: server-sent events, and the page's WebSocket."""

import asyncio
from typing import cast

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from digitlens.core.errors import DigitLensError
from digitlens.outlets.web.handler import Handler
from digitlens.outlets.web.history import PAGE_SIZE, entries_since
from digitlens.outlets.web.websockets import WebSocketClient

KEEP_ALIVE = 15.0
"""Time without an event after which a comment keeps the stream alive, seconds."""


class EventsHandler(Handler):
    """Server-sent events: each entry as it is announced, and those missed since Last-Event-ID."""

    methods = ("GET",)

    async def get(self) -> None:
        """Stream until the client leaves or the server ends; a client that missed too many starts anew."""
        if len(self.context.listeners) >= self.context.limits.websocket_clients:
            raise HTTPError(503, log_message="too many listeners")
        self.set_header("Content-Type", "text/event-stream")
        self.extend_deadline()
        self.news, self.closed = asyncio.Event(), False
        self.context.listeners.add(self.news.set)
        try:
            last = self.request.headers.get("Last-Event-ID", "") or await self._newest_id()
            self.write(": digitlens\n\n")
            await self.drain()
            while not self.closed and self.still_granted():
                self.news.clear()
                entries = await self.look_up(entries_since, self.context.history, last, PAGE_SIZE)
                last = await self._newest_id() if entries is None else entries[-1].id if entries else last
                for entry in entries or ():
                    data = msgspec.json.encode(entry).decode()
                    self.write(f"id: {entry.id}\nevent: {entry.kind}\ndata: {data}\n\n")
                if entries:
                    await self.drain()
                try:
                    await asyncio.wait_for(self.news.wait(), KEEP_ALIVE)
                except TimeoutError:
                    self.write(":\n\n")
                    await self.drain()
        except StreamClosedError:
            return
        except DigitLensError as error:
            self.context.say(f"web page: {error}")
        finally:
            self.context.listeners.discard(self.news.set)

    def on_connection_close(self) -> None:
        """End the stream, so that its place is free at once."""
        self.closed = True
        self.news.set()

    async def _newest_id(self) -> str:
        entries = await self.look_up(self.context.history.history, 1)
        return entries[0].id if entries else ""


class LiveHandler(Handler, WebSocketHandler):
    """The page's WebSocket: pictures and states go out, `next` comes in; see websockets."""

    methods = ("GET",)

    def prepare(self) -> None:
        """See Handler."""
        super().prepare()
        self.stream = cast(HTTP1Connection, self.request.connection).stream
        most = self.context.limits.websocket_clients
        if len(self.context.clients) >= most:
            raise HTTPError(503, log_message=f"{most} pages are open already")

    def open(self, *arguments: str, **named: str) -> None:
        """Add the client."""
        self.set_nodelay(True)
        self.client = WebSocketClient(
            self, self.stream, self.context.limits.write_timeout, self.still_granted
        )
        self.context.clients.add(self.client)

    def on_message(self, message: str | bytes) -> None:
        """Send the next picture; disconnect a client that asks for anything else."""
        if message != "next":
            self.close(1003, "next")
            return
        self.client.wants_frame = True
        self.context.clients.wake()

    def on_close(self) -> None:
        """Remove the client."""
        self.context.clients.remove(self.client)
