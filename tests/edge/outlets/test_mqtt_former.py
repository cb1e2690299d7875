"""What was retained under a former name, or at a former broker, is deleted there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_former import FormerPlaces, Place
from digitlens.outlets.mqtt_settings import MqttSettings, MqttTiming
from tests.edge.outlets.brokers import DEADLINE, Subscriber, WatchedOutbox, broker, draft

pytestmark = pytest.mark.broker
Former = Callable[..., FormerPlaces]


@pytest.fixture
def former(tmp_path: Path, watched: WatchedOutbox) -> Iterator[Former]:
    opened: list[FormerPlaces] = []

    def open_one(port: int, device: str = "pi", **settings: Any) -> FormerPlaces:
        values = MqttSettings(broker="127.0.0.1", port=port, **settings)
        opened.append(FormerPlaces(values, device, tmp_path / "x.mqtt", watched.lines.put, (0.01,)))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def retain(watched: WatchedOutbox, port: int, device: str) -> None:
    """Retain what a device does, and sign off."""
    settings = MqttSettings(broker="127.0.0.1", port=port)
    one = MqttOutlet(settings, device, watched, {}, timing=MqttTiming(pauses=(0.05,)))
    one.announce(watched.add([draft(1)]))
    watched.wait_empty("mqtt")
    one.close()


def retained(port: int) -> set[str]:
    """The topics that have a retained message."""
    with Subscriber(port, name="looking") as one:
        one.publish("end", b"end")
        one.wait(lambda one: ("end", b"end") in one.messages)
        return {topic for topic, payload in one.messages if payload and topic != "end"}


def test_a_former_name(tmp_path: Path, watched: WatchedOutbox, former: Former) -> None:
    with broker(tmp_path) as one:
        former(one.port, "old").close()
        retain(watched, one.port, "old")
        retain(watched, one.port, "other")
        before = retained(one.port)
        assert {"digitlens/old/number/1", "homeassistant/sensor/digitlens_old/number_1/config"} <= before
        former(one.port, "old").close()  # the same again: nothing to delete
        assert watched.lines.empty()
        former(one.port, "new")
        said = watched.lines.get(timeout=DEADLINE)
        assert said == "mqtt: 127.0.0.1: what was retained below digitlens/old is deleted"
        assert retained(one.port) == {topic for topic in before if "old" not in topic}
        file = tmp_path / "x.mqtt"
        assert file.stat().st_mode & 0o777 == 0o600
        assert [place["device"] for place in json.loads(file.read_text())] == ["new"]


def test_a_name_that_is_another_devices_now(tmp_path: Path, watched: WatchedOutbox, former: Former) -> None:
    with broker(tmp_path) as one:
        former(one.port, "old").close()
        settings = MqttSettings(broker="127.0.0.1", port=one.port)
        other = MqttOutlet(settings, "old", watched, {}, timing=MqttTiming(pauses=(0.05,)))
        other.announce(watched.add([draft(1)]))
        watched.wait_empty("mqtt")
        before = retained(one.port)
        former(one.port, "new")._thread.join(DEADLINE)
        assert retained(one.port) == before
        other.close()


def test_a_broker_that_is_gone_is_said_and_remembered(
    tmp_path: Path, watched: WatchedOutbox, former: Former
) -> None:
    with broker(tmp_path) as one:
        former(one.port, "old").close()
        gone = one.port
    with broker(tmp_path) as one:
        former(one.port, "old")
        said = watched.lines.get(timeout=DEADLINE)
        assert said.startswith("mqtt: what is retained below digitlens/old at 127.0.0.1 stays there: 127.0")
        assert said.endswith("mosquitto_sub --remove-retained -W 5 -t 'digitlens/old/#' deletes it")
        places = json.loads((tmp_path / "x.mqtt").read_text())
        assert [place["settings"].get("port") for place in places] == [gone, one.port]


def test_a_password_is_sent_to_no_former_broker(
    tmp_path: Path, watched: WatchedOutbox, former: Former
) -> None:
    password = tmp_path / "password"
    for text in ("first", "second-one"):
        password.write_text(text)
        password.chmod(0o600)
        with broker(tmp_path) as one:
            former(one.port, "pi", user="pi", password_file=str(password))._thread.join(DEADLINE)
    assert "stays there: its password is another one now" in watched.lines.get(timeout=DEADLINE)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'[{"settings": {}}]'])
def test_a_file_that_holds_no_places(tmp_path: Path, former: Former, content: bytes) -> None:
    (tmp_path / "x.mqtt").write_bytes(content)
    former(1).close()
    (place,) = json.loads((tmp_path / "x.mqtt").read_text())
    assert place["device"] == "pi"
    assert Place(MqttSettings(broker="a"), "pi").root == "digitlens/pi"
