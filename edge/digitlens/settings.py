"""A TOML file -> typed, validated Settings."""

from typing import Annotated, Literal

import msgspec

from digitlens.rows import Which


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[camera]: see cameras.open_camera."""

    source: str = "auto"
    rate: float | None = None
    rotation: Literal[0, 90, 180, 270] = 0
    flip: Literal["", "horizontal", "vertical", "both"] = ""
    width: int = 1280
    height: int = 720
    repeat: int = 1
    hold: int = 1


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[reader]: see reader.Reader."""

    model: str = "digits"
    threads: int = 1
    separator: str = ""
    whole: Which = "doubtful"


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[journal]: where readings are kept until all have acknowledged them; `file` empty keeps none."""

    file: str = ""
    megabytes: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 64


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[web]: the page; `listen` empty opens none. The token is read from a file."""

    listen: str = ""
    token_file: str = ""


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[mqtt]: `broker` empty sends nothing."""

    broker: str = ""
    port: int = 0
    tls: bool = False
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    topic: str = "digitlens"
    discovery: str = "homeassistant"


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[webhook]: `url` empty sends nothing. The key of the signature is read from a file."""

    url: str = ""
    key_file: str = ""


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[region.NAME]: a part of the picture, and what a number that stands there must be."""

    corners: tuple[float, float, float, float]
    """Left, top, right, bottom; parts of the picture's width and height."""
    digits: Annotated[int, msgspec.Meta(ge=1, le=15)] | None = None
    smallest: float | None = None
    largest: float | None = None
    decimals: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0
    rising: bool = False
    change_per_hour: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        left, top, right, bottom = self.corners
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError("corners: take left, top, right, bottom from 0 to 1, as in [0.1, 0.4, 0.6, 0.5]")
        if self.smallest is not None and self.largest is not None and self.smallest > self.largest:
            raise ValueError(f"smallest: {self.smallest:g} is above largest, {self.largest:g}")


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
