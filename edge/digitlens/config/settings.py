"""Everything that can be set, typed, with its default and its limits; settings_file reads it from a file."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A device's or a region's name, which stands in topics and ids."""

RowNetworkUse = Literal["doubtful", "all", "none"]
"""Which rows the network `numbers` reads besides the lattice."""
Fraction = Annotated[float, Meta(ge=0, le=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[camera]: see cameras.open_camera; `patience` is in seconds without a frame."""

    source: str = "auto"
    rate: Annotated[float, Meta(ge=0, le=1000)] | None = None
    rotation: Literal[0, 90, 180, 270] = 0
    flip: Literal["", "horizontal", "vertical", "both"] = ""
    width: Annotated[int, Meta(ge=64, le=8192)] = 1280
    height: Annotated[int, Meta(ge=64, le=8192)] = 720
    patience: Annotated[float, Meta(ge=1, le=3600)] = 5.0
    repeat: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    hold: Annotated[int, Meta(ge=1, le=1_000_000)] = 30


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[reader]: see reader.Reader."""

    model: str = "digits"
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    separator: Annotated[str, Meta(max_length=1)] = ""
    whole: RowNetworkUse = "doubtful"


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[journal]: where readings are kept until all have acknowledged them; `file` empty keeps none."""

    file: str = ""
    megabytes: Annotated[int, Meta(ge=1, le=1_000_000)] = 64


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[web]: the page; `listen` empty opens none. The token is read from a file.

    `rate` is how many pictures a second a page is sent at the most.
    """

    listen: str = ""
    token_file: str = ""
    rate: Annotated[float, Meta(gt=0, le=60)] = 10.0


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[mqtt]: `broker` empty sends nothing. See outlets.mqtt and outlets.discovery.

    `numbers` outside the regions have a topic and a sensor each; by default 8, or none where there are
    regions. `health` is the seconds between two reports of the camera's.
    """

    broker: str = ""
    port: Port = 0
    tls: bool = False
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    topic: str = "digitlens"
    discovery: str = "homeassistant"
    numbers: Annotated[int, Meta(ge=0, le=100)] | None = None
    health: Annotated[float, Meta(ge=1, le=3600)] = 30.0


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[webhook]: `url` empty sends nothing. The key of the signature is read from a file."""

    url: str = ""
    key_file: str = ""
    ca_file: str = ""
    timeout: Annotated[float, Meta(ge=1, le=300)] = 15.0


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[region.NAME]: a part of the picture, and what a number that stands there must be."""

    corners: tuple[Fraction, Fraction, Fraction, Fraction]
    """Left, top, right, bottom; parts of the picture's width and height."""
    digits: Annotated[int, Meta(ge=1, le=15)] | None = None
    smallest: float | None = None
    largest: float | None = None
    decimals: Annotated[int, Meta(ge=0, le=10)] = 0
    rising: bool = False
    change_per_hour: Annotated[float, Meta(gt=0)] | None = None
    unit: Annotated[str, Meta(max_length=20)] = ""
    """As Home Assistant is to show it: "m³"."""
    device_class: Annotated[str, Meta(max_length=40)] = ""
    """Of Home Assistant's sensors, as "water"; it must go with the unit."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything; `name` is the device's in topics and ids, empty for the host's."""

    name: str = ""
    log: Literal["debug", "info", "warning", "error"] = "info"
    camera: CameraSettings = CameraSettings()
    reader: ReaderSettings = ReaderSettings()
    journal: JournalSettings = JournalSettings()
    web: WebSettings = WebSettings()
    mqtt: MqttSettings = MqttSettings()
    webhook: WebhookSettings = WebhookSettings()
    region: dict[str, RegionSettings] = {}
