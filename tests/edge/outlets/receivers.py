"""Real HTTP servers for the webhook: one with a list of answers, one that sends any bytes."""

import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Keeps what was posted; gives `answers` one after the other, then 204."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        answers: list[tuple[int, dict[str, str]]] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.answers = answers or []
        self.posted = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the client was killed while it sent
                    self.close_connection = True
                    return
                with receiver.posted:
                    receiver.posts.append((self.path, dict(self.headers), body))
                    status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                    receiver.posted.notify_all()
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *rest: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/take?from=pi"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""

    def wait(self, done: Callable[["Receiver"], object], seconds: float = 120.0) -> None:
        with self.posted:
            assert self.posted.wait_for(lambda: done(self), seconds), self.posts[-3:]

    def __exit__(self, *rest: Any) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class RawServer:
    """Reads one request a connection, and lets `answer` write to the socket."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._answer = answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            with one:
                one.settimeout(10)
                try:
                    request = b""
                    while not request.endswith(b"}"):
                        piece = one.recv(65536)
                        if not piece:
                            break
                        request += piece
                    else:
                        self._answer(one)
                except OSError:
                    pass

    def __enter__(self) -> "RawServer":
        self._thread.start()
        return self

    def __exit__(self, *rest: object) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
