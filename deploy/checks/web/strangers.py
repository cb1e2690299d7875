"""Hostile clients, from an address other than the loopback's."""

import http.client
import os
import random
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress

from service import TOKEN, Service

ROUTES = [
    *(
        "/",
        "/page/app.js",
        "/page/style.css",
        "/page/icon.svg",
        "/sign-out",
        "/healthz",
        "/metrics",
        "/nothing",
    ),
    *(f"/api/{name}" for name in ("reading", "frame.jpg", "history", "history.csv", "events", "live")),
]
TRAVERSALS = [
    *("/../config.toml", "//etc/passwd", "/.git/config", "/..\\..\\token", "/page/sign-in.html", "/page/"),
    *(
        f"/page/{name}"
        for name in ("../access.py", "%2e%2e/%2e%2e/token", "..%2f..%2ftoken", "app.js%00.html")
    ),
]
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "Content-Type: multipart/form-data; boundary=a"


def _request(*lines: str, body: bytes = b"") -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


SEEDS = [
    _request("GET / HTTP/1.1", "Host: localhost", "Accept: text/html"),
    _request("GET /api/history?limit=5&before=a-1&since=1e9 HTTP/1.1", "Host: localhost", "Cookie: a=b"),
    _request("GET /api/history.csv?region=water HTTP/1.1", "Host: [::1]:80", "Range: bytes=0-5"),
    _request("POST /sign-in HTTP/1.1", "Host: localhost", FORM, "Content-Length: 9", body=b"token=abc"),
    _request(
        "POST /sign-in HTTP/1.1", "Host: localhost", PARTS, "Content-Length: 66",
        body=b'--a\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n--a--\r\n',
    ),
    _request(
        "POST /sign-out HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked",
        body=b"5\r\nabcde\r\n0\r\n\r\n"
    ),
    _request("GET /api/events HTTP/1.1", "Host: localhost", "Last-Event-ID: pi-a-1"),
    _request(
        "GET /api/live HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        body=b"\x81\x84\0\0\0\0next\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8",
    ),
    _request("HEAD /metrics HTTP/1.0", body=_request("GET /healthz HTTP/1.0")),
    _request(
        "GET /page/app.js HTTP/1.1", "Host: localhost", 'If-None-Match: W/"x", *', "If-Modified-Since: x",
        "Expect: 100-continue",
    ),
]  # fmt: skip
BITS = [
    b"\0",
    b"\xff",
    b"\r\n",
    b"\n",
    b"%",
    b"%00",
    b"..",
    b"/",
    b"?",
    b"&",
    b";",
    b"=",
    b'"',
    b":",
    b" ",
    b"9" * 20,
    b"-1",
    b"nan",
    b"x" * 500,
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\xed\xa0\x80",
]


def refused(service: Service) -> int:
    """Try routes without the token, folders, large headers and wrong methods; how many were refused."""
    tried = 0
    for path in [*ROUTES, *TRAVERSALS]:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, body = service.ask(path, method, Authorization="")
            assert status == 401, (path, method, status)
            assert len(body) < 100, body
            tried += 1
    status, _ = service.ask("/sign-in", "POST", Authorization="")
    assert status == 401, status
    for path in TRAVERSALS:
        assert service.ask(path)[0] == 404, path
        tried += 1
    for path in (path for path in ROUTES if path != "/nothing"):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
            assert service.ask(path, method)[0] == 405, (path, method)
            tried += 1
    for size, right in ((9_000, {431}), (60_000, {431}), (1_000_000, {None})):
        try:
            status = service.ask("/", X="y" * size)[0]
        except OSError:
            status = None
        except Exception:  # the connection was ended without an answer
            status = None
        assert status in right, (size, status)
        tried += 1
    return tried


