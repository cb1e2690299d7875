"""MQTT: readings to a broker.

Topics, below TOPIC/DEVICE: `event` has each entry of the journal, in order; `region/NAME`, `number/PLACE`
and `numbers` what stands now, retained; `health` how the camera does; `status` online or offline, retained.
"""

import os
import random
import select
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Self

import msgspec

from digitlens.config.settings import RegionSettings
from digitlens.config.values import shown
from digitlens.core.errors import OutletError
from digitlens.live.stats import StatsSnapshot
from digitlens.outlets import discovery
from digitlens.outlets.base import Option, Outlet, OutletContext
from digitlens.outlets.entries import Entry
from digitlens.outlets.health import THERMOMETER, report
from digitlens.outlets.mqtt_connection import BrokerRefused, MqttConnection, ReceivedMessage
from digitlens.outlets.mqtt_settings import MqttSettings
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.retained import RetainedState
from digitlens.outlets.secrets import secret
from digitlens.outlets.tls import trusting

PLACES = 8
"""Numbers that have a topic each, where there are no regions."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before the broker is tried again; the last again and again. A fifth more or less, by chance."""
STEADY = 30.0
"""Seconds after which a connection was one: the pauses begin anew."""
DOUBTFUL = 3
"""Connections, each lost at once: as when two devices of one name put each other out."""
BATCH = 100
"""Entries that are taken from the journal at once."""
MARKED = 50
"""Entries that are marked as acknowledged at once, while more are under way."""
LATER = 0.5
"""Seconds that a mark may wait for others."""
PATIENCE = 60.0
"""Seconds without an acknowledgment that is due, after which the connection is begun anew."""
SPREAD = 3.0
"""Seconds over which the devices of a house answer Home Assistant's birth."""
FAREWELL = 3.0
"""Seconds for what is still to be sent when the outlet is closed."""


