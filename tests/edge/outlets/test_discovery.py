"""Home Assistant's discovery messages, against the keys that its documentation has."""

import re

import msgspec

from digitlens.config.settings import RegionSettings
from digitlens.outlets import discovery

# From home-assistant.io, source/_integrations: sensor.mqtt.markdown, binary_sensor.mqtt.markdown and
# mqtt.markdown (MQTT discovery: device, origin), as of 2025; required ones first.
BOTH = {
    "state_topic",
    "availability", "availability_topic", "availability_mode", "availability_template",
    "payload_available", "payload_not_available",
    "default_entity_id", "device", "device_class", "enabled_by_default", "encoding", "entity_category",
    "entity_picture", "expire_after", "force_update", "icon", "json_attributes_template",
    "json_attributes_topic", "name", "object_id", "origin", "platform", "qos", "unique_id", "value_template",
}  # fmt: skip
KEYS = {
    "sensor": BOTH
    | {
        "last_reset_value_template", "options", "state_class", "suggested_display_precision",
        "unit_of_measurement",
    },
    "binary_sensor": BOTH | {"off_delay", "payload_off", "payload_on"},
}  # fmt: skip
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id",
    "name", "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
ORIGIN = {"name", "sw_version", "support_url"}
STATE_CLASSES = {"measurement", "total", "total_increasing"}
DEVICE_CLASSES = {
    "sensor": {"water", "duration", "temperature"},
    "binary_sensor": {"problem", "connectivity"},
}
"""The ones that we use, by component."""

REGIONS = {
    "water": RegionSettings(corners=(0, 0, 0.5, 1), decimals=3, rising=True, unit="m³", device_class="water"),
    "score": RegionSettings(corners=(0.5, 0, 1, 1)),
}


def sensors() -> dict[str, dict[str, object]]:
    found = discovery.messages("homeassistant", "digitlens/shed-1", "shed-1", REGIONS, 2, 30.0, True)
    return {topic: msgspec.json.decode(payload) for topic, payload in found.items()}


def test_every_message_has_only_documented_keys() -> None:
    messages = sensors()
    unique = set()
    for topic, message in messages.items():
        found = re.fullmatch(r"homeassistant/(\w+)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/config", topic)
        assert found, topic
        component = found.group(1)
        assert message.keys() <= KEYS[component]
        device, origin = message["device"], message["origin"]
        assert isinstance(device, dict)
        assert isinstance(origin, dict)
        assert device.keys() <= DEVICE
        assert device["identifiers"]  # one of identifiers and connections is required
        assert origin.keys() <= ORIGIN
        assert origin["name"]  # required
        assert message["state_topic"]
        assert message.get("entity_category", "diagnostic") == "diagnostic"
        assert message.get("state_class", "measurement") in STATE_CLASSES
        if "device_class" in message:
            assert message["device_class"] in DEVICE_CLASSES[component]
        assert isinstance(message.get("expire_after", 1), int)
        assert message["qos"] in (0, 1, 2)
        assert message["availability_topic"] == "digitlens/shed-1/status"
        unique.add(message["unique_id"])
    assert len(unique) == len(messages)


def test_a_region_is_a_sensor_with_its_confidence_and_its_problem() -> None:
    messages = sensors()
    node = "digitlens_shed-1"
    water = messages[f"homeassistant/sensor/{node}/region_water/config"]
    assert water["state_class"] == "total_increasing"
    assert (water["unit_of_measurement"], water["device_class"]) == ("m³", "water")
    assert water["suggested_display_precision"] == 3
    assert water["state_topic"] == water["json_attributes_topic"] == "digitlens/shed-1/region/water"
    assert (
        "expire_after" not in water
    )  # a value is valid until it changes; availability says whether we are online
    assert f"homeassistant/sensor/{node}/region_score_confidence/config" in messages
    assert f"homeassistant/binary_sensor/{node}/region_score_problem/config" in messages
    assert messages[f"homeassistant/sensor/{node}/region_score/config"]["state_class"] == "measurement"


def test_the_cameras_health_is_diagnostics_that_expire() -> None:
    messages = sensors()
    for name in ("sensor/{}/frames_per_second", "sensor/{}/temperature", "binary_sensor/{}/camera"):
        message = messages[f"homeassistant/{name.format('digitlens_shed-1')}/config"]
        assert (message["entity_category"], message["expire_after"]) == ("diagnostic", 120)


def test_templates_render_what_is_sent() -> None:
    """Home Assistant renders them with Jinja; the few forms used here are evaluated as Python."""
    from digitlens.outlets.retained import TopicState

    for message in sensors().values():
        template = message["value_template"]
        assert isinstance(template, str)
        expression = re.fullmatch(r"\{\{ (.+) \}\}", template)
        assert expression
        code = re.sub(r"\| [a-z]+(\([^)]*\))?", "", expression.group(1)).replace("none", "None")
        for state in (
            TopicState(),
            TopicState(text="0042", confidence=0.5, value=4.2, reason="digits: 4, not 5"),
        ):
            fields = msgspec.structs.asdict(state) | {
                "lost": "", "frames_per_second": 9.5, "age": None, "waiting": 0, "temperature": 51.0,
            }  # fmt: skip
            value_json = type("Value", (), fields)
            result = eval(code, {"value_json": value_json})  # noqa: S307  # our own, from above
            assert result is None or isinstance(result, str | int | float)


def test_only_our_own_messages_are_recognized() -> None:
    assert discovery.is_ours(next(iter(discovery.messages("h", "d/pi", "pi", {}, 1, 1.0, False).values())))
    for strange in (
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"origin": 1}',
        b'{"origin": {"name": "x"}}',
        b"[" * 100_000,
    ):
        assert not discovery.is_ours(strange)
