"""The MQTT outlet at a real Mosquitto: what arrives, in which order, when the broker or the network fails."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.config.settings import RegionSettings
from digitlens.core.tracking import Event
from digitlens.live.stats import LoopStats
from digitlens.outlets import mqtt
from digitlens.outlets.dispatcher import EventDispatcher, OutletOpener
from digitlens.outlets.entries import STANDING, Draft, Entry
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.retained import RetainedState
from tests.edge.outlets.brokers import (
    DEADLINE,
    Broker,
    Subscriber,
    Watched,
    broker,
    draft,
)

REGIONS = {"water": RegionSettings(corners=(0, 0, 1, 1), rising=True, unit="m³", device_class="water")}


def first_of_each(all_of_them: list[str]) -> list[str]:
    return list(dict.fromkeys(all_of_them))


@pytest.mark.broker
def test_entries_states_and_health_arrive(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        opened = mqtt_outlet(one.port, REGIONS, LoopStats("usb:0"))
        entries = watched.add([draft(1, "0042"), draft(2, "17", region="water", value=1.7)])
        opened.announce(entries)
        heard.wait(lambda heard: len(heard.ids()) == 2 and heard.of("/status") and heard.of("/health"))
        assert heard.ids() == [entry.id for entry in entries]
        event = json.loads(heard.of("/event")[1])
        assert (event["text"], event["region"], event["value"], event["device"]) == ("17", "water", 1.7, "pi")
        assert json.loads(heard.of("/health")[0])["camera"] == "usb:0"
        watched.arrived("mqtt")
        opened.close()
        heard.wait(lambda heard: heard.of("/status")[-1] == b"offline")
        # What stands is told to those who come later.
        with Subscriber(one.port, name="later") as later:
            later.wait(lambda later: later.of("/region/water"))
            state = json.loads(later.of("/region/water")[0])
            assert (state["text"], state["value"], state["present"]) == ("17", 1.7, True)
            later.wait(lambda later: later.of("/numbers"))
            assert [one["text"] for one in json.loads(later.of("/numbers")[0])] == ["0042", "17"]
            later.wait(lambda later: later.of("/status") == [b"offline"])
            assert not later.of("/event")


@pytest.mark.broker
def test_numbers_keep_their_place_and_leave_it_empty(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        opened = mqtt_outlet(one.port, numbers=2)
        entries = watched.add([draft(7, "70"), draft(8, "80"), draft(9, "90")])
        opened.announce(entries)
        gone = msgspec.structs.replace(draft(7, "70"), kind="gone")
        opened.announce(watched.add([gone, draft(10, "100")]))

        def text(place: int) -> list[str | None]:
            return [json.loads(payload)["text"] for payload in heard.of(f"/number/{place}")]

        heard.wait(lambda heard: text(1)[-1:] == ["100"] and text(2)[-1:] == ["80"])
        heard.wait(lambda heard: len(heard.ids()) == 5)
        assert len(json.loads(heard.of("/numbers")[-1])) == 3


@pytest.mark.broker
def test_opened_anew_it_tells_what_still_stands(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    def drafts(event: Event, size: tuple[int, int]) -> list[Draft]:
        return [msgspec.structs.replace(draft(event.id, event.text), kind=event.kind)]

    desk = EventDispatcher(drafts, watched)
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        openers = [
            {"mqtt": OutletOpener(key, partial(mqtt_outlet, one.port, standing=desk.standing.values))}
            for key in ("before", "after")
        ]
        desk.change(openers[0])
        happened: list[tuple[Literal["appeared", "gone"], int]] = [
            ("appeared", 1),
            ("appeared", 2),
            ("gone", 1),
        ]
        for kind, number in happened:
            desk.take(Event(kind, number, 1.7e9, str(10 * number), 0.9, (1, 2, 3, 4)), (640, 480))
        heard.wait(lambda heard: len(heard.ids()) == 3)
        desk.change(openers[1])
        heard.wait(lambda heard: heard.of("/status")[-3:] == [b"online", b"offline", b"online"])
        with Subscriber(one.port, name="later") as later:
            later.wait(lambda later: later.of("/numbers"))
            assert [found["text"] for found in json.loads(later.of("/numbers")[0])] == ["20"]
        assert len(heard.ids()) == 3  # it is no event


def test_what_never_goes_does_not_pile_up() -> None:
    board = RetainedState("digitlens/pi", (), 3)
    for count in range(2000):
        fields = msgspec.structs.asdict(draft(count))
        board.take([Entry(id=f"pi-x-{count}", device="pi", **fields)])
    told = board.news()
    numbers = json.loads(told["digitlens/pi/numbers"])
    assert [one["number"] for one in numbers] == list(range(2000 - STANDING, 2000))
    assert all(json.loads(told[f"digitlens/pi/number/{place}"])["text"] for place in (1, 2, 3))
    assert board.news() == {}


@pytest.mark.broker
def test_down_at_start_then_killed_in_the_middle(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    one = Broker(tmp_path, f"allow_anonymous true\npersistence true\npersistence_location {tmp_path}/\n")
    opened = mqtt_outlet(one.port)
    entries = watched.add([draft(count) for count in range(500)])
    opened.announce(entries)
    assert "cannot be reached: Connection refused" in watched.lines.get(timeout=DEADLINE)
    assert watched.waiting("mqtt") == 500
    heard: list[str] = []
    try:
        for turn in range(3):
            one.start()
            with Subscriber(one.port, name=f"listener {turn}") as listener:
                more = watched.add([draft(1000 + count) for count in range(300)])
                entries += more
                opened.announce(more)
                listener.wait(lambda listener: len(listener.ids()) > 100)
                if turn == 2:
                    watched.arrived("mqtt")
                    last = more[-1].id
                    listener.wait(lambda listener, last=last: listener.ids()[-1] == last)  # type: ignore[misc]
                else:
                    one.kill()
                heard += listener.ids()
        order = [entry.id for entry in entries]
        # A listener of the next broker may not have been there for the first ones; nothing else is missing.
        place = {id_: count for count, id_ in enumerate(order)}
        numbers = [place[id_] for id_ in first_of_each(heard)]
        assert numbers == sorted(numbers)
        assert numbers[-1] == len(order) - 1
    finally:
        one.kill()


@pytest.mark.broker
def test_cut_off_with_thousands_waiting_memory_stays_flat(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    """The broker stops answering, its connection stays: the short form of deploy/checks/outlets/broker.py."""
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        opened = mqtt_outlet(one.port)
        heard.wait(lambda heard: heard.of("/status"))
        one.signal(signal.SIGSTOP)
        entries = []
        for start in range(0, 10_000, 500):
            added = watched.add([draft(count) for count in range(start, start + 500)])
            entries += [entry.id for entry in added]
            opened.announce(added)
            del added
        assert watched.waiting("mqtt") == 10_000
        one.signal(signal.SIGCONT)
        watched.arrived("mqtt", 3 * DEADLINE)
        heard.wait(lambda heard: len(heard.of("/event")) >= 10_000)
        assert first_of_each(heard.ids()) == entries
        assert watched.held <= 2 * mqtt.BATCH  # the rest stays on the disk


@pytest.mark.broker
def test_a_connection_that_is_silent_is_begun_anew(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "PATIENCE", 0.3)
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        opened = mqtt_outlet(one.port)
        heard.wait(lambda heard: heard.of("/status"))
        one.signal(signal.SIGSTOP)
        opened.announce(watched.add([draft(1)]))
        assert "has acknowledged nothing" in watched.lines.get(timeout=DEADLINE)
        one.signal(signal.SIGCONT)
        watched.arrived("mqtt")
        heard.wait(lambda heard: heard.of("/event"))
        assert len(set(heard.ids())) == 1


@pytest.mark.broker
def test_home_assistants_birth_is_answered_and_what_is_stale_taken_back(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        sensor = "homeassistant/sensor/digitlens_pi/region_{}/config"
        ours = b'{"origin": {"name": "digitlens"}}'
        heard.publish(sensor.format("gas"), ours, retain=True)
        heard.publish(sensor.format("theirs"), b'{"origin": {"name": "other"}}', retain=True)
        heard.publish("digitlens/pi/region/gas", b"{}", retain=True)
        mqtt_outlet(one.port, REGIONS)
        heard.wait(lambda heard: heard.of("region_gas/config")[-1] == b"")
        heard.wait(lambda heard: heard.of("/region/gas")[-1] == b"")
        heard.wait(lambda heard: len(heard.of("region_water/config")) == 1)
        heard.publish("homeassistant/status", b"offline")
        heard.publish("homeassistant/status", b"online")
        heard.wait(lambda heard: len(heard.of("region_water/config")) == 2)
        assert b"" not in heard.of("region_theirs/config")


@pytest.mark.broker
def test_the_will_says_offline_when_the_device_is_gone(tmp_path: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from digitlens.outlets.outbox import Outbox; from digitlens.outlets.mqtt import MqttOutlet\n"
        "from digitlens.config.settings import MqttSettings\n"
        "journal = Outbox(Path(sys.argv[1]))\n"
        "MqttOutlet(MqttSettings(broker='127.0.0.1', port=int(sys.argv[2])), 'pi', journal)\n"
        "threading.Event().wait()"
    )
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        process = subprocess.Popen([sys.executable, "-c", program, tmp_path / "other.db", str(one.port)])
        try:
            heard.wait(lambda heard: heard.of("/status") == [b"online"])
        finally:
            process.kill()
            process.wait()
        heard.wait(lambda heard: heard.of("/status") == [b"online", b"offline"])


@pytest.mark.broker
def test_two_devices_of_one_name_say_so(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        mqtt_outlet(one.port)
        heard.wait(lambda heard: heard.of("/status"))
        mqtt_outlet(one.port)
        said = ""  # of Mosquitto 2.0 no word; MQTT 5 has one, "session taken over"
        while "another device of this name" not in said and "another client took over" not in said:
            said = watched.lines.get(timeout=DEADLINE)


def test_a_server_that_is_no_broker_is_said_and_left(
    watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        opened = mqtt_outlet(server.getsockname()[1])
        assert watched.lines.get(timeout=DEADLINE)
        over.set()
        opened.close()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.broker
def test_a_state_of_before_the_restart_is_told_as_one_that_is_not_seen_now(
    tmp_path: Path, watched: Watched, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    watched.add([draft(1, "17", region="water", value=1.7)])
    with broker(tmp_path) as one, Subscriber(one.port) as heard:
        mqtt_outlet(one.port, REGIONS)
        heard.wait(lambda heard: heard.of("/region/water"))
        state = json.loads(heard.of("/region/water")[0])
        assert (state["value"], state["present"]) == (1.7, False)
        assert not heard.of("/event")  # from before the outlet was asked for
