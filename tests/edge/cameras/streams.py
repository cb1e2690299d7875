"""A Motion JPEG camera on loopback: a real HTTP server that can ask for a login, fall silent or hang up."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests.edge.films import plain

BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: "


class MjpegServer(ThreadingHTTPServer):
    """Serves /stream without end, /page and /rubbish; `login` is "USER:PASSWORD", empty for none."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, login: str = "", port: int = 0) -> None:
        self.login = login
        self.cut = threading.Event()
        self.frames = [cv2.imencode(".jpg", plain(level, 320, 240))[1].tobytes() for level in (60, 120, 180)]
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of ours."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/stream"


class _Handler(BaseHTTPRequestHandler):
    server: MjpegServer

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(self.server.login.encode()).decode()
        if self.server.login and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/stream":
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self._stream()
        elif self.path in ("/page", "/rubbish"):
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path == "/page" else "video/mp4")
            body = b"<html>no video</html>" if self.path == "/page" else bytes(range(256)) * 400
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)

    def _stream(self) -> None:
        while not self.server.cut.wait(0.02):  # the camera's rate
            for jpeg in self.server.frames:
                self.wfile.write(BOUNDARY + str(len(jpeg)).encode() + b"\r\n\r\n" + jpeg + b"\r\n")
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """The tests' output stays clean."""


@contextmanager
def serving(login: str = "", port: int = 0) -> Iterator[MjpegServer]:
    """A server that answers until the end of the block."""
    server = MjpegServer(login, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.cut.set()
        server.shutdown()
        server.server_close()
        thread.join()