class SlowConnections:
    """Connections that send a byte a second each, from a thread of low priority."""

    def __init__(self, service: Service, count: int) -> None:
        self._service, self._count = service, count
        self.slowest = 0.0  # answer to a regular request, seconds
        self.left = 0
        self._open, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._open.wait(60)

    def close(self) -> None:
        """Count the connections that are still open in `left`, and close all."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        with ExitStack() as opened:
            lines = []
            for _ in range(self._count):
                line = opened.enter_context(socket.socket())
                line.connect((self._service.host, self._service.port))
                line.setblocking(False)
                line.send(b"GET / HTTP/1.1\r\nX: ")
                lines.append(line)
            self._open.set()
            while not self._ended.wait(1):
                for line in lines:
                    with suppress(OSError):
                        line.send(b"y")
                sent_at = time.monotonic()
                assert self._service.ask("/healthz")[0] == 200
                self.slowest = max(self.slowest, time.monotonic() - sent_at)
            for line in lines:
                try:
                    self.left += line.recv(1) != b""
                except BlockingIOError:
                    self.left += 1
                except OSError:
                    continue


class Attackers:
    """From the keeper's own address: sign-ins without a body, opened again when closed, and wrong tries."""

    def __init__(self, service: Service, count: int = 256) -> None:
        self._service, self._count = service, count
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._hold, self._guess)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End them."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _hold(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _nicer())
        lines: list[socket.socket] = []
        while not self._ended.wait(1):
            while len(lines) < self._count:
                line = socket.create_connection((self._service.host, self._service.port), 30)
                line.sendall(_request("POST /sign-in HTTP/1.1", "Host: x", FORM, "Content-Length: 9"))
                line.setblocking(False)
                lines.append(line)
            lines = [line for line in lines if not _ended(line)]
        for line in lines:
            line.close()

    def _guess(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _nicer())
        name = f"digitlens-{self._service.port}"
        wrong = ({"Authorization": "Bearer wrong"}, {"Authorization": "", "Cookie": f"{name}=wrong"})
        while not self._ended.wait(0.25):
            for headers in wrong:
                with suppress(OSError, http.client.HTTPException):  # it made room
                    assert self._service.ask("/healthz", **headers)[0] in (401, 429)


def _nicer() -> int:
    """Ten steps below this process's priority."""
    return min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def _ended(line: socket.socket) -> bool:
    """Whether the server has closed or answered; closes this end, too."""
    try:
        line.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        pass
    line.close()
    return True


def replayed(service: Service) -> None:
    """Present what was valid before: after signing out, and after another token and a reload."""

    def status(cookie: str) -> int:
        return service.ask("/page/app.js", Authorization="", Cookie=cookie)[0]

    signed_out, kept = service.sign_in(), service.sign_in()
    assert service.ask("/sign-out", "POST", Authorization="", Cookie=signed_out)[0] == 303
    assert (status(signed_out), status(kept)) == (401, 200)
    service.token.write_text(f"{TOKEN}-another")
    service.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 60
    while service.ask("/page/app.js")[0] != 401:
        assert time.monotonic() < until, "the token of before is valid after a reload"
        time.sleep(0.1)
    assert status(kept) == 401
    assert status(service.sign_in()) == 200


def fuzz(service: Service, seconds: float, seed: int) -> dict[str, float]:
    """Send randomly mutated requests; the number of answers by status, and the growth of memory.

    `none` is a connection closed without an answer, `slow` a stream that goes on.
    """
    chance = random.Random(seed)
    answers: dict[str, float] = {}
    begin, memory = time.monotonic(), 0.0
    while time.monotonic() - begin < seconds:
        sent = mutated(chance)
        status = "none"
        try:
            with socket.create_connection((service.host, service.port), 2) as line:
                line.sendall(sent)
                line.shutdown(socket.SHUT_WR)
                status = line.recv(65536)[9:12].decode("ascii", "replace") or "none"
        except TimeoutError:
            status = "slow"
        except OSError:
            status = "reset"
        answers[status] = answers.get(status, 0) + 1
        if not memory and time.monotonic() - begin > seconds / 4:
            memory = service.memory()
        assert status[:1] != "5" or status == "503", sent
        assert service.process.poll() is None, sent
    assert service.complaints() == [], service.complaints()
    answers["mib_more_since_a_quarter"] = round(service.memory() - memory, 1)
    return answers


def mutated(chance: random.Random) -> bytes:
    """One of the seeds, with the token more often than not, and then broken in a few places."""
    sent = bytearray(chance.choice(SEEDS))
    if chance.random() < 0.6:
        place = sent.find(b"\r\n") + 2
        sent[place:place] = f"Authorization: Bearer {TOKEN}\r\n".encode()
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5, 8))):
        place = chance.randrange(len(sent) + 1)
        match chance.randrange(5):
            case 0:
                sent[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                sent[place:place] = chance.choice(BITS)
            case 2:
                del sent[place : place + chance.randrange(1, 20)]
            case 3:
                other = chance.choice(SEEDS)
                start = chance.randrange(len(other))
                sent[place:place] = other[start : start + chance.randrange(1, 60)]
            case _:
                sent[place:place] = sent[place : place + 30] * chance.randrange(1, 40)
    return bytes(sent)
