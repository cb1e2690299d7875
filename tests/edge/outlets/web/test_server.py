"""The web outlet against malicious and broken clients, over real sockets."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from time import monotonic
from urllib.parse import urlencode

import numpy as np
import pytest

from digitlens.core.frames import Frame
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from tests.edge.outlets.web.viewing import LONG, asked, until

pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.outlets.web.access import FREE_FAILURES
from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.outlet import WebOutlet
from digitlens.outlets.web.routes import ROUTES

TOKEN = "correct-horse-battery"  # noqa: S105
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="
)
FORM = "application/x-www-form-urlencoded"
LIMITS = ServerLimits()
ALL = ["/", "/page/app.js", "/page/style.css", "/nothing", *ROUTES]


@pytest.fixture
def web() -> Iterator[WebOutlet]:
    one = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"))
    yield one
    one.close()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def guarded(lines: list[str]) -> Iterator[WebOutlet]:
    one = WebOutlet("0.0.0.0:0", LatestFrame(), LoopStats("usb:0"), token=TOKEN, say=lines.append)
    yield one
    one.close()


def elsewhere() -> str:
    """An address of this machine that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("needs an address beside the loopback's")
        return str(one.getsockname()[0])


def raw(port: int, sent: bytes) -> bytes:
    """The bytes that come back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), LONG) as line:
        back = b""
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            while chunk := line.recv(65536):
                back += chunk
        except OSError:  # it has closed before all was sent
            pass
        return back


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_without_the_token(guarded: WebOutlet, path: str, method: str) -> None:
    host = elsewhere()
    with asked(guarded.port, path, method, host=host) as answer:
        assert answer.status == (401 if path != "/sign-in" or method == "POST" else 405)
        assert b"40716" not in answer.read()


@pytest.mark.parametrize(
    "path", sorted({*ALL} - {"/api/live", "/sign-in", "/sign-out", "/api/events", "/nothing"})
)
def test_everything_with_the_token(guarded: WebOutlet, path: str) -> None:
    with asked(guarded.port, path, host=elsewhere(), Authorization=f"Bearer {TOKEN}") as answer:
        assert answer.status in (200, 503)  # there is no camera


def test_signing_in_and_out(guarded: WebOutlet) -> None:
    host = elsewhere()
    with asked(guarded.port, "/", host=host, Accept="text/html") as answer:
        page = answer.read().decode()
        assert answer.status == 401
        assert '<form method="post" action="/sign-in">' in page
        assert 'id="wrong" hidden' in page
        assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    body = urlencode({"token": TOKEN})
    with asked(guarded.port, "/sign-in", "POST", body, host=host, Content_Type=FORM) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
    cookie = cookie.partition(";")[0]
    with asked(guarded.port, "/", host=host, Cookie=cookie) as answer:
        assert answer.status == 200
    with asked(guarded.port, "/sign-out", "POST", host=host, Cookie=cookie) as answer:
        gone = answer.headers["Set-Cookie"]
        assert gone.startswith(f'digitlens-{guarded.port}=""; expires=')


def test_signing_out_ends_the_session_and_its_streams(guarded: WebOutlet) -> None:
    body = urlencode({"token": TOKEN})
    cookies = []
    for _ in range(2):
        with asked(guarded.port, "/sign-in", "POST", body, Content_Type=FORM) as answer:
            cookies.append(answer.headers["Set-Cookie"].partition(";")[0])

    def stream(path: str, *headers: str) -> socket.socket:
        line = opened.enter_context(socket.create_connection(("127.0.0.1", guarded.port), LONG))
        line.sendall("\r\n".join((f"GET {path} HTTP/1.1", "Host: x", *headers, "", "")).encode())
        assert line.recv(12) in (b"HTTP/1.1 101", b"HTTP/1.1 200")
        return line

    with ExitStack() as opened:
        mine, other = ([
            stream("/api/live", UPGRADE, f"Cookie: {cookie}"), stream("/api/events", f"Cookie: {cookie}")
        ] for cookie in cookies)  # fmt: skip
        bearer = stream("/api/events", f"Authorization: Bearer {TOKEN}")
        until(lambda: len(guarded._context.clients) == 2 and len(guarded._context.listeners) == 3)
        with asked(guarded.port, "/sign-out", "POST", Cookie=cookies[0]) as answer:
            assert answer.status == 303
        with asked(guarded.port, "/page/app.js", Cookie=cookies[0]) as answer:
            assert answer.status == 401
        for line in mine:
            while line.recv(65536):
                pass
        until(lambda: len(guarded._context.clients) == 1 and len(guarded._context.listeners) == 2)
        with asked(guarded.port, "/page/app.js", Cookie=cookies[1]) as answer:
            assert answer.status == 200
        for line in (*other, bearer):
            assert _open(line)


def test_guessers_wait_and_are_logged(guarded: WebOutlet, lines: list[str]) -> None:
    for _ in range(FREE_FAILURES):
        with asked(guarded.port, "/healthz", Authorization="Bearer not-it-" + "x" * 12) as answer:
            assert answer.status == 401
    with asked(guarded.port, "/healthz", Authorization="Bearer not-it-" + "y" * 12) as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1
    for _ in range(FREE_FAILURES):
        with asked(
            guarded.port, "/sign-in", "POST", "token=no", Content_Type=FORM, Accept="text/html"
        ) as answer:
            assert answer.status == 401
            assert b'id="wrong">' in answer.read()
    with asked(guarded.port, "/sign-in", "POST", "token=no", Content_Type=FORM, Accept="text/html") as answer:
        assert answer.status == 429
        assert b'id="slow">' in answer.read()
    assert len(lines) == 4
    assert all("from 127.0.0.1" in line for line in lines)
    assert not any("not-it" in line or TOKEN in line for line in lines)


def test_a_guesser_at_the_same_address_locks_nobody_out(guarded: WebOutlet) -> None:
    body = urlencode({"token": TOKEN})
    with asked(guarded.port, "/sign-in", "POST", body, Content_Type=FORM) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    name = cookie.partition("=")[0]
    for _ in range(2 * FREE_FAILURES):
        for headers in ({"Authorization": "Bearer no"}, {"Cookie": f"{name}=no"}):
            with asked(guarded.port, "/healthz", **headers) as answer:
                assert answer.status in (401, 429)
        with asked(guarded.port, "/sign-in", "POST", "token=no", Content_Type=FORM) as answer:
            assert answer.status in (401, 429)
    for _ in range(50):
        for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"Cookie": cookie}):
            with asked(guarded.port, "/page/app.js", **headers) as answer:
                assert answer.status == 200
    with asked(guarded.port, "/sign-in", "POST", body, Content_Type=FORM) as answer:
        assert answer.status == 303


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "[::2]", "10.0.0.1"]
)
def test_foreign_names_of_this_machine_are_refused(web: WebOutlet, name: str) -> None:
    for path in ALL:
        with asked(web.port, path, Host=name.format(port=web.port)) as answer:
            assert answer.status == 403


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_this_machines_own_names(web: WebOutlet, name: str) -> None:
    with asked(web.port, "/", Host=name.format(port=web.port)) as answer:
        assert answer.status == 200


def test_pages_of_other_sites_get_nothing(web: WebOutlet) -> None:
    upgrade = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }  # fmt: skip
    with asked(web.port, "/api/live", **upgrade) as answer:
        assert answer.status == 101
    with asked(web.port, "/api/live", Origin=f"http://127.0.0.1:{web.port}", **upgrade) as answer:
        assert answer.status == 101
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{web.port + 1}", "http://127.0.0.1", ""):
        with asked(web.port, "/api/live", Origin=origin, **upgrade) as answer:
            assert answer.status == 403, origin
        with asked(web.port, "/sign-in", "POST", "token=x", Origin=origin, Content_Type=FORM) as answer:
            assert answer.status == 403, origin
    with asked(web.port, "/api/frame.jpg", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors") as answer:
        assert answer.status == 403
    with asked(web.port, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../access.py", "/page/../__init__.py", "/page/%2e%2e/access.py", "/page/..%2faccess.py", "/page/",
        "/page", "/page/sign-in.html", "/page/index.html", "//etc/passwd", "/page//app.js", "/page/app.js/",
        "/page/app.js%00", "/..\\..\\etc", "/%c0%ae%c0%ae/x", "/static/x", "/.git/config", "/api", "/api/",
    ],
)  # fmt: skip
def test_no_folder_is_reachable(web: WebOutlet, path: str) -> None:
    with asked(web.port, path) as answer:
        assert answer.status == 404
        assert json.loads(answer.read()) == {"error": "nothing here"}


@pytest.mark.parametrize("path", [path for path in ALL if path != "/nothing"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_wrong_methods(web: WebOutlet, path: str, method: str) -> None:
    with asked(web.port, path, method) as answer:
        assert answer.status == 405
        if method not in ("TRACE", "PROPFIND"):
            assert answer.headers["Allow"] in ("GET", "GET, HEAD", "POST")


def test_large_requests_are_refused(web: WebOutlet) -> None:
    long = "x" * LIMITS.header_bytes
    for path, headers in (
        ("/", {"X": long}),
        (f"/{long}", {}),
        ("/", {f"X{n}": "y" * 90 for n in range(90)}),
    ):
        with asked(web.port, path, **headers) as answer:
            assert answer.status == 431
    with asked(web.port, "/sign-in", "POST", "x" * (LIMITS.body_bytes + 1), Content_Type=FORM) as answer:
        assert answer.status == 400
    assert raw(web.port, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000) == b""
    with asked(web.port, "/") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\r\n\r\n", b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=a\r\n"
        b"Content-Length: 10\r\n\r\n--a\r\n\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: \xff=;;;=\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\n\r\n",
        b"GET /api/history?limit=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/history?before=%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)  # fmt: skip
def test_nonsense_is_not_answered_200_with_anything_of_ours(sent: bytes) -> None:
    lines: list[str] = []
    web = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"), say=lines.append)
    try:
        back = raw(web.port, sent)
        assert not back.startswith(b"HTTP/1.1 5"), back
        with asked(web.port, "/") as answer:
            assert answer.status == 200
    finally:
        web.close()
    assert lines == []


def test_many_slow_connections_hold_nobody_up(web: WebOutlet) -> None:
    with ExitStack() as opened:
        slow = []
        for _ in range(2 * LIMITS.connections):
            line = opened.enter_context(socket.create_connection(("127.0.0.1", web.port), LONG))
            line.sendall(b"GET / HTTP/1.1\r\nX: ")
            slow.append(line)
        with asked(web.port, "/") as answer:
            assert answer.status == 200
        for line in slow[: LIMITS.connections // 2]:  # the longest idle are closed
            assert _closed(line)


def pending_sign_in(port: int, address: str) -> socket.socket:
    """A sign-in from this address whose body never comes."""
    line = socket.create_connection(("127.0.0.1", port), LONG, (address, 0))
    line.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    return line


@pytest.mark.parametrize("stranger", ["127.0.0.1", "127.0.0.2"], ids=["same address", "other address"])
def test_sign_ins_without_a_body_shut_nobody_out(guarded: WebOutlet, stranger: str) -> None:
    with ExitStack() as opened:
        for _ in range(2 * LIMITS.connections):
            opened.enter_context(pending_sign_in(guarded.port, stranger))
        for _ in range(20):
            opened.enter_context(pending_sign_in(guarded.port, stranger))
            with asked(guarded.port, "/page/app.js", Authorization=f"Bearer {TOKEN}") as answer:
                assert answer.status == 200


def test_strangers_make_room_before_those_who_were_let_in(guarded: WebOutlet) -> None:
    """A connection with the token is not closed, between its requests either, however many others come."""
    keeper = http.client.HTTPConnection(
        "127.0.0.1", guarded.port, timeout=LONG, source_address=("127.0.0.2", 0)
    )
    with ExitStack() as opened:
        opened.callback(keeper.close)
        for _ in range(3):
            keeper.request("GET", "/page/app.js", headers={"Authorization": f"Bearer {TOKEN}"})
            assert keeper.getresponse().read()
            line = keeper.sock
            for _ in range(LIMITS.connections + 1):
                opened.enter_context(pending_sign_in(guarded.port, "127.0.0.3"))
            until(lambda: len(guarded._server._waiting) == LIMITS.connections - 1)
        assert keeper.sock is line


def test_the_address_with_the_most_connections_makes_room(guarded: WebOutlet) -> None:
    with ExitStack() as opened:
        few = [opened.enter_context(pending_sign_in(guarded.port, "127.0.0.2")) for _ in range(3)]
        for _ in range(2 * LIMITS.connections):
            opened.enter_context(pending_sign_in(guarded.port, "127.0.0.3"))
        body = b"token=no!"
        for line in few:
            line.sendall(body)
            assert line.recv(65536).startswith(b"HTTP/1.1 401")


def test_clients_that_send_nothing_are_disconnected() -> None:
    limits = ServerLimits(receive_timeout=0.2)
    web = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"), limits=limits)
    try:
        for sent in (
            b"",
            b"GET / HTTP/1.1\r\n",
            b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
        ):
            with socket.create_connection(("127.0.0.1", web.port), LONG) as line:
                line.sendall(sent)
                assert _closed(line)
        until(lambda: not (web._server._waiting or web._server._idle or web._server._deadlines))
    finally:
        web.close()


def test_clients_that_take_nothing_are_disconnected() -> None:
    latest = LatestFrame()
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280), np.uint8)
    limits = ServerLimits(write_timeout=0.5)
    web = WebOutlet("127.0.0.1:0", latest, LoopStats("usb:0"), rate=60, limits=limits)
    try:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", web.port))
            line.sendall(
                b"GET /api/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
            )
            until(lambda: len(web._context.clients) == 1)

            def gone() -> bool:
                latest.publish(Frame(noise, noise, 0.0, monotonic()), (), (1280, 720))
                with suppress(OSError):
                    line.sendall(b"\x81\x84\0\0\0\0next")
                return not len(web._context.clients)

            until(gone)
    finally:
        latest.close()
        web.close()


def test_a_frame_that_cannot_be_encoded_does_not_stop_the_pictures() -> None:
    latest = LatestFrame()
    web = WebOutlet("127.0.0.1:0", latest, LoopStats("usb:0"))
    good, empty = (np.zeros((side, side), np.uint8) for side in (48, 0))
    try:
        with socket.create_connection(("127.0.0.1", web.port), LONG) as line:
            line.sendall(f"GET /api/live HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n\r\n".encode())
            line.sendall(b"\x81\x84\0\0\0\0next")
            latest.publish(Frame(empty, empty, 0.0, monotonic()), (), (0, 0))
            clients = web._context.clients
            until(lambda: clients._frame_task is not None and clients._frame_task.done())
            latest.publish(Frame(good, good, 0.0, monotonic()), (), (48, 48))
            received, begin = b"", monotonic()
            while b"\xff\xd8\xff" not in received:  # a JPEG's first bytes; states come each second
                received += line.recv(65536)
                assert monotonic() - begin < LONG / 4
    finally:
        latest.close()
        web.close()


def _open(line: socket.socket) -> bool:
    """Whether the other end has not closed the connection, once all that it sent is read."""
    line.settimeout(0)
    try:
        while line.recv(65536):
            pass
    except BlockingIOError:
        return True
    return False


def _closed(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
