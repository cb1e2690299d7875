"""Seeds of the fuzzing that found something, and some more; deploy/checks/outlets/fuzz.py tries new ones."""

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.config.settings import MqttSettings, RegionSettings, WebhookSettings
from digitlens.outlets import mqtt, webhook
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.webhook import WebhookOutlet
from tests.edge.outlets import fuzzing
from tests.edge.outlets.brokers import DEADLINE, Subscriber, Watched, broker, draft

REGIONS = {"meter": RegionSettings(corners=(0, 0, 1, 1))}
GOOD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PAUSES", (0.001,))
    monkeypatch.setattr(webhook, "PAUSES", (0.001,))


def lines(watched: Watched) -> None:
    """What was said is fit for a terminal, a line each."""
    while not watched.lines.empty():
        line = watched.lines.get()
        assert line.isprintable(), line
        assert len(line) < 500, line


def answers(seeds: list[int], folder: Path) -> None:
    said = [GOOD, *(fuzzing.answer(seed) for seed in reversed(seeds))]
    watched = Watched(folder / "journal.db")
    with fuzzing.Port(lambda: said.pop() if len(said) > 1 else GOOD) as one:
        settings = WebhookSettings(url=f"http://127.0.0.1:{one.port}/", timeout=1.0)
        outlet = WebhookOutlet(settings, watched, watched.lines.put)
        outlet.announce(watched.add([draft(count) for count in seeds]))
        watched.arrived("webhook", 3 * DEADLINE)
        outlet.close()
    watched.close()
    lines(watched)


def packets(seeds: list[int], folder: Path) -> None:
    """Strange ones first, then a broker: everything arrives."""
    said = [fuzzing.packets(seed) for seed in reversed(seeds)]
    watched = Watched(folder / "journal.db")
    with fuzzing.Port(lambda: said.pop() if said else b"") as one:
        settings = MqttSettings(broker="127.0.0.1", port=one.port)
        outlet = MqttOutlet(settings, "pi", watched, REGIONS, None, watched.lines.put)
        outlet.announce(watched.add([draft(count) for count in range(5)]))
        for _ in seeds:
            one.come.get(timeout=DEADLINE)
        assert outlet._thread.is_alive()
        outlet.close()
        assert not outlet._thread.is_alive()
    watched.close()
    lines(watched)


def payloads(seeds: list[int], folder: Path) -> None:
    watched = Watched(folder / "journal.db")
    with broker(folder) as one, Subscriber(one.port) as heard:
        for seed in seeds[::2]:  # stand there before
            topic, payload, _ = fuzzing.payload(seed)
            heard.publish(topic, payload, retain=True)
        settings = MqttSettings(broker="127.0.0.1", port=one.port)
        outlet = MqttOutlet(settings, "pi", watched, REGIONS, None, watched.lines.put)
        for seed in seeds[1::2]:
            heard.publish(*fuzzing.payload(seed))
        outlet.announce(watched.add([draft(1)]))
        watched.arrived("mqtt")
        outlet.close()
    watched.close()
    lines(watched)


def journals(seeds: list[int], folder: Path) -> None:
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            try:
                fuzzing.journal(seed, Path(place))
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise


def test_answers(tmp_path: Path) -> None:
    answers(list(range(60)), tmp_path)


def test_packets(tmp_path: Path) -> None:
    packets(list(range(60)), tmp_path)


@pytest.mark.broker
def test_payloads(tmp_path: Path) -> None:
    # 3700 to 3749, 4100 to 4149: a retained message of another, no UTF-8 in its JSON, ended each connection.
    payloads([*range(3700, 3750), *range(4100, 4150)], tmp_path)


def test_journals(tmp_path: Path) -> None:
    # 1162: pages exchanged, so that rows came in circles, and `digitlens log` never ended.
    # 1599, 1982, 3559: the file's own bytes in SQLite's message, which Python could not decode.
    # 57609332: a letter of the schema changed, so that a column had another name; no outlet could be opened.
    journals([1162, 1599, 1982, 3559, 57609332, *range(8)], tmp_path)
