"""MQTT: readings to a broker.

Topics, below TOPIC/DEVICE: `event` has each entry of the outbox, in order; `region/NAME`, `number/SLOT` and
`numbers` have the numbers on the paper now, retained; `health` has the camera's statistics; `status` is
online or offline, retained.
"""

import random
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

import msgspec

from digitlens.config.settings import RegionSettings
from digitlens.core.backoff import Backoff
from digitlens.core.errors import OutletError
from digitlens.live.stats import StatsSnapshot
from digitlens.outlets import discovery, mqtt_settings
from digitlens.outlets.base import Option, Outlet, OutletContext, OutletThread
from digitlens.outlets.entries import Entry
from digitlens.outlets.health import THERMOMETER, report
from digitlens.outlets.mqtt_former import FormerPlaces
from digitlens.outlets.mqtt_inflight import Inflight
from digitlens.outlets.mqtt_messages import BrokerRefused, ReceivedMessage
from digitlens.outlets.mqtt_settings import CREDENTIAL, MqttSettings, MqttTiming
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.retained import RetainedState
from digitlens.outlets.secrets import secret
from digitlens.outlets.tls import client_context
from digitlens.outlets.wakeup import Wakeup

if TYPE_CHECKING:
    from digitlens.outlets.mqtt_connection import MqttConnection

BATCH = 100
"""Entries taken from the outbox at once."""
DRAIN_TIMEOUT = 3.0
"""Time to send pending messages, and to sign off, when the outlet is closed, at most, seconds."""
IDLE = 5.0
"""Wait for something to do, at most, seconds."""


