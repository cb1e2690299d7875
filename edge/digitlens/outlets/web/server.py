"""The HTTP server with its limits: connections, the time each may take, and the size of requests."""

import socket
from collections import Counter
from collections.abc import Awaitable, Sequence
from ssl import SSLContext
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

from digitlens.outlets.web.addresses import Network, client, network
from digitlens.outlets.web.limits import ServerLimits


class LimitedServer(HTTPServer):
    """Closes slow connections; when all are taken, one makes room for the next.

    First among those without an admitted request, and there the one that waits longest of the network that
    has the most; then among those that were admitted before and have no request now, the longest idle.
    """

    def initialize(  # type: ignore[override]
        self,
        application: Application,
        limits: ServerLimits,
        proxies: Sequence[Network] = (),
        tls: SSLContext | None = None,
    ) -> None:
        """See HTTPServer."""
        super().initialize(
            application,
            ssl_options=tls,
            idle_connection_timeout=limits.receive_timeout,
            body_timeout=limits.receive_timeout,
            max_header_size=8 * limits.header_bytes,
            max_body_size=limits.body_bytes,
            max_buffer_size=1 << 20,
            chunk_size=16384,
        )
        self.limits, self._proxies = limits, proxies
        self._waiting: dict[IOStream, str] = {}  # never admitted, the oldest first, with their networks
        self._idle: dict[IOStream, None] = {}  # admitted before, ordered by when they became idle
        self._busy: set[IOStream] = set()  # with a request that was admitted
        self._deadlines: dict[IOStream, object] = {}  # the timer that will close each

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Accept a connection; see TCPServer."""
        if len(self._waiting) + len(self._idle) + len(self._busy) >= self.limits.connections:
            made_room = self._longest_waiting() or next(iter(self._idle), None)
            if made_room is None:
                stream.close()
                return
            self._forget(made_room)
            made_room.close()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.send_buffer_bytes)
        self._waiting[stream] = network(str(address[0]))
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Wait for a connection's next request; see HTTPServerConnectionDelegate."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._cancel_deadline(stream)
        if stream in self._busy:
            self._busy.discard(stream)
            self._idle[stream] = None
        return _Request(self, stream, super().start_request(server_conn, request_conn), request_conn)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that has ended or become a WebSocket; see HTTPServerConnectionDelegate."""
        self._forget(cast(HTTP1ServerConnection, server_conn).stream)
        super().on_close(server_conn)

    def begin(self, stream: IOStream, peer: str, headers: HTTPHeaders) -> None:
        """Start a request's deadline: its headers have arrived, and with them the address behind a proxy."""
        if stream in self._waiting and self._proxies:
            forwarded = ",".join(headers.get_list("X-Forwarded-For"))
            self._waiting[stream] = network(client(peer, forwarded, self._proxies))
        self._deadlines[stream] = stream.io_loop.call_later(self.limits.request_timeout, stream.close)

    def admit(self, connection: HTTP1Connection) -> None:
        """Keep the connection until its request is answered: the client may have what it asks for."""
        stream = connection.stream
        if stream in self._waiting or stream in self._idle:
            self._waiting.pop(stream, None)
            self._idle.pop(stream, None)
            self._busy.add(stream)

    def extend(self, connection: HTTP1Connection) -> None:
        """Give an answer that streams limits.stream_timeout from now."""
        stream = connection.stream
        if stream in self._deadlines:
            self._cancel_deadline(stream)
            self._deadlines[stream] = stream.io_loop.call_later(self.limits.stream_timeout, stream.close)

    def _longest_waiting(self) -> IOStream | None:
        """Of the network with the most connections that were never admitted, the oldest."""
        counts = Counter(self._waiting.values())
        return max(self._waiting, key=lambda stream: counts[self._waiting[stream]], default=None)

    def _forget(self, stream: IOStream) -> None:
        self._waiting.pop(stream, None)
        self._idle.pop(stream, None)
        self._busy.discard(stream)
        self._cancel_deadline(stream)

    def _cancel_deadline(self, stream: IOStream) -> None:
        timer = self._deadlines.pop(stream, None)
        if timer is not None:
            stream.io_loop.remove_timeout(timer)


class _Request(HTTPMessageDelegate):
    """Passes a request on to the application if its headers are small enough."""

    def __init__(
        self, server: LimitedServer, stream: IOStream, inner: HTTPMessageDelegate, connection: HTTPConnection
    ) -> None:
        self._server, self._stream, self._inner, self._connection = server, stream, inner, connection
        self._refused = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        peer = str(cast(Any, self._connection).context.remote_ip)
        self._server.begin(self._stream, peer, headers)
        size = sum(len(str(part)) for part in start_line) + sum(
            len(name) + len(value) + 4 for name, value in headers.get_all()
        )
        if size <= self._server.limits.header_bytes:
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
