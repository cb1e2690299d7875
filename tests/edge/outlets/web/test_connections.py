"""Clients that hold connections, send nothing or take nothing, over real sockets."""

import http.client
import socket
from contextlib import ExitStack, suppress
from time import monotonic

import numpy as np
import pytest

from digitlens.core.frames import Frame
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from tests.edge.outlets.web.viewing import LONG, TOKEN, UPGRADE, asked, until

pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.outlet import WebOutlet

LIMITS = ServerLimits()


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


def _closed(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
