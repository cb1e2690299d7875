"""One connection to an MQTT broker, by paho-mqtt (the extra mqtt); all calls from one thread."""

import select
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from digitlens.core.errors import DependencyError, OutletError, reason
from digitlens.outlets.mqtt_messages import BrokerRefused, ReceivedMessage
from digitlens.outlets.mqtt_settings import MqttSettings
from digitlens.outlets.tls import client_context
from digitlens.outlets.wakeup import Wakeup

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
"""MQTT's keep-alive interval: after as long without a packet the broker is pinged, seconds.

The connection counts as lost after twice as long.
"""
CONNACK_TIMEOUT = 15.0
"""Wait for the broker's answer to CONNECT, at most, seconds."""
MAX_PACKET_SIZE = 65_536
"""Size of a message that we accept, at most, bytes; MQTT 5 brokers send no larger ones."""
MAX_INFLIGHT = 20
"""Messages in flight, at most; a broker's receive maximum may be lower."""
MAX_RECEIVED = 1000
"""Received messages that wait to be handled, at most; the oldest of more are dropped."""
UNAUTHORIZED = "Bad user name or password", "Not authorized"


class MqttConnection:
    """Connects when it is made.

    Args:
        client_id: the client's id at the broker.
        will_topic: the topic of the last will, `offline`, retained.
        mqtt5: MQTT 5, whose brokers report a refused message; else 3.1.1.
        wakeup: step() returns when it is woken.
        until: until when the broker's answer is waited for, monotonic seconds; looked at when woken.

    `window` is how many messages the broker takes in flight at once. `acknowledged` has the number of each
    message in the order of the PUBACKs, with the reason where it was refused, else empty.

    Raises:
        OutletError: the broker cannot be reached, or is not trusted.
        BrokerRefused: the broker refuses us.
    """

    def __init__(
        self,
        settings: MqttSettings,
        password: str,
        *,
        client_id: str,
        will_topic: str,
        mqtt5: bool,
        wakeup: Wakeup,
        until: Callable[[], float],
    ) -> None:
        self.acknowledged: deque[tuple[int, str]] = deque()
        self.received: deque[ReceivedMessage] = deque(maxlen=MAX_RECEIVED)
        self.window = MAX_INFLIGHT
        self.name = f"{settings.broker}:{settings.port or (8883 if settings.tls else 1883)}"
        self._mqtt5, self._wakeup = mqtt5, wakeup
        self._answer: ReasonCode | None = None
        self._lost = ""
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if mqtt5 else paho.MQTTv311,
            reconnect_on_failure=False,
            clean_session=None if mqtt5 else True,  # MQTT 5 says so when it connects
        )
        client.max_inflight_messages_set(self.window)
        client.will_set(will_topic, b"offline", qos=1, retain=True)
        if settings.user:
            client.username_pw_set(settings.user, password or None)
        if settings.tls:
            context = client_context(settings.ca_file, "mqtt.ca_file")
            context.sslsocket_class = _Socket
            client.tls_set_context(context)
        client.on_connect, client.on_publish = self._on_connect, self._on_publish
        client.on_message, client.on_disconnect = self._on_message, self._on_disconnect
        try:
            self._connect(settings, until)
        except BaseException:
            self.close()
            raise

    def subscribe(self, topics: list[str]) -> None:
        """Subscribe to these; without our own messages there, where the broker speaks MQTT 5."""
        if self._mqtt5:
            self._client.subscribe([(topic, SubscribeOptions(qos=1, noLocal=True)) for topic in topics])
        else:
            self._client.subscribe([(topic, 1) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, acknowledge: bool = True) -> int:
        """Send a message, at QoS 1 with `acknowledge`, else 0; its number, as in `acknowledged`.

        Raises:
            OutletError: the connection is lost.
        """
        info = self._client.publish(topic, payload, qos=1 if acknowledge else 0, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise OutletError(f"{self.name}: {self._lost or paho.error_string(info.rc)}")
        return info.mid

    def step(self, seconds: float) -> None:
        """Send and receive, after waiting at most so long for something to do.

        Raises:
            OutletError: the connection is lost.
        """
        socket = self._client.socket()
        if socket is None:
            raise OutletError(f"{self.name}: {self._lost or 'the connection is lost'}")
        if isinstance(socket, ssl.SSLSocket) and socket.pending():
            seconds = 0.0
        poll = select.poll()  # select() knows no descriptors from 1024 on
        poll.register(socket, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.register(self._wakeup.fileno(), select.POLLIN)
        ready = dict(poll.poll(seconds * 1000))
        if self._wakeup.fileno() in ready:
            self._wakeup.clear()
        events = ready.get(socket.fileno(), 0)
        status = paho.MQTT_ERR_SUCCESS
        if events & ~select.POLLOUT or (isinstance(socket, ssl.SSLSocket) and socket.pending()):
            status = self._client.loop_read()
        if status == paho.MQTT_ERR_SUCCESS and self._client.want_write():
            status = self._client.loop_write()
        if status == paho.MQTT_ERR_SUCCESS:
            status = self._client.loop_misc()
        if status != paho.MQTT_ERR_SUCCESS:
            raise OutletError(f"{self.name}: {self._lost or paho.error_string(status)}")

    def close(self) -> None:
        """Disconnect cleanly, if the broker still answers; it does not publish the will then."""
        with suppress(Exception):  # of a connection that is ending anyway
            self._client.disconnect()
            if self._client.want_write():
                self._client.loop_write()
        self.drop()

    def drop(self) -> None:
        """Close the socket without DISCONNECT: the broker publishes the will."""
        if (socket := self._client.socket()) is not None:
            with suppress(OSError):
                socket.close()

    def _connect(self, settings: MqttSettings, until: Callable[[], float]) -> None:
        properties: dict[str, Any] = {}
        if self._mqtt5:
            connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            connect.MaximumPacketSize = MAX_PACKET_SIZE
            properties["properties"] = connect
        host, _, port = self.name.rpartition(":")
        try:
            self._client.connect(host, int(port), keepalive=KEEPALIVE, **properties)
        except ssl.SSLCertVerificationError as error:
            raise OutletError(
                f"{self.name}: its certificate is not trusted: {error.verify_message}"
            ) from error
        except (OSError, ValueError) as error:
            raise OutletError(f"{self.name}: cannot be reached: {reason(error)}") from error
        end = monotonic() + CONNACK_TIMEOUT
        while self._answer is None:
            if (rest := min(end, until()) - monotonic()) <= 0:
                raise OutletError(f"{self.name}: does not answer as a broker does")
            try:
                self.step(rest)
            except OutletError:
                if self._answer is None:
                    raise
        if self._answer.is_failure:
            name = self._answer.getName()
            fix = ": look at user and password_file" if name in UNAUTHORIZED else ""
            version = self._mqtt5 and name == "Unsupported protocol version"
            raise BrokerRefused(f"{self.name}: {name.lower()}{fix}", version)

    def _on_connect(
        self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answer = reason
        # Where the property is absent, the broker's limit is 65,535.
        self.window = max(1, min(self.window, getattr(properties, "ReceiveMaximum", self.window)))

    def _on_publish(
        self, client: paho.Client, data: Any, mid: int, reason: ReasonCode, properties: Properties
    ) -> None:
        self.acknowledged.append((mid, str(reason).lower() if reason.is_failure else ""))

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        with suppress(UnicodeDecodeError):  # the topic is decoded when it is looked at
            self.received.append(ReceivedMessage(message.topic, bytes(message.payload), message.retain))

    def _on_disconnect(self, client: paho.Client, data: Any, *rest: Any) -> None:
        reason = next((one for one in rest if isinstance(one, ReasonCode)), None)
        if reason is not None and self._answer is None and reason.is_failure:
            self._answer = reason
        if self._lost:
            return  # the first reason is the broker's; paho reports the same end again
        text = str(reason).lower() if reason is not None else ""
        self._lost = (
            "another client took over: give each device a name of its own"
            if text == "session taken over"
            else f"the connection is lost ({text})"
            if text and not text.startswith(("unspecified", "success", "normal"))
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