class MqttOutlet(Outlet):
    """Sends entries from the outbox in its own thread, and moves its cursor as the broker acknowledges them.

    Args:
        device: its name in the topics; letters, digits, - and _.
        outbox: holds every entry that is announced.
        regions: their settings, by name.
        stats: the live loop's statistics; None publishes no health.
        say: takes each line for the user, in the thread.
        present: the newest entry of each number that has not gone, where the outlet is opened again.
        timing: of tests, which do not wait for long.

    Raises:
        DependencyError: paho-mqtt is not installed (when the module is imported).
        OutletError: the password or the certificates cannot be read.
    """

    name = "mqtt"
    Settings = MqttSettings
    switch = "broker"
    options = (Option("--mqtt", "broker", "[mqtt] broker", "HOST"),)
    sends_from_outbox = True
    uses_regions = True
    modules = ("digitlens.outlets.mqtt_connection",)
    secrets = (("password_file", CREDENTIAL),)
    thread: OutletThread
    former: FormerPlaces | None = None

    @classmethod
    def check(cls, settings: MqttSettings) -> None:
        """See Outlet."""
        mqtt_settings.check(settings)

    @classmethod
    def warnings(cls, settings: MqttSettings) -> list[str]:
        """See Outlet."""
        return mqtt_settings.warnings(settings)

    @classmethod
    def open(cls, settings: MqttSettings, context: OutletContext) -> Self:
        """See Outlet."""
        outlet = cls(
            settings, context.device, context.outbox(), context.regions, context.stats.snapshot, context.say,
            present=context.present(),
        )  # fmt: skip
        if context.kept is not None:
            outlet.former = FormerPlaces(settings, context.device, Path(f"{context.kept}.mqtt"), context.say)
        return outlet

    def __init__(
        self,
        settings: MqttSettings,
        device: str,
        outbox: Outbox,
        regions: Mapping[str, RegionSettings] | None = None,
        stats: Callable[[], StatsSnapshot] | None = None,
        say: Callable[[str], None] = lambda line: None,
        present: Sequence[Entry] = (),
        timing: MqttTiming = MqttTiming(),  # noqa: B008  # frozen
    ) -> None:
        from digitlens.outlets.mqtt_connection import MqttConnection  # with paho, which is optional

        self._settings, self._device, self._outbox = settings, device, outbox
        self._stats, self._say_line, self._timing = stats, say, timing
        self._root = f"{settings.topic}/{device}"
        regions = regions or {}
        slots = settings.numbers if settings.numbers is not None else 0 if regions else mqtt_settings.SLOTS
        self._state = RetainedState(self._root, regions, slots)
        self._sensors: dict[str, bytes] = {}
        if prefix := settings.discovery:
            hot = THERMOMETER.exists()
            self._sensors = discovery.messages(
                prefix, self._root, device, regions, slots, settings.health, hot
            )
        self._password()  # both are read again for each connection; errors are raised now
        if settings.tls:
            client_context(settings.ca_file, "mqtt.ca_file")
        outbox.follow(self.name)
        for region in regions:
            if (entry := outbox.latest(region)) is not None:
                self._state.restore(region, entry)
        self._state.update(present)
        self._retained = OrderedDict[str, bytes]()  # to be published, by topic
        self._inflight = Inflight(partial(outbox.acknowledge, self.name))
        self._entries = deque[Entry]()
        self._health_due = 0.0
        self._introduction_due: float | None = None
        self._mqtt5, self._short_connections, self._last, self._said = True, 0, "", ""
        self._backoff = Backoff(timing.pauses, jitter=0.2)
        self._more = threading.Event()
        self._closing = threading.Event()
        self._close_by = inf
        self._wakeup = Wakeup()
        self._connect = partial(
            MqttConnection, settings, client_id=f"digitlens-{device}", will_topic=f"{self._root}/status",
            wakeup=self._wakeup, until=lambda: self._close_by,
        )  # fmt: skip
        self.thread = OutletThread("mqtt", self._run)
        self.thread.start()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        self._state.update(entries)
        self._more.set()
        self._wakeup.wake()

    def close(self) -> None:
        """See Outlet; what cannot be sent within DRAIN_TIMEOUT stays in the outbox."""
        if self._closing.is_set():
            return
        self._close_by = monotonic() + DRAIN_TIMEOUT
        self._closing.set()
        self._wakeup.wake()
        if self.former is not None:
            self.former.close()
        self.thread.join(DRAIN_TIMEOUT + 10)
        if not self.thread.is_alive():
            self._wakeup.close()

    def _password(self) -> str:
        return secret(self._settings.password_file, CREDENTIAL, "mqtt.password_file")

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._session()
            except BrokerRefused as error:
                if error.version:
                    self._mqtt5 = False
                    continue
                self._say(str(error))
            except OutletError as error:
                if not self._closing.is_set():
                    self._say(str(error))
            except Exception as error:  # a broker that breaks the protocol breaks paho in many places
                self._say(f"{self._settings.broker}: {type(error).__name__}: {error}")
            self._inflight.flush()
            pause = self._backoff.pause()
            while pause > 0 and not self._closing.is_set():
                pause = self._wakeup.wait(pause)

    def _session(self) -> None:
        """One connection, until its end.

        Raises:
            OutletError: the broker cannot be reached, or refuses us.
        """
        connection = self._connect(password=self._password(), mqtt5=self._mqtt5)
        begun = monotonic()
        try:
            if self._said and self._short_connections < mqtt_settings.MAX_SHORT_CONNECTIONS:
                self._say_line(f"mqtt: {connection.name}: connected")
                self._said = ""
            if monotonic() >= self._close_by:  # another may be connected by now
                return
            self._begin(connection)
            while not self._closing.is_set() or (self._busy() and monotonic() < self._close_by):
                try:
                    self._fill(connection)
                    connection.step(self._wait())
                except OutletError:
                    self._settle(connection)  # a refused message before the end is the better reason
                    raise
                self._settle(connection)
                self._receive(connection)
            self._sign_off(connection)
        except BrokerRefused:
            raise
        except OutletError as error:
            if not self._closing.is_set():
                if monotonic() - begun < mqtt_settings.STABLE_AFTER:
                    self._short_connections += 1
                else:
                    self._short_connections = 0
                    self._backoff.reset()
                suspect = self._short_connections >= mqtt_settings.MAX_SHORT_CONNECTIONS
                self._say(f"{error}{'; is there another device of this name?' if suspect else ''}")
        finally:
            connection.close() if self._closing.is_set() else connection.drop()

    def _begin(self, connection: "MqttConnection") -> None:
        """Send again, on a new connection, what was in flight, and everything that is retained."""
        self._inflight.begin()
        self._entries.clear()
        self._last = ""
        self._more.set()
        self._health_due = 0.0
        topics = [f"{self._root}/region/+", f"{self._root}/number/+"]
        if self._sensors:
            topics += [
                f"{self._settings.discovery}/status",
                f"{self._settings.discovery}/+/digitlens_{self._device}/+/config",
            ]
        connection.subscribe(topics)
        self._introduce()

    def _introduce(self) -> None:
        """Publish everything that is retained, the birth message last."""
        self._retained = OrderedDict(self._sensors)
        self._state.resend()
        self._retained.update(self._state.changes())
        self._retained[f"{self._root}/status"] = b"online"

    def _fill(self, connection: "MqttConnection") -> None:
        """Keep as many messages in flight as the broker takes."""
        now = monotonic()
        if self._introduction_due is not None and now >= self._introduction_due:
            self._introduction_due = None
            self._introduce()
        if self._stats is not None and now >= self._health_due:
            self._health_due = now + self._settings.health
            health = report(self._stats, self._outbox.pending_count(self.name))
            connection.publish(f"{self._root}/health", health, acknowledge=False)
            self._more.set()  # in case an announcement was missed
        for topic, payload in self._state.changes().items():
            self._retained[topic] = payload
        while len(self._inflight) < connection.window:
            if self._retained:
                topic, payload = self._retained.popitem(last=False)
                self._inflight.add(connection.publish(topic, payload, retain=True))
            elif entry := self._next():
                self._inflight.add(
                    connection.publish(f"{self._root}/event", msgspec.json.encode(entry)), entry.id
                )
                self._last = entry.id
            else:
                break

    def _next(self) -> Entry | None:
        if not self._entries and self._more.is_set():
            self._more.clear()
            self._entries.extend(self._outbox.pending(self.name, BATCH, self._last))
            if len(self._entries) == BATCH:
                self._more.set()
        return self._entries.popleft() if self._entries else None

    def _settle(self, connection: "MqttConnection") -> None:
        """Take the PUBACKs that have come.

        Raises:
            OutletError: a message was refused, or no PUBACK comes any more.
        """
        while connection.acknowledged:
            number, why = connection.acknowledged.popleft()
            if why:
                raise BrokerRefused(
                    f"{connection.name}: refuses messages below {self._root}: {why}: look at its access rules"
                )
            self._inflight.acknowledged(number)
        self._inflight.settle()
        timeout = self._timing.puback_timeout
        if monotonic() - self._inflight.progress > timeout:
            raise OutletError(f"{connection.name}: has acknowledged nothing for {timeout:.0f} s")

    def _receive(self, connection: "MqttConnection") -> None:
        """Answer Home Assistant's birth, and delete retained messages of ours that are out of date."""
        while connection.received:
            message = connection.received.popleft()
            if message.topic == f"{self._settings.discovery}/status":
                if message.payload == b"online" and not message.retained:
                    self._introduction_due = monotonic() + random.uniform(0, self._timing.birth_spread)
            elif message.retained and message.payload and self._outdated(message):
                self._retained[message.topic] = b""

    def _outdated(self, message: ReceivedMessage) -> bool:
        if message.topic.startswith(f"{self._root}/"):
            return message.topic not in self._state.topics
        return message.topic not in self._sensors and discovery.is_ours(message.payload)

    def _busy(self) -> bool:
        return bool(self._inflight or self._retained or self._entries or self._more.is_set())

    def _sign_off(self, connection: "MqttConnection") -> None:
        """Publish `offline`, and wait for its PUBACK."""
        self._inflight.flush()
        number = connection.publish(f"{self._root}/status", b"offline", retain=True)
        while all(acknowledged != number for acknowledged, _ in connection.acknowledged):
            if (rest := self._close_by - monotonic()) <= 0:
                return
            connection.step(rest)

    def _wait(self) -> float:
        """Seconds until there is something to do without news from the broker or the loop."""
        if self._closing.is_set():
            return 0.1
        now = monotonic()
        waits = [IDLE]
        if self._inflight:
            waits.append(self._inflight.progress + self._timing.puback_timeout - now)
        if self._stats is not None:
            waits.append(self._health_due - now)
        if self._introduction_due is not None:
            waits.append(self._introduction_due - now)
        if (flush := self._inflight.flush_due(now)) is not None:
            waits.append(flush)
        return max(0.0, min(waits))

    def _say(self, line: str) -> None:
        """Say a line once, until another one follows or the connection works again."""
        if line != self._said:
            self._said = line
            self._say_line(f"mqtt: {line}")
