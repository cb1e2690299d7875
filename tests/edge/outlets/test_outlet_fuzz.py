"""Seeds of the fuzzing that found something, and some more; deploy/checks/outlets/fuzz.py tries new ones."""

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.config.settings import RegionSettings
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_settings import MqttSettings, MqttTiming
from digitlens.outlets.webhook import WebhookOutlet, WebhookTiming
from digitlens.outlets.webhook_settings import WebhookSettings
from tests.edge.outlets import fuzzing
from tests.edge.outlets.brokers import DEADLINE, Subscriber, WatchedOutbox, broker, draft

REGIONS = {"meter": RegionSettings(corners=(0, 0, 1, 1))}
MQTT_TIMING = MqttTiming(pauses=(0.001,))
WEBHOOK_TIMING = WebhookTiming(pauses=(0.001,))
GOOD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def lines(watched: WatchedOutbox) -> None:
    """Every message is one line that a terminal can show."""
    while not watched.lines.empty():
        line = watched.lines.get()
        assert line.isprintable(), line
        assert len(line) < 500, line


def answers(seeds: list[int], folder: Path, timing: WebhookTiming = WEBHOOK_TIMING) -> None:
    said = [GOOD, *(fuzzing.answer(seed) for seed in reversed(seeds))]
    watched = WatchedOutbox(folder / "journal.db")
    with fuzzing.Port(lambda: said.pop() if len(said) > 1 else GOOD) as one:
        settings = WebhookSettings(url=f"http://127.0.0.1:{one.port}/", timeout=1.0)
        outlet = WebhookOutlet(settings, watched, watched.lines.put, timing)
        outlet.announce(watched.add([draft(count) for count in seeds]))
        watched.wait_empty("webhook", 3 * DEADLINE)
        outlet.close()
    watched.close()
    lines(watched)


def packets(seeds: list[int], folder: Path) -> None:
    """Strange packets only: the outlet keeps trying, and ends when it is closed."""
    said = [fuzzing.packets(seed) for seed in reversed(seeds)]
    watched = WatchedOutbox(folder / "journal.db")
    with fuzzing.Port(lambda: said.pop() if said else b"") as one:
        settings = MqttSettings(broker="127.0.0.1", port=one.port)
        outlet = MqttOutlet(settings, "pi", watched, REGIONS, None, watched.lines.put, timing=MQTT_TIMING)
        outlet.announce(watched.add([draft(count) for count in range(5)]))
        for _ in seeds:
            one.served.get(timeout=DEADLINE)
        assert outlet.thread.is_alive()
        outlet.close()
        assert not outlet.thread.is_alive()
    watched.close()
    lines(watched)


def payloads(seeds: list[int], folder: Path) -> None:
    watched = WatchedOutbox(folder / "journal.db")
    with broker(folder) as one, Subscriber(one.port) as subscriber:
        for seed in seeds[::2]:  # retained from before
            topic, payload, _ = fuzzing.payload(seed)
            subscriber.publish(topic, payload, retain=True)
        settings = MqttSettings(broker="127.0.0.1", port=one.port)
        outlet = MqttOutlet(settings, "pi", watched, REGIONS, None, watched.lines.put, timing=MQTT_TIMING)
        for seed in seeds[1::2]:
            subscriber.publish(*fuzzing.payload(seed))
        outlet.announce(watched.add([draft(1)]))
        watched.wait_empty("mqtt")
        outlet.close()
    watched.close()
    lines(watched)


def outboxes(seeds: list[int], folder: Path) -> None:
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            try:
                fuzzing.outbox(seed, Path(place))
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise


def test_answers(tmp_path: Path) -> None:
    answers(list(range(60)), tmp_path)


def test_packets(tmp_path: Path) -> None:
    packets(list(range(60)), tmp_path)


@pytest.mark.broker
def test_payloads(tmp_path: Path) -> None:
    # 3700 to 3749, 4100 to 4149: another client's retained message, not UTF-8, ended each connection.
    payloads([*range(3700, 3750), *range(4100, 4150)], tmp_path)


def test_outboxes(tmp_path: Path) -> None:
    # 1162: pages exchanged, so that rows came in circles, and `digitlens log` never ended.
    # 1599, 1982, 3559: the file's own bytes in SQLite's message, which Python could not decode.
    # 57609332: a letter of the schema changed, so that a column had another name; no outlet could be opened.
    outboxes([1162, 1599, 1982, 3559, 57609332, *range(8)], tmp_path)
