"""A real Mosquitto, a subscriber that keeps what it receives, and drafts to send."""

import json
import os
import queue
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from digitlens.outlets.entries import Draft, Entry
from digitlens.outlets.outbox import Outbox
from tests import needs

DEADLINE = 120.0
"""Wait for something that takes less than one second; a test that reaches it has failed, seconds.

On a machine that does much else two hundred posts took 20 seconds.
"""


def draft(count: int, text: str = "", region: str = "", value: float | None = None) -> Draft:
    """The event of a number."""
    return Draft(
        time=1.7e9 + count, kind="appeared", number=count, text=text or str(count), confidence=0.97,
        box=(10, 20, 30, 40), size=(1280, 720), region=region, value=value,
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def certificates(folder: Path, days: int) -> str:
    """An authority, and a broker's certificate that expires in so many days, or did; made by openssl."""
    folder.chmod(0o755)

    def openssl(*arguments: str) -> None:
        subprocess.run([needs.path("openssl"), *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority", "-days", "2",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    openssl("req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=127.0.0.1")
    extensions = ("subjectAltName=IP:127.0.0.1", "authorityKeyIdentifier=keyid", "basicConstraints=CA:FALSE")
    (folder / "names").write_text("\n".join(extensions) + "\n")
    openssl(
        "x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-extfile", "names", "-out", "broker.crt", "-days", str(days),
    )  # fmt: skip
    (folder / "broker.key").chmod(0o644)
    files = {"cafile": "ca.crt", "certfile": "broker.crt", "keyfile": "broker.key"}
    return "allow_anonymous true\n" + "".join(f"{key} {folder}/{file}\n" for key, file in files.items())


class Broker:
    """Mosquitto with a settings file; keeps its port when it is started again."""

    def __init__(
        self, folder: Path, settings: str = "allow_anonymous true\n", port: int | None = None
    ) -> None:
        self.folder, self.port = folder, port or free_port()
        self._settings = folder / "mosquitto.conf"
        if os.geteuid() == 0:  # else it becomes a user who may not read pytest's folders
            settings += "user root\n"
        self._settings.write_text(f"listener {self.port} 127.0.0.1\nmax_queued_messages 0\n{settings}")
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        self._process = process = subprocess.Popen(
            [needs.path("mosquitto"), "-c", str(self._settings), "-v"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if re.search(r"version \S+ running", line):
                break
        else:
            process.stderr.close()
            raise AssertionError(f"mosquitto ended with {process.wait()}")

        def drain() -> None:
            assert process.stderr is not None
            for _ in process.stderr:
                pass

        self._reader = threading.Thread(target=drain, daemon=True)
        self._reader.start()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._reader is not None
            assert self._process.stderr is not None
            self._reader.join()
            self._process.stderr.close()
            self._process = None


@contextmanager
def broker(folder: Path, settings: str = "allow_anonymous true\n") -> Iterator[Broker]:
    one = Broker(folder, settings)
    one.start()
    try:
        yield one
    finally:
        one.kill()


class Subscriber:
    """Receives `topic` in order, in a session that the broker keeps while it runs."""

    def __init__(self, port: int, topic: str = "#", name: str = "subscriber") -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.received = threading.Condition()
        self._client = one = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        subscribed = threading.Event()
        one.on_connect = lambda client, *rest: self._subscribe(client, topic)
        one.on_subscribe = lambda *rest: subscribed.set()
        one.on_message = lambda client, data, message: self._receive(message)
        one.reconnect_delay_set(1, 1)
        one.connect("127.0.0.1", port)
        one.loop_start()
        assert subscribed.wait(DEADLINE)

    def _subscribe(self, client: paho.Client, topic: str) -> None:
        client.subscribe(topic, qos=1)

    def _receive(self, message: paho.MQTTMessage) -> None:
        with self.received:
            self.messages.append((message.topic, bytes(message.payload)))
            self.received.notify_all()

    def of(self, end: str) -> list[bytes]:
        """Payloads of the topics with this end."""
        with self.received:
            return [payload for topic, payload in self.messages if topic.endswith(end)]

    def ids(self) -> list[str]:
        """Ids of the entries that have come, in their order."""
        return [json.loads(payload)["id"] for payload in self.of("/event")]

    def wait(self, done: Callable[["Subscriber"], object], seconds: float = DEADLINE) -> None:
        with self.received:
            assert self.received.wait_for(lambda: done(self), seconds), self.messages[-3:]

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(DEADLINE)

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *rest: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class WatchedOutbox(Outbox):
    """An outbox whose acknowledgments can be waited for; `lines` has what it and its outlets say."""

    def __init__(self, path: Path, megabytes: int = 64) -> None:
        self.lines: queue.Queue[str] = queue.Queue()
        self.acknowledged = threading.Condition()
        self.most_held = 0  # entries that an outlet had at once
        super().__init__(path, megabytes, "pi", self.lines.put)

    def pending(self, outlet: str, limit: int = 100, after: str = "") -> list[Entry]:
        found = super().pending(outlet, limit, after)
        if found:
            newer = self.stats().pending[outlet] - 1
            first = int(self.history(1)[0].id.rpartition("-")[2]) - newer
            self.most_held = max(self.most_held, int(found[-1].id.rpartition("-")[2]) - first + 1)
        return found

    def acknowledge(self, outlet: str, ids: Sequence[str]) -> None:
        super().acknowledge(outlet, ids)
        with self.acknowledged:
            self.acknowledged.notify_all()

    def wait_empty(self, outlet: str, seconds: float = DEADLINE) -> None:
        """Wait until everything is acknowledged."""
        with self.acknowledged:
            assert self.acknowledged.wait_for(lambda: self.pending_count(outlet) == 0, seconds), self.stats()
