"""Strange input from other programs and damaged files, from a seed; the same seed is the same case.

deploy/checks/outlets/fuzz.py tries new seeds for minutes; those that found something are in
test_outlet_fuzz.py.
"""

import contextlib
import io
import queue
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from digitlens.commands.main import main
from digitlens.core.errors import JournalError
from digitlens.outlets import discovery
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.retained import RetainedState
from tests.edge.outlets.brokers import draft

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 No\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/x?y#z\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nSet-Cookie: a=b\r\n\r\nuntil the end",
)
PACKETS = (
    b"\x20\x03\x00\x00\x00",  # CONNACK
    b"\x20\x06\x00\x00\x03\x21\x00\x14",  # with a receive maximum
    b"\x20\x03\x00\x87\x00",  # not authorized
    b"\x90\x07\x00\x01\x00\x01\x01\x01\x01",  # SUBACK
    b"\x40\x02\x00\x02",  # PUBACK
    b"\x40\x04\x00\x03\x87\x00",  # refused
    b"\x32\x1a\x00\x14homeassistant/status\x00\x07\x00onli",  # PUBLISH
    b'\x31\x22\x00\x18digitlens/pi/region/meter\x00{"text":',  # retained
    b"\xd0\x00",  # PINGRESP
    b"\xe0\x02\x8e\x00",  # DISCONNECT
    b"\xf0\x00",  # AUTH
)
SPECIAL = (
    b"\x00",
    b"\xff",
    b"\r\n",
    b"\n",
    b":",
    b"-1",
    b"99999999999999999999",
    b"\x80\x80\x80\x80",
    b"\xc3",
)


def mutated(chance: random.Random, data: bytes, times: int = 6) -> bytes:
    """The same with a few bytes changed, left out, put in, doubled or cut off."""
    found = bytearray(data)
    for _ in range(chance.randint(0, times)):
        place = chance.randrange(len(found) + 1)
        what = chance.randrange(7)
        if what == 0 and place < len(found):
            found[place] = chance.randrange(256)
        elif what == 1:
            del found[place : place + chance.randint(1, 8)]
        elif what == 2:
            found[place:place] = chance.choice(SPECIAL)
        elif what == 3:
            found[place:place] = found[place : place + chance.randint(1, 40)] * chance.randint(1, 50)
        elif what == 4 and chance.random() < 0.3:
            del found[place:]
        elif what == 5:
            found[place:place] = chance.randbytes(chance.randint(1, 30))
        elif what == 6 and place < len(found):
            found[place] ^= 1 << chance.randrange(8)
    return bytes(found)


def answer(seed: int) -> bytes:
    """What an HTTP server may answer."""
    chance = random.Random(seed)
    return mutated(chance, chance.choice(ANSWERS))


def packets(seed: int) -> bytes:
    """What a server at a broker's port may send: it mostly begins as a broker does."""
    chance = random.Random(seed)
    said = [chance.choice(PACKETS[:3])] + [chance.choice(PACKETS) for _ in range(chance.randint(0, 12))]
    return b"".join(mutated(chance, one, 2) if chance.random() < 0.5 else one for one in said)


def payload(seed: int) -> tuple[str, bytes, bool]:
    """What another client may publish to our subscriptions: topic, payload, retained."""
    chance = random.Random(seed)
    ours = next(iter(discovery.messages("homeassistant", "digitlens/pi", "pi", {}, 1, 30.0, False).values()))
    state = RetainedState("digitlens/pi", (), 1).changes()["digitlens/pi/numbers"]
    content = chance.choice((b"online", b"offline", ours, state))
    topic = chance.choice(
        (
            "homeassistant/status",
            f"homeassistant/sensor/digitlens_pi/{chance.choice(('x', 'é', 'a b', 'number_1'))}/config",
            f"homeassistant/{chance.choice(('', 'x', '☂'))}/digitlens_pi//config",
            f"digitlens/pi/region/{chance.choice(('meter', '', 'ä', '0' * 300))}",
            f"digitlens/pi/number/{chance.choice(('1', '-1', '999999999999', ' '))}",
        )
    )
    return topic, mutated(chance, content, 10), chance.random() < 0.5


