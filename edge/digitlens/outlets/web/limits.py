"""The HTTP server with its limits: how many connections, how long each may take, how much they may say."""

import socket
from collections.abc import Awaitable
from typing import Any, cast

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.web import Application

MOST = 128
"""Connections at once, viewers not counted."""
HEADER = 8192
"""Bytes of a request's line and headers; more is answered 431, and beyond eight times that with the end."""
BODY = 4096
SENT = 1 << 18
"""Bytes on their way in a connection."""
SILENCE = 10.0
"""Seconds in which a request's headers must have come, all of them."""
DEADLINE = 30.0
"""Seconds for the rest of a request and its whole answer."""


class LimitedServer(HTTPServer):
    """Ends what is slow: when all places are taken, the one who has waited the longest without a request."""

    def initialize(self, application: Application) -> None:  # type: ignore[override]
        """See HTTPServer; the limits are this module's."""
        super().initialize(
            application,
            idle_connection_timeout=SILENCE,
            body_timeout=SILENCE,
            max_header_size=8 * HEADER,
            max_body_size=BODY,
            max_buffer_size=1 << 20,
            chunk_size=16384,
        )
        self._silent: dict[IOStream, None] = {}  # in the order in which they fell silent
        self._busy: dict[IOStream, object] = {}  # and the timer that will end it

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """A connection has come."""
        if len(self._silent) + len(self._busy) >= MOST:
            if not self._silent:
                stream.close()
                return
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            oldest.close()
        # What lies there for a slow reader is the kernel's memory, of which a small Pi has little.
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT)
        self._silent[stream] = None
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """A connection waits for its next request's headers."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._free(stream)
        self._silent[stream] = None
        return _Request(self, stream, super().start_request(server_conn, request_conn), request_conn)

    def on_close(self, server_conn: object) -> None:
        """A connection has ended, or has become a viewer's."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._silent.pop(stream, None)
        self._free(stream)
        super().on_close(server_conn)

    def begin(self, stream: IOStream) -> None:
        """Its headers are here."""
        self._silent.pop(stream, None)
        self._busy[stream] = stream.io_loop.call_later(DEADLINE, stream.close)

    def extend(self, connection: HTTP1Connection, seconds: float) -> None:
        """Let an answer that is long by its nature have so many seconds from now."""
        stream = connection.stream
        if stream is not None and stream in self._busy:
            self._free(stream)
            self._busy[stream] = stream.io_loop.call_later(seconds, stream.close)

    def _free(self, stream: IOStream) -> None:
        timer = self._busy.pop(stream, None)
        if timer is not None:
            stream.io_loop.remove_timeout(timer)


class _Request(HTTPMessageDelegate):
    """Hands a request on to the application if its headers are small enough."""

    def __init__(
        self, gate: LimitedServer, stream: IOStream, inner: HTTPMessageDelegate, connection: HTTPConnection
    ) -> None:
        self._gate, self._stream, self._inner, self._connection = gate, stream, inner, connection
        self._refused = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._gate.begin(self._stream)
        said = sum(len(str(part)) for part in start_line) + sum(
            len(name) + len(value) + 4 for name, value in headers.get_all()
        )
        if said <= HEADER:
            return self._inner.headers_received(start_line, headers)
        self._refused = True
        answer = ResponseStartLine("HTTP/1.1", 431, "Request Header Fields Too Large")
        self._connection.write_headers(answer, HTTPHeaders({"Content-Length": "0"}))
        self._connection.finish()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return None if self._refused else self._inner.data_received(chunk)

    def finish(self) -> None:
        if not self._refused:
            self._inner.finish()

    def on_connection_close(self) -> None:
        if not self._refused:
            self._inner.on_connection_close()
