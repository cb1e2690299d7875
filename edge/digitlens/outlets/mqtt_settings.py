"""[mqtt]: the settings of the outlet, and its times, which no setting changes."""

import ipaddress
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from digitlens.config.settings import Port
from digitlens.config.values import shown
from digitlens.outlets.tls import is_loopback

CREDENTIAL = "mqtt-password"
"""The password's name among systemd's credentials."""
SLOTS = 8
"""Topics for numbers, where there are no regions and the settings do not say how many."""
STABLE_AFTER = 30.0
"""Age at which a connection counts as stable, so that the backoff begins anew, seconds."""
MAX_SHORT_CONNECTIONS = 3
"""Unstable connections in a row before a second device of the same name is suspected."""


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[mqtt]: `broker` empty sends nothing. See outlets.mqtt and outlets.discovery."""

    broker: Annotated[str, Meta(description="The broker's host. Empty sends nothing.")] = ""
    port: Annotated[Port, Meta(description="Its port; 0 is 1883, with TLS 8883.")] = 0
    tls: Annotated[
        bool, Meta(description="Whether the connection is encrypted, and the broker's certificate checked.")
    ] = False
    ca_file: Annotated[
        str,
        Meta(
            description="The file with the certificates that are trusted. Empty trusts those of the system."
        ),
    ] = ""
    user: Annotated[str, Meta(description="The user's name at the broker.")] = ""
    password_file: Annotated[
        str,
        Meta(description="The file with the password, which others must not be able to read (chmod 640)."),
    ] = ""
    topic: Annotated[str, Meta(description="The beginning of all topics; the device's name follows.")] = (
        "digitlens"
    )
    discovery: Annotated[
        str, Meta(description="Home Assistant's discovery prefix. Empty announces nothing there.")
    ] = "homeassistant"
    numbers: Annotated[
        Annotated[int, Meta(ge=0, le=100)] | None,
        Meta(
            description="Numbers outside the regions that have a topic and a sensor each, 0 to 100. "
            'Without it there are 8, or none where there are regions; the topic "numbers" lists all of them.',
            examples=[8],
        ),
    ] = None
    health: Annotated[
        float,
        Meta(ge=1, le=3600, description="Seconds between two reports of the camera's health, 1 to 3600."),
    ] = 30.0


@dataclass(frozen=True)
class MqttTiming:
    """When the outlet tries again, gives up and answers."""

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
    """Pauses before the broker is tried again, the last one repeated; each varies by a fifth, seconds."""
    puback_timeout: float = 60.0
    """Time without a PUBACK that is due, after which the connection is renewed, seconds."""
    birth_spread: float = 3.0
    """Time over which the devices of a house spread their answers to Home Assistant's birth, seconds."""


def check(settings: MqttSettings) -> None:
    """Whether the values are a broker's, and topics.

    Raises:
        ValueError: "KEY: what is wrong".
    """
    for key, topic in (("topic", settings.topic), ("discovery", settings.discovery or "none")):
        if not topic or set(topic) & set("+#\0") or topic.startswith(("/", "$")) or topic.endswith("/"):
            raise ValueError(f"{key}: {shown(topic)}: take a topic without +, # and outer slashes")
    broker = settings.broker
    if set(broker) & set("/@ \0") or (":" in broker and not _is_address(broker)):
        raise ValueError(
            f"broker: {shown(broker)}: take the host alone; port, user and tls have their own keys"
        )


def warnings(settings: MqttSettings) -> list[str]:
    """What weakens the connection, a line each."""
    found = []
    if settings.ca_file and not settings.tls:
        found.append("[mqtt] ca_file: is of no use without tls = true: the connection is not encrypted")
    elif settings.user and not settings.tls and not is_loopback(settings.broker):
        found.append("[mqtt] tls: without it everybody on the way can read the password and what is sent")
    if settings.password_file and not settings.user:
        found.append("[mqtt] password_file: is not sent without user")
    return found


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False
