"""The webhook at real servers: in order, signed, repeated where it makes sense; no answer does harm."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest

from digitlens.config.settings import WebhookSettings
from digitlens.core.errors import OutletError
from digitlens.outlets import webhook
from digitlens.outlets.webhook import WebhookOutlet
from tests.edge.outlets.receivers import Receiver, Rude

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from tests.edge.outlets.brokers import DEADLINE, Watched, certificates, draft, free_port


@pytest.fixture
def open_one(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WebhookOutlet]]:
    monkeypatch.setattr(webhook, "PAUSES", (0.02, 0.05))
    opened = []

    def opening(url: str, **settings: object) -> WebhookOutlet:
        told = WebhookSettings(url=url, **settings)  # type: ignore[arg-type]
        opened.append(WebhookOutlet(told, watched, watched.lines.put))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


def bodies(receiver: Receiver) -> list[str]:
    return [json.loads(body)["text"] for _, _, body in receiver.posts]


def test_posts_are_signed_in_order_and_have_an_id(
    tmp_path: Path, watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    (tmp_path / "key").write_text("secret key\n")
    (tmp_path / "key").chmod(0o600)
    with Receiver() as receiver:
        opened = open_one(receiver.url, key_file=str(tmp_path / "key"))
        entries = watched.add([draft(count) for count in range(200)])
        opened.announce(entries)
        watched.arrived("webhook")
        assert bodies(receiver) == [entry.text for entry in entries]
        path, headers, body = receiver.posts[0]
        assert path == "/take?from=pi"
        assert headers["X-Digitlens-Id"] == json.loads(body)["id"] == entries[0].id
        stamp = headers["X-Digitlens-Timestamp"]
        assert abs(int(stamp) - time()) < 60
        due = hmac.new(b"secret key", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-Digitlens-Signature"] == f"sha256={due}"
        assert headers["Content-Type"] == "application/json"


def test_without_a_key_nothing_is_signed(watched: Watched, open_one: Callable[..., WebhookOutlet]) -> None:
    with Receiver() as receiver:
        open_one(receiver.url).announce(watched.add([draft(1)]))
        watched.arrived("webhook")
        assert "X-Digitlens-Signature" not in receiver.posts[0][1]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 301, 302, 307, 308, 304, 999])
def test_what_may_be_better_the_next_time_is_sent_again(
    status: int, watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(status, {"Location": "http://127.0.0.1:1/elsewhere"})] * 2) as receiver:
        open_one(receiver.url).announce(watched.add([draft(1), draft(2)]))
        watched.arrived("webhook")
        assert bodies(receiver) == ["1", "1", "1", "2"]  # the next one waits: in order
        assert len({headers["X-Digitlens-Id"] for _, headers, _ in receiver.posts[:3]}) == 1
        said = watched.lines.get(timeout=DEADLINE)
        assert str(status) in said
        assert ("redirects are not followed" in said) == (300 <= status < 400)
        assert "takes readings again" in watched.lines.get(timeout=DEADLINE)
        assert watched.lines.empty()


def test_what_is_refused_is_set_aside_and_the_next_sent(
    watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(422, {}), (400, {})]) as receiver:
        open_one(receiver.url).announce(watched.add([draft(count) for count in range(3)]))
        watched.arrived("webhook")
        assert bodies(receiver) == ["0", "1", "2"]
        assert [(aside.entry.text, aside.reason) for aside in watched.asides()] == [
            ("1", "400 Bad Request"),
            ("0", "422 Unprocessable Entity"),
        ]
        assert "refuses readings: 422" in watched.lines.get(timeout=DEADLINE)


def test_the_receiver_says_how_long_to_wait(watched: Watched, open_one: Callable[..., WebhookOutlet]) -> None:
    with Receiver([(503, {"Retry-After": "1"})]) as receiver:
        opened = open_one(receiver.url)
        started = time()
        opened.announce(watched.add([draft(1)]))
        watched.arrived("webhook")
        assert time() - started >= 1
        assert len(receiver.posts) == 2


def test_retry_after_is_a_number_or_a_date_and_has_an_end() -> None:
    after = webhook._after
    assert after("7") == 7.0
    assert after("999999999999999999999") == webhook.LONGEST
    assert 50 < after(formatdate(time() + 60, usegmt=True)) <= 60
    assert after(formatdate(time() - 60, usegmt=True)) == 0.0
    for nonsense in ("", "soon", "-5", "١٢", "Mon, 99 Zzz 2026 99:99:99 GMT", "1e9", "\x00"):
        assert after(nonsense) == 0.0


def test_down_at_first_then_there(watched: Watched, open_one: Callable[..., WebhookOutlet]) -> None:
    port = free_port()
    opened = open_one(f"http://127.0.0.1:{port}/")
    opened.announce(watched.add([draft(1)]))
    assert "cannot be reached: Connection refused" in watched.lines.get(timeout=DEADLINE)
    answered = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(DEADLINE)
        one, _ = server.accept()
        with one:
            one.recv(65536)
            one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            watched.arrived("webhook")
            answered.set()
    assert answered.is_set()


@pytest.mark.program("openssl")
def test_an_https_receiver_must_be_trusted(
    tmp_path: Path, watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    certificates(tmp_path, 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "broker.crt", tmp_path / "broker.key")
    with Receiver(context=context) as receiver:
        url = receiver.url.replace("http:", "https:")
        strange = open_one(url)
        strange.announce(watched.add([draft(1)]))
        assert "its certificate is not trusted" in watched.lines.get(timeout=DEADLINE)
        strange.close()
        open_one(url, ca_file=str(tmp_path / "ca.crt"))
        watched.arrived("webhook")
        assert bodies(receiver) == ["1"]


RUDE = {
    "nothing": b"",
    "no http": b"\x00\x01\x02 nonsense\r\n\r\n",
    "half a head": b"HTTP/1.1 500 No\r\nContent-Le",
    "half a body": b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf",
    "half a line": b"HTTP/1.1 20",
    "huge header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "negative length": b"HTTP/1.1 500 No\r\nContent-Length: -5\r\n\r\n",
    "strange status": b"HTTP/1.1 abc OK\r\n\r\n",
    "redirect to nowhere": b"HTTP/1.1 302 F\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "escapes": b"HTTP/1.1 302 F\r\nLocation: http://\x1b[31mx/\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", RUDE)
def test_an_answer_that_is_none_harms_nothing(
    name: str, watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    answers = iter([RUDE[name]])
    good = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with Rude(lambda one: one.sendall(next(answers, good))) as rude:
        open_one(rude.url).announce(watched.add([draft(1)]))
        watched.arrived("webhook")
    said = watched.lines.get(timeout=DEADLINE)
    assert said.startswith("webhook: http://127.0.0.1:")
    assert said.isprintable()


def test_an_answer_without_end_is_not_read_to_it(
    watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    """200 is said; the gigabytes that follow are of no use."""

    def flood(one: socket.socket) -> None:
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            one.sendall(b"x" * 65536)

    with Rude(flood) as rude:
        open_one(rude.url).announce(watched.add([draft(1)]))
        watched.arrived("webhook")


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n", b""])
def test_a_server_that_trickles_is_given_up_in_time(
    first: bytes, watched: Watched, open_one: Callable[..., WebhookOutlet]
) -> None:
    over = threading.Event()

    def trickle(one: socket.socket) -> None:
        while not over.wait(0.05):
            one.sendall(first or b"H")

    with Rude(trickle) as rude:
        opened = open_one(rude.url, timeout=1.0)
        opened.announce(watched.add([draft(1)]))
        assert "does not answer in time" in watched.lines.get(timeout=DEADLINE)
        assert watched.waiting("webhook") == 1
        opened.close()  # in the middle of the next one
        over.set()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "ftp://x/"}, "take http"),
        ({"url": "http:///x"}, "take http"),
        ({"url": "http://x:99999/"}, "webhook.url: Port out of range"),
        ({"url": "https://me:word@x/"}, "no user and password in it"),
        ({"url": "http://x/a b"}, "must be written with %XX"),
        ({"url": "http://x/ä"}, "must be written with %XX"),
        ({"url": "http://x/", "key_file": "/nowhere/key"}, "webhook.key_file: /nowhere/key: cannot be read"),
        ({"url": "https://x/", "ca_file": "/nowhere/ca"}, "webhook.ca_file: /nowhere/ca"),
    ],
)
def test_settings_that_cannot_be_are_said_at_once(
    settings: dict[str, Any], said: str, watched: Watched
) -> None:
    with pytest.raises(OutletError, match="webhook") as raised:
        WebhookOutlet(WebhookSettings(**settings), watched)
    assert said in str(raised.value)
    assert "word" not in str(raised.value).replace("password", "")
