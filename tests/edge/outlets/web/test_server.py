"""The web outlet against malicious and broken clients, over real sockets."""

import json
import socket
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest

from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from tests.edge.outlets.web.viewing import LONG, TOKEN, UPGRADE, asked, until

pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.outlets.web.access import FREE_FAILURES
from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.outlet import WebOutlet
from digitlens.outlets.web.routes import ROUTES

FORM = "application/x-www-form-urlencoded"
LIMITS = ServerLimits()
ALL = ["/", "/page/app.js", "/page/style.css", "/nothing", *ROUTES]


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
        for line in mine:  # the socket is closed; the connection of the events may go on after their end
            rest = b""
            while (part := line.recv(65536)) and not (rest := rest + part).endswith(b"\r\n0\r\n\r\n"):
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


@pytest.mark.parametrize(("before", "after"), [("", "\xa0"), ("\x85", ""), ("", "\x1f")])
def test_what_stands_around_a_token_in_a_header_is_part_of_it(
    guarded: WebOutlet, before: str, after: str
) -> None:
    header = f"Bearer {before}{TOKEN}{after}"
    with asked(guarded.port, "/page/app.js", Authorization=header) as answer:
        assert answer.status in (400, 401)


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


def _open(line: socket.socket) -> bool:
    """Whether the other end has not closed the connection, once all that it sent is read."""
    line.settimeout(0)
    try:
        while line.recv(65536):
            pass
    except BlockingIOError:
        return True
    return False
