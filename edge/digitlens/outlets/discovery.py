"""Home Assistant's MQTT discovery: one retained message makes each sensor appear there.

The keys are from Home Assistant's documentation (MQTT Sensor, MQTT Binary sensor, MQTT Discovery);
tests/edge/outlets/test_discovery.py lists them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from digitlens.config.settings import RegionSettings
from digitlens.core.version import __version__

MAX_STATE = 255
"""Length of a state in Home Assistant, at most, characters."""


def messages(
    prefix: str,
    root: str,
    device: str,
    regions: Mapping[str, RegionSettings],
    slots: int,
    health: float,
    temperature: bool,
) -> dict[str, bytes]:
    """Topic -> payload of each sensor, to be published retained.

    Args:
        prefix: Home Assistant's discovery prefix, `homeassistant` by default.
        root: what the device's topics begin with.
        device: its name.
        regions: each is a sensor, with its confidence and whether it breaks its rules.
        slots: sensors for numbers outside regions.
        health: seconds between two reports; after four times as long without one, its sensors expire.
        temperature: whether the reports have one.
    """
    node = f"digitlens_{device}"
    common: dict[str, Any] = {
        "availability_topic": f"{root}/status",
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
        "device": {
            "identifiers": [node],
            "name": device,
            "manufacturer": "digitlens",
            "model": "Reader of handwritten digits",
            "sw_version": __version__,
        },
        "origin": {"name": "digitlens", "sw_version": __version__},
    }
    found: dict[str, bytes] = {}

    def add(component: str, object_: str, name: str, topic: str, template: str, **more: Any) -> None:
        keys = {"name": name, "unique_id": f"{node}_{object_}", "state_topic": topic}
        keys |= {"value_template": f"{{{{ {template} }}}}"} | common | more
        found[f"{prefix}/{component}/{node}/{object_}/config"] = msgspec.json.encode(keys)

    for region, settings in regions.items():
        topic = f"{root}/region/{region}"
        of_unit: dict[str, Any] = {"state_class": "total_increasing" if settings.rising else "measurement"}
        if settings.unit:
            of_unit["unit_of_measurement"] = settings.unit
        if settings.device_class:
            of_unit["device_class"] = settings.device_class
        add(
            "sensor", f"region_{region}", region, topic, "value_json.value",
            json_attributes_topic=topic, suggested_display_precision=settings.decimals, **of_unit,
        )  # fmt: skip
        add("sensor", f"region_{region}_confidence", f"{region} confidence", topic, _PERCENT, **_SHARE)
        add(
            "binary_sensor", f"region_{region}_problem", f"{region} problem", topic,
            "'ON' if value_json.reason else 'OFF'", device_class="problem",
            entity_category="diagnostic", json_attributes_topic=topic,
        )  # fmt: skip
    for slot in range(1, slots + 1):
        topic = f"{root}/number/{slot}"
        # Text, not a quantity: a leading zero is part of it.
        add(
            "sensor", f"number_{slot}", f"Number {slot}", topic,
            f"value_json.text[:{MAX_STATE}] if value_json.text else None", json_attributes_topic=topic,
        )  # fmt: skip
        add("sensor", f"number_{slot}_confidence", f"Number {slot} confidence", topic, _PERCENT, **_SHARE)
    reported: dict[str, Any] = {"entity_category": "diagnostic", "expire_after": round(4 * health)}
    topic = f"{root}/health"
    add(
        "binary_sensor", "camera", "Camera", topic, "'OFF' if value_json.lost else 'ON'",
        device_class="connectivity", json_attributes_topic=topic, **reported,
    )  # fmt: skip
    for object_, name, unit, more in (
        ("frames_per_second", "Frames per second", "frames/s", {"suggested_display_precision": 1}),
        ("age", "Age of the newest frame", "s", {"device_class": "duration"}),
        ("waiting", "Readings that wait", "readings", {}),
        ("temperature", "Temperature", "°C", {"device_class": "temperature"}),
    ):
        if object_ != "temperature" or temperature:
            add(
                "sensor", object_, name, topic, f"value_json.{object_}", unit_of_measurement=unit,
                state_class="measurement", **more, **reported,
            )  # fmt: skip
    return found


_PERCENT = (
    "(value_json.confidence * 100 + 0.000000001) | round(0, 'floor') | int "
    "if value_json.confidence is not none else None"
)
_SHARE = {"unit_of_measurement": "%", "state_class": "measurement", "entity_category": "diagnostic"}


def is_ours(payload: bytes) -> bool:
    """Whether digitlens has sent this discovery message."""
    try:
        config = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    origin = config.get("origin") if isinstance(config, dict) else None
    return isinstance(origin, dict) and origin.get("name") == "digitlens"
