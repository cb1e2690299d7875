"""One connection to an MQTT broker, by paho-mqtt (the extra mqtt); all calls from one thread."""

import os
import select
import ssl
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from digitlens.core.errors import DependencyError, OutletError
from digitlens.outlets.mqtt_settings import MqttSettings
from digitlens.outlets.tls import trusting

try:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
    from paho.mqtt.subscribeoptions import SubscribeOptions
except ImportError as error:
    raise DependencyError("MQTT needs paho-mqtt: pip install 'digitlens[mqtt]'") from error

KEEPALIVE = 30
"""Seconds without a word, after which the broker is asked whether it is there; lost after twice as long."""
GREETING = 15.0
"""Seconds that a broker may take for its answer to CONNECT."""
LARGEST = 65_536
"""Bytes of a message that we take; the broker is told not to send larger ones."""
NOT_LET_IN = "Bad user name or password", "Not authorized"
HEARD = 1000
"""Messages of others that wait to be looked at; more at once are let go, they are of no use."""


class BrokerRefused(OutletError):  # noqa: N818  # an answer, if not the one hoped for
    """The broker has answered, and will not have us; `version` if only not in MQTT 5."""

    def __init__(self, text: str, version: bool = False) -> None:
        super().__init__(text)
        self.version = version


class ReceivedMessage(NamedTuple):
    """A message of a topic that was subscribed to."""

    topic: str
    payload: bytes
    retained: bool


