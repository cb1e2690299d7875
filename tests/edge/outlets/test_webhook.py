"""The webhook at real servers: ordered, signed, retried where that makes sense; no answer does harm."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from time import time
from typing import Any

import pytest

from digitlens.commands.main import main
from digitlens.core.errors import OutletError
from digitlens.outlets.webhook import WebhookOutlet, WebhookTiming, _retry_after
from digitlens.outlets.webhook_settings import WebhookSettings
from tests.edge.outlets.receivers import RawServer, Receiver

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from tests.edge.outlets.brokers import DEADLINE, WatchedOutbox, certificates, draft, free_port


@pytest.fixture
def open_one(watched: WatchedOutbox) -> Iterator[Callable[..., WebhookOutlet]]:
    opened = []

    def opening(url: str, **settings: object) -> WebhookOutlet:
        parsed = WebhookSettings(url=url, **settings)  # type: ignore[arg-type]
        opened.append(WebhookOutlet(parsed, watched, watched.lines.put, WebhookTiming(pauses=(0.02, 0.05))))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


def bodies(receiver: Receiver) -> list[str]:
    return [json.loads(body)["text"] for _, _, body in receiver.posts]


def test_posts_are_signed_in_order_and_have_an_id(
    tmp_path: Path, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    (tmp_path / "key").write_text("secret key\n")
    (tmp_path / "key").chmod(0o600)
    with Receiver() as receiver:
        opened = open_one(receiver.url, key_file=str(tmp_path / "key"))
        entries = watched.add([draft(count) for count in range(200)])
        opened.announce(entries)
        watched.wait_empty("webhook")
        assert bodies(receiver) == [entry.text for entry in entries]
        path, headers, body = receiver.posts[0]
        assert path == "/take?from=pi"
        assert headers["X-Digitlens-Id"] == json.loads(body)["id"] == entries[0].id
        stamp = headers["X-Digitlens-Timestamp"]
        assert abs(int(stamp) - time()) < 60
        due = hmac.new(b"secret key", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-Digitlens-Signature"] == f"sha256={due}"
        assert headers["Content-Type"] == "application/json"


def test_a_secret_address_comes_from_a_file(
    tmp_path: Path, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(503, {})]) as receiver:
        (tmp_path / "url").write_text(receiver.url + "&key=s3cret\n")
        (tmp_path / "url").chmod(0o600)
        open_one("", url_file=str(tmp_path / "url")).announce(watched.add([draft(1)]))
        watched.wait_empty("webhook")
        assert receiver.posts[0][0] == "/take?from=pi&key=s3cret"
    assert "s3cret" not in watched.lines.get(timeout=DEADLINE)


def test_without_a_key_nothing_is_signed(
    watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver() as receiver:
        open_one(receiver.url).announce(watched.add([draft(1)]))
        watched.wait_empty("webhook")
        assert "X-Digitlens-Signature" not in receiver.posts[0][1]


@pytest.mark.parametrize(
    "status",
    [401, 403, 404, 405, 407, 410, 415, 451, 408, 425, 429, 500, 502, 503, 301, 302, 307, 308, 304, 999],
)
def test_transient_failures_are_retried(
    status: int, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(status, {"Location": "http://127.0.0.1:1/elsewhere"})] * 2) as receiver:
        open_one(receiver.url).announce(watched.add([draft(1), draft(2)]))
        watched.wait_empty("webhook")
        assert bodies(receiver) == ["1", "1", "1", "2"]  # the next one waits: in order
        assert len({headers["X-Digitlens-Id"] for _, headers, _ in receiver.posts[:3]}) == 1
        said = watched.lines.get(timeout=DEADLINE)
        assert str(status) in said
        assert ("redirects are not followed" in said) == (300 <= status < 400)
        assert "takes readings again" in watched.lines.get(timeout=DEADLINE)
        assert watched.lines.empty()


def test_a_refused_entry_is_a_dead_letter_and_the_next_is_sent(
    watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(422, {}), (400, {})]) as receiver:
        open_one(receiver.url).announce(watched.add([draft(count) for count in range(3)]))
        watched.wait_empty("webhook")
        assert bodies(receiver) == ["0", "1", "2"]
        assert [(letter.entry.text, letter.reason) for letter in watched.dead_letters()] == [
            ("1", "400 Bad Request"),
            ("0", f"422 {HTTPStatus(422).phrase}"),
        ]
        assert "refuses readings: 422" in watched.lines.get(timeout=DEADLINE)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_loses_nothing(
    status: int, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(status, {})] * 12) as receiver:
        opened = open_one(receiver.url)
        opened.announce(watched.add([draft(count) for count in range(12)]))
        assert "readings wait: are key_file and this device's clock right?" in watched.lines.get(
            timeout=DEADLINE
        )
        watched.wait_empty("webhook")
        assert watched.dead_letters() == []
        assert bodies(receiver)[12:] == [str(count) for count in range(12)]


def test_dead_letters_are_sent_again_when_the_keeper_says_so(
    watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(422, {}), (400, {}), (204, {}), (204, {}), (422, {})]) as receiver:
        opened = open_one(receiver.url)
        entries = watched.add([draft(count) for count in range(3)])
        opened.announce(entries)
        watched.wait_empty("webhook")
        assert main(["log", "--journal", str(watched.path), "--send-again"]) == 0
        opened.announce(watched.add([draft(3)]))  # as the service looks by itself, once a minute
        receiver.wait(lambda receiver: len(receiver.posts) == 6)
        assert bodies(receiver) == ["0", "1", "2", "3", "0", "1"]
        assert [headers["X-Digitlens-Id"] for _, headers, _ in receiver.posts[4:]] == [
            entry.id for entry in entries[:2]
        ]
        opened.close()
        assert [letter.entry.text for letter in watched.dead_letters()] == ["0"]  # refused again
        assert watched.stats().dead_letters == {"webhook": 1}
        assert main(["log", "--journal", str(watched.path), "--send-again", "--number", "0"]) == 0
        open_one(receiver.url)
        receiver.wait(lambda receiver: len(receiver.posts) == 7)
        assert bodies(receiver)[-1] == "0"


def test_the_receiver_says_how_long_to_wait(
    watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    with Receiver([(503, {"Retry-After": "1"})]) as receiver:
        opened = open_one(receiver.url)
        started = time()
        opened.announce(watched.add([draft(1)]))
        watched.wait_empty("webhook")
        assert time() - started >= 1
        assert len(receiver.posts) == 2


def test_retry_after_is_a_number_or_a_date_and_is_limited() -> None:
    def after(header: str) -> float:
        return _retry_after(header, 3600.0)

    assert after("7") == 7.0
    assert after("999999999999999999999") == 3600.0
    assert 50 < after(formatdate(time() + 60, usegmt=True)) <= 60
    assert after(formatdate(time() - 60, usegmt=True)) == 0.0
    for nonsense in ("", "soon", "-5", "١٢", "Mon, 99 Zzz 2026 99:99:99 GMT", "1e9", "\x00"):
        assert after(nonsense) == 0.0


def test_down_at_first_then_there(watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]) -> None:
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
            watched.wait_empty("webhook")
            answered.set()
    assert answered.is_set()


@pytest.mark.program("openssl")
def test_an_https_receiver_must_be_trusted(
    tmp_path: Path, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
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
        watched.wait_empty("webhook")
        assert bodies(receiver) == ["1"]


BROKEN_ANSWERS = {
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


@pytest.mark.parametrize("name", BROKEN_ANSWERS)
def test_a_broken_answer_does_no_harm(
    name: str, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    answers = iter([BROKEN_ANSWERS[name]])
    good = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with RawServer(lambda one: one.sendall(next(answers, good))) as server:
        open_one(server.url).announce(watched.add([draft(1)]))
        watched.wait_empty("webhook")
    said = watched.lines.get(timeout=DEADLINE)
    assert said.startswith("webhook: http://127.0.0.1:")
    assert said.isprintable()


def test_an_endless_answer_is_not_read_to_its_end(
    watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    """The status is 200; the gigabytes that follow are of no use."""

    def flood(one: socket.socket) -> None:
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            one.sendall(b"x" * 65536)

    with RawServer(flood) as server:
        open_one(server.url).announce(watched.add([draft(1)]))
        watched.wait_empty("webhook")


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n", b""])
def test_a_server_that_trickles_is_given_up_in_time(
    first: bytes, watched: WatchedOutbox, open_one: Callable[..., WebhookOutlet]
) -> None:
    over = threading.Event()

    def trickle(one: socket.socket) -> None:
        while not over.wait(0.05):
            one.sendall(first or b"H")

    with RawServer(trickle) as server:
        opened = open_one(server.url, timeout=1.0)
        opened.announce(watched.add([draft(1)]))
        assert "does not answer in time" in watched.lines.get(timeout=DEADLINE)
        assert watched.pending_count("webhook") == 1
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
def test_impossible_settings_are_reported_at_once(
    settings: dict[str, Any], said: str, watched: WatchedOutbox
) -> None:
    with pytest.raises(OutletError, match="webhook") as raised:
        WebhookOutlet(WebhookSettings(**settings), watched)
    assert said in str(raised.value)
    assert "word" not in str(raised.value).replace("password", "")
