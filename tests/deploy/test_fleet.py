"""deploy/fleet: a real Mosquitto knows the devices of prepare.py; the other files are well formed."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from digitlens.config.settings import RegionSettings
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_settings import MqttSettings, MqttTiming
from tests.edge.outlets.brokers import (
    DEADLINE,
    Broker,
    WatchedOutbox,
    draft,
    free_port,
)


def prepare(root: Path, folder: Path, *devices: str) -> None:
    script = root / "deploy" / "fleet" / "prepare.py"
    command: list[str | Path] = [sys.executable, script, "--host", "127.0.0.1", "--folder", folder, *devices]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def fleet(root: Path, tmp_path: Path) -> Iterator[Broker]:
    """The shipped settings of Mosquitto, with the places of this machine."""
    prepare(root, tmp_path, "shed", "pump", "--admin", "anna")
    shipped = root / "deploy" / "fleet" / "mosquitto"
    settings = (shipped / "mosquitto.conf").read_text()
    settings = settings.replace("/mosquitto/secrets", f"{tmp_path}/secrets")
    settings = settings.replace("/mosquitto/config", str(shipped)).replace("/mosquitto/data", str(tmp_path))
    one, inside = Broker(tmp_path, ""), free_port()
    if os.geteuid() == 0:
        settings += "user root\n"
    settings = settings.replace("listener 8883", f"listener {one.port} 127.0.0.1")
    settings = settings.replace("listener 1883", f"listener {inside} 127.0.0.1")
    (tmp_path / "mosquitto.conf").write_text(settings)
    one.start()
    yield one
    one.kill()


@pytest.fixture
def device(fleet: Broker, watched: WatchedOutbox) -> Iterator[Callable[[str, str], MqttOutlet]]:
    timing = MqttTiming(pauses=(0.05,))
    opened = []

    def opening(name: str, user: str) -> MqttOutlet:
        secrets = fleet.folder / "secrets"
        settings = MqttSettings(
            broker="127.0.0.1", port=fleet.port, tls=True, ca_file=str(secrets / "ca.crt"), user=user,
            password_file=str(secrets / "devices" / f"{user}.password"),
        )  # fmt: skip
        regions = {"meter": RegionSettings(corners=(0, 0, 1, 1))}
        opened.append(MqttOutlet(settings, name, watched, regions, None, watched.lines.put, timing=timing))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.mark.broker
@pytest.mark.program("openssl")
def test_a_device_writes_below_its_own_name(
    device: Callable[[str, str], MqttOutlet], watched: WatchedOutbox
) -> None:
    device("shed", "shed").announce(watched.add([draft(1)]))
    watched.wait_empty("mqtt")
    assert watched.lines.empty()


@pytest.mark.broker
@pytest.mark.program("openssl")
def test_a_device_writes_below_no_other_name(
    device: Callable[[str, str], MqttOutlet], watched: WatchedOutbox
) -> None:
    device("pump", "shed").announce(watched.add([draft(1)]))
    assert watched.lines.get(timeout=DEADLINE)
    assert watched.pending_count("mqtt") == 1


def connected(fleet: Broker, user: str, password: str) -> tuple[paho.Client, "queue.Queue[str]"]:
    """A client of that user, and what happens to it."""
    happened: queue.Queue[str] = queue.Queue()
    one = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
    one.username_pw_set(user, password)
    one.tls_set(str(fleet.folder / "secrets" / "ca.crt"))
    one.on_connect = lambda client, data, flags, reason, more: happened.put(f"connected: {reason}")
    one.on_publish = lambda client, data, mid, reason, more: happened.put(f"published: {reason}")
    one.on_disconnect = lambda *rest: happened.put("disconnected")
    one.connect("127.0.0.1", fleet.port)
    one.loop_start()
    return one, happened


@pytest.mark.broker
@pytest.mark.program("openssl")
def test_a_person_administers_until_removed(fleet: Broker, root: Path) -> None:
    password = (fleet.folder / "secrets" / "people" / "anna.password").read_text().strip()
    one, happened = connected(fleet, "anna", password)
    try:
        assert happened.get(timeout=DEADLINE) == "connected: Success"
        for topic, result in (("digitlens/shed/status", "Success"), ("other", "Not authorized")):
            one.publish(topic, b"", qos=1, retain=True)
            assert result in happened.get(timeout=DEADLINE).replace("No matching subscribers", "Success")
        prepare(root, fleet.folder, "--remove", "anna")
        fleet.signal(signal.SIGHUP)
        assert happened.get(timeout=DEADLINE) == "disconnected"
    finally:
        one.loop_stop()
    one, happened = connected(fleet, "anna", password)
    assert "authorized" in happened.get(timeout=DEADLINE).lower()
    one.loop_stop()
    assert "anna" not in (fleet.folder / "secrets" / "access").read_text()


@pytest.mark.program("openssl")
def test_prepared_again_only_new_devices_are_added(root: Path, tmp_path: Path) -> None:
    prepare(root, tmp_path, "shed")
    secrets = tmp_path / "secrets"
    before = {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}
    environment = (tmp_path / ".env").read_text()
    prepare(root, tmp_path, "shed", "pump")
    after = {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}
    assert set(after) - set(before) == {secrets / "devices" / "pump.password"}
    assert {path for path in before if before[path] != after[path]} == {secrets / "passwords"}
    assert after[secrets / "passwords"].startswith(before[secrets / "passwords"])
    assert (tmp_path / ".env").read_text() == environment
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (secrets / "devices").stat().st_mode & 0o077 == 0


def test_every_image_has_an_exact_version(root: Path) -> None:
    fleet = root / "deploy" / "fleet"
    images = re.findall(r"^    image: (\S+)$", (fleet / "compose.yaml").read_text(), re.MULTILINE)
    assert len(images) == 5
    for image in images:
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", image), image
    assert "--resolve-image-digests" in " ".join((fleet / "README.md").read_text().split())


def test_telegraf_and_grafana_know_our_fields(root: Path) -> None:
    """Neither can run here: their settings are parsed, and name only fields of ours."""
    from digitlens.live.stats import StatsSnapshot
    from digitlens.outlets.entries import Entry

    fleet = root / "deploy" / "fleet"
    telegraf = tomllib.loads((fleet / "telegraf" / "telegraf.conf").read_text())
    events, health, _ = telegraf["inputs"]["mqtt_consumer"]
    (parsed,) = events["json_v2"][0]["object"]
    assert set(parsed["included_keys"]) <= set(Entry.__struct_fields__)
    assert set(parsed["tags"]) <= set(parsed["included_keys"])
    (parsed,) = health["json_v2"][0]["object"]
    assert set(parsed["included_keys"]) <= {*StatsSnapshot.__struct_fields__, "waiting", "temperature"}
    dashboard = json.loads((fleet / "grafana" / "dashboards" / "digitlens.json").read_text())
    fields = set(Entry.__struct_fields__) | set(StatsSnapshot.__struct_fields__) | {"waiting", "temperature"}
    for panel in dashboard["panels"]:
        for name in re.findall(r'r\._field == "(\w+)"', panel["targets"][0]["query"]):
            assert name in fields