class MqttConnection:
    """Connected when it is made.

    Args:
        client: the client's id at the broker.
        will: the topic at which the broker says `offline`, retained, when we are gone.
        five: MQTT 5, whose brokers say when they have refused a message; else 3.1.1.
        wake: a descriptor; step() ends when there is something to be read there.

    Raises:
        OutletError: the broker cannot be reached, or is not trusted.
        Refused: it will not have us.
    """

    def __init__(
        self, settings: MqttSettings, password: str, *, client: str, will: str, five: bool, wake: int
    ) -> None:
        self.acknowledged: deque[tuple[int, str]] = deque()
        """Message numbers, in the order of their PUBACK, each with why it was refused, if it was."""
        self.heard: deque[ReceivedMessage] = deque(maxlen=HEARD)
        self.window = 20
        """Messages that the broker will have unacknowledged at once; that of ours at the most."""
        self.name = f"{settings.broker}:{settings.port or (8883 if settings.tls else 1883)}"
        self._five, self._wake = five, wake
        self._answer: ReasonCode | None = None
        self._gone = ""
        self._client = one = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            reconnect_on_failure=False,
            clean_session=None if five else True,  # MQTT 5 says so when it connects
        )
        one.max_inflight_messages_set(self.window)
        one.will_set(will, b"offline", qos=1, retain=True)
        if settings.user:
            one.username_pw_set(settings.user, password or None)
        if settings.tls:
            context = trusting(settings.ca_file, "mqtt.ca_file")
            context.sslsocket_class = _Socket
            one.tls_set_context(context)
        one.on_connect, one.on_publish = self._on_connect, self._on_publish
        one.on_message, one.on_disconnect = self._on_message, self._on_disconnect
        try:
            self._connect(settings)
        except BaseException:
            self.close()
            raise

    def subscribe(self, topics: list[str]) -> None:
        """Hear these; what we say there ourselves is not told, where the broker knows how."""
        if self._five:
            self._client.subscribe([(topic, SubscribeOptions(qos=1, noLocal=True)) for topic in topics])
        else:
            self._client.subscribe([(topic, 1) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, acknowledge: bool = True) -> int:
        """Send a message; its number, that is acknowledged later if that is asked for.

        Raises:
            OutletError: the connection is lost.
        """
        told = self._client.publish(topic, payload, qos=1 if acknowledge else 0, retain=retain)
        if told.rc != paho.MQTT_ERR_SUCCESS:
            raise OutletError(f"{self.name}: {self._gone or paho.error_string(told.rc)}")
        return told.mid

    def step(self, seconds: float) -> None:
        """Send and receive, and wait at most so long for something to do.

        Raises:
            OutletError: the connection is lost.
        """
        socket = self._client.socket()
        if socket is None:
            raise OutletError(f"{self.name}: {self._gone or 'the connection is lost'}")
        if isinstance(socket, ssl.SSLSocket) and socket.pending():
            seconds = 0.0
        asked = select.poll()  # select() knows no descriptors from 1024 on
        asked.register(socket, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        asked.register(self._wake, select.POLLIN)
        found = dict(asked.poll(seconds * 1000))
        if self._wake in found:
            with suppress(BlockingIOError):
                os.read(self._wake, 4096)
        happened = found.get(socket.fileno(), 0)
        told = paho.MQTT_ERR_SUCCESS
        if happened & ~select.POLLOUT or (isinstance(socket, ssl.SSLSocket) and socket.pending()):
            told = self._client.loop_read()
        if told == paho.MQTT_ERR_SUCCESS and self._client.want_write():
            told = self._client.loop_write()
        if told == paho.MQTT_ERR_SUCCESS:
            told = self._client.loop_misc()
        if told != paho.MQTT_ERR_SUCCESS:
            raise OutletError(f"{self.name}: {self._gone or paho.error_string(told)}")

    def close(self) -> None:
        """Say goodbye, if there is still somebody; the will is not carried out then."""
        with suppress(Exception):  # of a connection that is ending anyway
            self._client.disconnect()
            if self._client.want_write():
                self._client.loop_write()
        self.drop()

    def drop(self) -> None:
        """Let the connection go without a word: the broker carries out the will."""
        if (socket := self._client.socket()) is not None:
            with suppress(OSError):
                socket.close()

    def _connect(self, settings: MqttSettings) -> None:
        properties: dict[str, Any] = {}
        if self._five:
            properties["properties"] = told = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            told.MaximumPacketSize = LARGEST
        host, _, port = self.name.rpartition(":")
        try:
            self._client.connect(host, int(port), keepalive=KEEPALIVE, **properties)
        except ssl.SSLCertVerificationError as error:
            raise OutletError(
                f"{self.name}: its certificate is not trusted: {error.verify_message}"
            ) from error
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise OutletError(f"{self.name}: cannot be reached: {what}") from error
        until = monotonic() + GREETING
        while self._answer is None:
            if (rest := until - monotonic()) <= 0:
                raise OutletError(f"{self.name}: does not answer as a broker does")
            try:
                self.step(rest)
            except OutletError:
                if self._answer is None:
                    raise
        if self._answer.is_failure:
            name = self._answer.getName()
            mend = ": look at user and password_file" if name in NOT_LET_IN else ""
            version = self._five and name == "Unsupported protocol version"
            raise BrokerRefused(f"{self.name}: {name.lower()}{mend}", version)

    def _on_connect(
        self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answer = reason
        # Absent, it is 65,535.
        self.window = max(1, min(self.window, getattr(properties, "ReceiveMaximum", self.window)))

    def _on_publish(
        self, client: paho.Client, data: Any, mid: int, reason: ReasonCode, properties: Properties
    ) -> None:
        self.acknowledged.append((mid, str(reason).lower() if reason.is_failure else ""))

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        with suppress(UnicodeDecodeError):  # the topic is decoded when it is looked at
            self.heard.append(ReceivedMessage(message.topic, bytes(message.payload), message.retain))

    def _on_disconnect(self, client: paho.Client, data: Any, *rest: Any) -> None:
        reason = next((one for one in rest if isinstance(one, ReasonCode)), None)
        if reason is not None and self._answer is None and reason.is_failure:
            self._answer = reason
        if self._gone:
            return  # the first word is the broker's; paho says more of the same end
        said = str(reason).lower() if reason is not None else ""
        self._gone = (
            "another client took over: give each device a name of its own"
            if said == "session taken over"
            else f"the connection is lost ({said})"
            if said and not said.startswith(("unspecified", "success", "normal"))
            else "the connection is lost"
        )


class _Socket(ssl.SSLSocket):
    """Closed when the broker is not trusted; paho forgets that."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