class Port:
    """A server that sends each client what `said` returns, in two pieces, and hangs up."""

    def __init__(self, said: Callable[[], bytes]) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._said = said
        self._thread = threading.Thread(target=self._serve)
        self.served: queue.Queue[None] = queue.Queue()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            with one, contextlib.suppress(OSError):
                one.settimeout(5)
                one.recv(65536)
                said = self._said()
                half = len(said) // 2
                one.sendall(said[:half])
                one.sendall(said[half:])
                one.shutdown(socket.SHUT_WR)
                while one.recv(65536):
                    pass
            self.served.put(None)

    def __enter__(self) -> "Port":
        self._thread.start()
        return self

    def __exit__(self, *rest: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


def outbox(seed: int, folder: Path) -> None:
    """Damage an outbox's file, and maybe its log, while it is closed or open; then do everything with it.

    Raises:
        AssertionError: it did not recover.
        JournalError: it did not recover.
    """
    chance = random.Random(seed)
    path = folder / "journal.db"
    one = Outbox(path, 1, "pi")
    one.follow("mqtt")
    entries = one.add(
        [draft(count, region="water", value=float(count)) for count in range(chance.randint(1, 400))]
    )
    one.refuse("mqtt", entries[0].id, "400 Bad Request")
    while_open = chance.random() < 0.5
    if not while_open:
        one.close()
    sides = [side for side in ("", "-wal") if Path(f"{path}{side}").exists()]
    for side in sides if chance.random() < 0.5 else [chance.choice(sides)]:
        damage(chance, Path(f"{path}{side}"))
    try:
        if not while_open:
            one = Outbox(path, 1, "pi")
            one.follow("mqtt")
        use(one)
        added = one.add([draft(7)])
        assert added[0].text == "7"
        one.close()
        one = Outbox(path, 1, "pi")
        one.follow("mqtt")
        use(one)
        assert one.add([draft(8)])[0].text == "8"
    except JournalError as error:
        # Another program's application_id or a later version, by chance: such a file is not ours to rename.
        if "not a journal" not in str(error) and "of format" not in str(error):
            raise
    finally:
        one.close()
    for kept in sorted(folder.glob("journal.db*")):
        if not kept.name.endswith(("-wal", "-shm", ".lock")):
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                for more in ((), ("--csv",), ("--dead-letters",)):
                    assert main(["log", "--journal", str(kept), *more]) in (0, 1)
            kept.unlink()


def damage(chance: random.Random, path: Path) -> None:
    """Change bytes of a file, in place."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 3, 30))):
        if not data:
            break
        place = chance.randrange(len(data))
        what = chance.randrange(5)
        if what == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif what == 1:
            length = chance.randint(1, 64)
            data[place : place + length] = chance.randbytes(min(length, len(data) - place))
        elif what == 2:
            start = place // 512 * 512
            data[start : start + 512] = bytes(min(512, len(data) - start))
        elif what == 3 and chance.random() < 0.2:
            del data[place:]
        elif len(data) > 4096:
            start, other = (chance.randrange(len(data) // 4096) * 4096 for _ in range(2))
            data[start : start + 4096] = data[other : other + 4096]
    with path.open("r+b") as file:
        file.write(data)
        file.truncate(len(data))


def use(one: Outbox) -> None:
    """Query an outbox for everything that it can be asked."""
    one.history(50, containing="1")
    one.dead_letters()
    one.good(["water"])
    one.latest("water")
    for _ in range(100):
        found = one.pending("mqtt", 100)
        if not found:
            break
        one.acknowledge("mqtt", [entry.id for entry in found])
    one.stats()
