"""Tokens, cookies and the sessions' file -> the page's sign-in, over real sockets."""

import random
import re
import socket
from functools import cache
from pathlib import Path
from urllib.parse import quote_plus

from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.web.outlet import WebOutlet
from digitlens.outlets.web.sessions import Sessions
from fuzz.cases import Found, Ready, mutated

TOKEN = "for-this-fuzzing-alone"  # noqa: S105
TIMEOUT = 20.0
"""Wait for an answer, seconds."""
REFUSALS = frozenset((400, 401, 403, 413, 417, 429, 431))
"""Statuses of a request without the right token; none is 0: the connection was closed."""
FORM = b"application/x-www-form-urlencoded"
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_lines: list[str] = []


@cache
def _page() -> WebOutlet:
    return WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"), token=TOKEN, say=_lines.append)


def token(case: random.Random, folder: Path, ready: Ready) -> None:
    """Wrong tokens and cookies by every way: refused, and never repeated in the log; the right one works."""
    page = _page()
    if case.random() < 0.2:
        _sessions(case, folder, ready)
        return
    secret = _almost(case)
    request = _request(case, page, secret)
    ready()
    status = _asked(page.port, request)
    if status and status not in REFUSALS:
        raise Found(f"answers {status} to {request!r}")
    for line in _lines:
        if not line.isprintable() or TOKEN in line or "Traceback" in line or len(line) > 300:
            raise Found(f"logs {line!r}")
    _lines.clear()
    if case.random() < 0.05:
        right = f"GET /page/app.js HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        if (status := _asked(page.port, right.encode(), more=True)) != 200:
            raise Found(f"answers {status} to the right token")


def _almost(case: random.Random) -> bytes:
    """What is not the token, though it may look like it."""
    while True:
        secret = case.choice(
            (
                mutated(case, TOKEN.encode()), TOKEN.upper().encode(), b"", TOKEN.encode() + b"\0",
                case.randbytes(case.choice((1, 32, 600))), b"Bearer", "ü☂".encode() * 20, b"%00", b"null",
                b"[]", b"{}", TOKEN[:-1].encode(), TOKEN.encode() + b"\xa0",
            )
        )  # fmt: skip
        # Spaces around a header's value are none of it; in the sign-in's form control characters are spaces,
        # and so are Unicode's, for a token is pasted there.
        forms = (secret, secret.replace(b"\r", b""), secret.split(b"\n")[0])
        if TOKEN not in [CONTROL.sub(b" ", form).decode(errors="replace").strip() for form in forms]:
            return secret


def _request(case: random.Random, page: WebOutlet, secret: bytes) -> bytes:
    name = f"digitlens-{page.port}".encode()
    plain = secret.replace(b"\r", b"?").replace(b"\n", b"?")
    headers = [b"Host: x"]
    body, line = b"", b"GET " + case.choice((b"/", b"/api/reading", b"/api/live", b"/metrics")) + b" HTTP/1.1"
    way = case.randrange(5)
    if way == 0:
        scheme = case.choice((b"Bearer ", b"bearer  ", b"Basic ", b"", b"Bearer\t"))
        headers.append(b"Authorization: " + scheme + plain)
    elif way == 1:
        headers += [b"Cookie: " + name + b"=" + plain] * case.choice((1, 1, 2, 30))
    elif way == 2:
        headers.append(b"Cookie: " + mutated(case, name + b'="' + plain + b'"; a=b; $Path=/'))
    else:
        line = b"POST /sign-in HTTP/1.1"
        encoded = quote_plus(secret).encode() if case.random() < 0.7 else secret
        body = case.choice((b"token=", b"token=&token=", b"TOKEN=", b"", b"token[]=")) + encoded
        if way == 4:
            body = mutated(case, body)
            if TOKEN.encode() in body:
                body = b"token=x"
        headers.append(
            b"Content-Type: " + case.choice((FORM, FORM, b"multipart/form-data; boundary=a", b"text/plain"))
        )
        headers.append(b"Content-Length: " + str(len(body) + case.choice((0, 0, 0, 5))).encode())
    if case.random() < 0.2:
        headers.append(b"X-Forwarded-For: " + mutated(case, b"198.51.100.7, 10.0.0.1"))
    if case.random() < 0.2:
        headers.append(b"Authorization: Bearer")
    case.shuffle(headers)
    return b"\r\n".join((line, *(one.replace(b"\n", b"?") for one in headers), b"", body))


def _asked(port: int, request: bytes, more: bool = False) -> int:
    """The answer's status; 0 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as line:
        try:
            line.sendall(request)
            if not more:  # the server may take it for the end, and not answer
                line.shutdown(socket.SHUT_WR)
            head = b""
            while len(head) < 12 and (piece := line.recv(65536)):
                head += piece
        except TimeoutError as error:
            raise Found(f"no answer to {request!r}") from error
        except OSError:
            return 0
    return int(head[9:12]) if head.startswith(b"HTTP/1.1 ") and head[9:12].isdigit() else 0


def _sessions(case: random.Random, folder: Path, ready: Ready) -> None:
    """A damaged file of sessions lets nobody in that had none, and does not keep the page from starting."""
    file = folder / "sessions"
    sessions = Sessions(TOKEN.encode(), file)
    secrets = [sessions.begin() for _ in range(3)]
    content = file.read_bytes()
    for _ in range(case.choice((0, 1, 3, 8))):
        content = mutated(case, content)
    file.write_bytes(content)
    lines: list[str] = []
    ready()
    read = Sessions(TOKEN.encode(), file, say=lines.append)
    for guess in ("", "x", secrets[0][:-1], secrets[0] + "x", case.randbytes(32).hex()):
        if read.is_valid(guess):
            raise Found(f"{guess!r} is valid after {content!r}")
    if not read.is_valid(read.begin()):
        raise Found(f"no session can be begun after {content!r}")
    if len(lines) > 1 or any(not line.isprintable() or len(line) > 500 for line in lines):
        raise Found(f"logs {lines}")
    file.unlink()
