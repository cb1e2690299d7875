"""What a connection to a broker hands on; apart from it, for paho-mqtt is imported when an outlet opens."""

from typing import NamedTuple

from digitlens.core.errors import OutletError


class BrokerRefused(OutletError):  # noqa: N818  # an answer, if not the one hoped for
    """The broker has answered, and refuses us; `version` if it only does not know MQTT 5."""

    def __init__(self, text: str, version: bool = False) -> None:
        super().__init__(text)
        self.version = version


class ReceivedMessage(NamedTuple):
    """A message of a subscribed topic."""

    topic: str
    payload: bytes
    retained: bool