class MqttOutlet(Outlet):
    """Sends in a thread of its own, from the journal, and marks there what the broker has acknowledged.

    Args:
        device: its name in the topics; letters, digits, - and _.
        journal: what is announced stands in it.
        regions: their settings, by name.
        vitals: how the camera does; None reports nothing.
        say: is handed each line for the user, from the thread.
        standing: the newest entries of the numbers that have not gone, where it is opened anew.

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

    @classmethod
    def check(cls, settings: MqttSettings) -> None:
        """See Outlet."""
        topic = settings.topic
        if not topic or set(topic) & set("+#\0") or topic.startswith(("/", "$")) or topic.endswith("/"):
            raise ValueError(f"topic: {shown(topic)}: take a topic without +, # and outer slashes")

    @classmethod
    def open(cls, settings: MqttSettings, context: OutletContext) -> Self:
        """See Outlet."""
        return cls(
            settings,
            context.device,
            context.outbox(),
            context.regions,
            context.stats.snapshot,
            context.say,
            standing=context.standing(),
        )

    def __init__(
        self,
        settings: MqttSettings,
        device: str,
        journal: Outbox,
        regions: Mapping[str, RegionSettings] | None = None,
        vitals: Callable[[], StatsSnapshot] | None = None,
        say: Callable[[str], None] = lambda line: None,
        standing: Sequence[Entry] = (),
    ) -> None:
        self._settings, self._device, self._journal = settings, device, journal
        self._vitals, self._say_line = vitals, say
        self._root = f"{settings.topic}/{device}"
        regions = regions or {}
        places = settings.numbers if settings.numbers is not None else 0 if regions else PLACES
        self._board = RetainedState(self._root, regions, places)
        self._sensors: dict[str, bytes] = {}
        if settings.discovery:
            self._sensors = discovery.messages(
                settings.discovery, self._root, device, regions, places,
                settings.health, THERMOMETER.exists(),
            )  # fmt: skip
        self._password()  # what is wrong with them is said now
        if settings.tls:
            trusting(settings.ca_file, "mqtt.ca_file")
        journal.follow(self.name)
        for region in regions:
            if (entry := journal.latest(region)) is not None:
                self._board.restore(region, entry)
        self._board.take(standing)
        self._waiting = OrderedDict[str, bytes]()  # retained, by topic
        self._told = OrderedDict[int, str]()  # number of the message -> id of the entry, in order
        self._others = set[int]()
        self._done = set[int]()
        self._to_mark: list[str] = []
        self._entries = deque[Entry]()
        self._last = ""
        self._moved = self._marked = 0.0
        self._health_due = 0.0
        self._announce_at: float | None = None
        self._five = True
        self._tries = self._short = 0
        self._said = ""
        self._more = threading.Event()
        self._closing = threading.Event()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        self._board.take(entries)
        self._more.set()
        self._rouse()

    def close(self) -> None:
        """See Outlet; what cannot be sent in a few seconds stays in the journal."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._rouse()
        self._thread.join(FAREWELL + 10)
        if not self._thread.is_alive():
            os.close(self._wake)
            os.close(self._waker)

    def _rouse(self) -> None:
        with suppress(BlockingIOError):  # full: it will wake up
            os.write(self._waker, b"\0")

    def _password(self) -> str:
        return secret(self._settings.password_file, "mqtt-password", "mqtt.password_file")

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._session()
            except BrokerRefused as error:
                if error.version:
                    self._five = False
                    continue
                self._say(str(error))
            except OutletError as error:
                self._say(str(error))
            except Exception as error:  # a broker that breaks the protocol breaks paho in many ways
                self._say(f"{self._settings.broker}: {type(error).__name__}: {error}")
            self._mark()
            pause = PAUSES[min(self._tries, len(PAUSES) - 1)]
            self._tries += 1
            self._sleep(pause * random.uniform(0.8, 1.2))

    def _session(self) -> None:
        """One connection, until the end.

        Raises:
            OutletError: it could not be had.
        """
        link = MqttConnection(
            self._settings, self._password(), client=f"digitlens-{self._device}",
            will=f"{self._root}/status", five=self._five, wake=self._wake,
        )  # fmt: skip
        begun = monotonic()
        try:
            if self._said and self._short < DOUBTFUL:
                self._say_line(f"mqtt: {link.name}: connected")
                self._said = ""
            self._begin(link)
            until = None
            while until is None or (self._busy() and monotonic() < until):
                if until is None and self._closing.is_set():
                    until = monotonic() + FAREWELL
                try:
                    self._fill(link)
                    link.step(self._patience())
                except OutletError:
                    self._settle(link)  # that a message was refused before the end is the reason
                    raise
                self._settle(link)
                self._listen(link)
            self._part(link)
        except BrokerRefused:
            raise
        except OutletError as error:
            if not self._closing.is_set():
                short = monotonic() - begun < STEADY
                self._short = self._short + 1 if short else 0
                self._tries = self._tries if short else 0
                hint = "; is there another device of this name?" if self._short >= DOUBTFUL else ""
                self._say(f"{error}{hint}")
        finally:
            link.close() if self._closing.is_set() else link.drop()

    def _begin(self, link: MqttConnection) -> None:
        """A new connection: what was under way is sent again, and all that is retained, too."""
        self._told.clear()
        self._others.clear()
        self._done.clear()
        self._entries.clear()
        self._last = ""
        self._mark()
        self._more.set()
        self._moved = monotonic()
        self._health_due = 0.0
        topics = [f"{self._root}/region/+", f"{self._root}/number/+"]
        if self._sensors:
            topics += [
                f"{self._settings.discovery}/status",
                f"{self._settings.discovery}/+/digitlens_{self._device}/+/config",
            ]
        link.subscribe(topics)
        self._introduce()

    def _introduce(self) -> None:
        """Say everything that is retained, and last that we are there."""
        self._waiting = OrderedDict(self._sensors)
        self._board.again()
        self._waiting.update(self._board.news())
        self._waiting[f"{self._root}/status"] = b"online"

    def _fill(self, link: MqttConnection) -> None:
        """Keep as many messages under way as the broker will have."""
        now = monotonic()
        if self._announce_at is not None and now >= self._announce_at:
            self._announce_at = None
            self._introduce()
        if self._vitals is not None and now >= self._health_due:
            self._health_due = now + self._settings.health
            told = report(self._vitals, self._journal.waiting(self.name))
            link.publish(f"{self._root}/health", told, acknowledge=False)
            self._more.set()  # whatever an announcement may have missed
        for topic, payload in self._board.news().items():
            self._waiting[topic] = payload
        while len(self._told) + len(self._others) < link.window:
            if self._waiting:
                topic, payload = self._waiting.popitem(last=False)
                self._others.add(link.publish(topic, payload, retain=True))
            elif entry := self._next():
                number = link.publish(f"{self._root}/event", msgspec.json.encode(entry))
                self._told[number] = self._last = entry.id
            else:
                break

    def _next(self) -> Entry | None:
        if not self._entries and self._more.is_set():
            self._more.clear()
            self._entries.extend(self._journal.pending(self.name, BATCH, self._last))
            if len(self._entries) == BATCH:
                self._more.set()
        return self._entries.popleft() if self._entries else None

    def _settle(self, link: MqttConnection) -> None:
        """Mark what has been acknowledged.

        Raises:
            OutletError: a message was refused, or no acknowledgment comes any more.
        """
        now = monotonic()
        while link.acknowledged:
            number, why = link.acknowledged.popleft()
            if why:
                raise BrokerRefused(
                    f"{link.name}: refuses messages below {self._root}: {why}: look at its access rules"
                )
            self._moved = now
            self._others.discard(number)
            if number in self._told:
                self._done.add(number)
        while self._told and (first := next(iter(self._told))) in self._done:
            self._done.discard(first)
            if not self._to_mark:
                self._marked = now
            self._to_mark.append(self._told.pop(first))
        if self._to_mark and (not self._told or len(self._to_mark) >= MARKED or now - self._marked > LATER):
            self._mark()
        if not self._told and not self._others:
            self._moved = now
        elif now - self._moved > PATIENCE:
            raise OutletError(f"{link.name}: has acknowledged nothing for {PATIENCE:.0f} s")

    def _listen(self, link: MqttConnection) -> None:
        """Home Assistant's birth; and what stands retained of us and is not ours any more is taken back."""
        while link.heard:
            heard = link.heard.popleft()
            if heard.topic == f"{self._settings.discovery}/status":
                if heard.payload == b"online" and not heard.retained:
                    self._announce_at = monotonic() + random.uniform(0, SPREAD)
            elif heard.retained and heard.payload and self._stale(heard):
                self._waiting[heard.topic] = b""

    def _stale(self, heard: ReceivedMessage) -> bool:
        if heard.topic.startswith(f"{self._root}/"):
            return heard.topic not in self._board.topics
        return heard.topic not in self._sensors and discovery.is_ours(heard.payload)

    def _busy(self) -> bool:
        return bool(self._told or self._others or self._waiting or self._entries or self._more.is_set())

    def _part(self, link: MqttConnection) -> None:
        """The last word, which must have arrived."""
        self._mark()
        number = link.publish(f"{self._root}/status", b"offline", retain=True)
        until = monotonic() + FAREWELL
        while all(acknowledged != number for acknowledged, _ in link.acknowledged):
            if (rest := until - monotonic()) <= 0:
                return
            link.step(rest)

    def _mark(self) -> None:
        if self._to_mark:
            self._journal.acknowledge(self.name, self._to_mark)
            self._to_mark = []

    def _patience(self) -> float:
        if self._closing.is_set():
            return 0.1
        now = monotonic()
        ends = [5.0]
        if self._told or self._others:
            ends.append(self._moved + PATIENCE - now)
        if self._vitals is not None:
            ends.append(self._health_due - now)
        if self._announce_at is not None:
            ends.append(self._announce_at - now)
        if self._to_mark:
            ends.append(self._marked + LATER - now)
        return max(0.0, min(ends))

    def _say(self, line: str) -> None:
        """Once, until another thing is wrong or it is mended."""
        if line != self._said:
            self._said = line
            self._say_line(f"mqtt: {line}")

    def _sleep(self, seconds: float) -> None:
        until = monotonic() + seconds
        asked = select.poll()
        asked.register(self._wake, select.POLLIN)
        while not self._closing.is_set() and (rest := until - monotonic()) > 0:
            if asked.poll(rest * 1000):
                with suppress(BlockingIOError):
                    os.read(self._wake, 4096)
