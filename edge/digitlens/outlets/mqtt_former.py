"""Retained messages of before at a broker: under another name, topic or prefix, or at another broker.

What this device has retained somewhere is remembered in a file beside the journal, and deleted there once the
settings lead elsewhere.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from digitlens.core.backoff import Backoff
from digitlens.core.errors import OutletError
from digitlens.core.paths import is_special
from digitlens.outlets import discovery
from digitlens.outlets.mqtt_messages import BrokerRefused
from digitlens.outlets.mqtt_settings import CREDENTIAL, MqttSettings
from digitlens.outlets.secrets import secret, secret_path
from digitlens.outlets.wakeup import Wakeup

if TYPE_CHECKING:
    from digitlens.outlets.mqtt_connection import MqttConnection

MAX_FORMER = 8
"""Places that are remembered, at most."""
QUIET = 1.0
"""Time without another retained message after which all have come, seconds."""
TIMEOUT = 20.0
"""Time for one place, at most, seconds."""
TRIES = 3
"""Tries for a place in one run of the outlet; the next run tries again."""
PAUSES = (2.0, 15.0, 60.0)
"""Pauses after a failed try, seconds."""


class Place(msgspec.Struct, frozen=True):
    """Where a device has retained messages, and what its password's file was: device, inode, size, time."""

    settings: MqttSettings
    device: str
    password: tuple[int, ...] = ()

    @property
    def root(self) -> str:
        """What its topics begin with."""
        return f"{self.settings.topic}/{self.device}"

    @property
    def broker(self) -> tuple[str, int]:
        """Host and port."""
        return self.settings.broker, self.settings.port or (8883 if self.settings.tls else 1883)

    @property
    def identity(self) -> tuple[object, ...]:
        """What the topics depend on, and where they are."""
        return *self.broker, self.root, self.settings.discovery


class FormerPlaces:
    """Clears the places of before in a thread of its own, and remembers the one of now.

    Args:
        settings, device: of now.
        file: that remembers the places.
        say: takes each line for the user, in the thread.
        pauses: after a failed try, seconds.
    """

    def __init__(
        self,
        settings: MqttSettings,
        device: str,
        file: Path,
        say: Callable[[str], None],
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._now = Place(settings, device, _state(settings))
        self._file, self._say, self._pauses = file, say, pauses
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._wakeup = Wakeup()
        self._places = [place for place in self._read() if place.identity != self._now.identity]
        self._write()
        self._thread = threading.Thread(target=self._run, name="mqtt of before", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask the thread to end, without waiting for it: a broker may be silent."""
        with self._lock:
            if not self._closing.is_set():
                self._closing.set()
                self._wakeup.wake()

    def _run(self) -> None:
        try:
            self._clear_all()
        finally:
            with self._lock:
                self._closing.set()
                self._wakeup.close()

    def _clear_all(self) -> None:
        for place in list(self._places):
            backoff = Backoff(self._pauses)
            error = ""
            for _ in range(TRIES):
                if self._closing.is_set():
                    return
                try:
                    done = self._clear(place)
                except Exception as caught:  # a broker that breaks the protocol breaks paho in many places
                    error = str(caught)
                    self._closing.wait(backoff.pause())
                    continue
                self._places.remove(place)
                self._write()
                if done:
                    self._say(f"mqtt: {place.broker[0]}: what was retained below {place.root} is deleted")
                error = ""
                break
            if error:
                self._say(
                    f"mqtt: what is retained below {place.root} at {place.broker[0]} stays there: {error}; "
                    f"mosquitto_sub --remove-retained -W 5 -t '{place.root}/#' deletes it"
                )

    def _clear(self, place: Place) -> bool:
        """Delete what is retained; False where that is another device's now.

        Raises:
            OutletError: the broker cannot be reached, or refuses it.
        """
        from digitlens.outlets.mqtt_connection import MqttConnection  # with paho, which is optional

        settings = self._credentials(place)
        end = monotonic() + TIMEOUT

        def until() -> float:
            return 0.0 if self._closing.is_set() else end

        def connected(mqtt5: bool) -> "MqttConnection":
            return MqttConnection(
                settings, secret(settings.password_file, CREDENTIAL, "mqtt.password_file"), mqtt5=mqtt5,
                client_id=f"digitlens-{place.device}-before", will_topic=f"{place.root}/status",
                wakeup=self._wakeup, until=until,
            )  # fmt: skip

        try:
            connection = connected(True)
        except BrokerRefused as refused:
            if not refused.version:
                raise
            connection = connected(False)
        try:
            return self._delete(place, connection, until)
        finally:
            connection.close()

    def _credentials(self, place: Place) -> MqttSettings:
        """The settings to connect with: a password goes to the broker alone that it is for."""
        if place.password == _state(place.settings):
            return place.settings
        if place.broker == self._now.broker:
            return self._now.settings
        raise OutletError("its password is another one now")

    def _delete(self, place: Place, connection: "MqttConnection", until: Callable[[], float]) -> bool:
        topics = [f"{place.root}/{one}" for one in ("region/+", "number/+", "numbers", "status")]
        if place.settings.discovery:
            topics.append(f"{place.settings.discovery}/+/digitlens_{place.device}/+/config")
        connection.subscribe(topics)
        found: dict[str, None] = {}
        quiet = monotonic() + QUIET
        while monotonic() < min(quiet, until()):
            connection.step(QUIET / 4)
            while connection.received:
                message = connection.received.popleft()
                ours = message.topic.startswith(f"{place.root}/") or discovery.is_ours(message.payload)
                if not message.retained or not message.payload or not ours:
                    continue
                if message.topic == f"{place.root}/status" and message.payload == b"online":
                    return False
                found[message.topic] = None
                quiet = monotonic() + QUIET
        waiting: set[int] = set()
        for topic in found:
            while len(waiting) >= connection.window:
                self._settle(connection, waiting, until)
            waiting.add(connection.publish(topic, b"", retain=True))
        while waiting:
            self._settle(connection, waiting, until)
        return True

    def _settle(self, connection: "MqttConnection", waiting: set[int], until: Callable[[], float]) -> None:
        if (rest := until() - monotonic()) <= 0:
            raise OutletError("the broker does not acknowledge it")
        connection.step(min(rest, QUIET))
        while connection.acknowledged:
            number, why = connection.acknowledged.popleft()
            if why:
                raise OutletError(f"the broker refuses it ({why})")
            waiting.discard(number)

    def _read(self) -> list[Place]:
        try:
            if is_special(self._file):
                return []
            return msgspec.json.decode(self._file.read_bytes(), type=list[Place])
        except (OSError, ValueError):  # what is lost so stays at the broker; msgspec's errors are ValueErrors
            return []

    def _write(self) -> None:
        """The places of before that are still to be cleared, and that of now."""
        new = Path(f"{self._file}.new")
        with suppress(OSError):
            new.unlink(missing_ok=True)
            with FileIO(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(msgspec.json.encode([*self._places[-MAX_FORMER:], self._now]))
            new.replace(self._file)


def _state(settings: MqttSettings) -> tuple[int, ...]:
    """What changes when the password's file is replaced or written; nothing without a user, or a file."""
    path = secret_path(settings.password_file, CREDENTIAL)
    if not settings.user or path is None:
        return ()
    try:
        found = path.stat()
    except OSError:
        return (-1,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
