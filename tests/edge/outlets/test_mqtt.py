"""The MQTT outlet at a real Mosquitto: what arrives, and in which order, when broker or network fail."""

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
from digitlens.outlets.entries import MAX_PRESENT, Draft, Entry
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_settings import MqttTiming
from digitlens.outlets.retained import RetainedState
from tests.edge.outlets.brokers import (
    DEADLINE,
    Broker,
    Subscriber,
    WatchedOutbox,
    broker,
    draft,
)

REGIONS = {"water": RegionSettings(corners=(0, 0, 1, 1), rising=True, unit="m³", device_class="water")}


def first_of_each(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


@pytest.mark.broker
def test_entries_states_and_health_arrive(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        opened = mqtt_outlet(one.port, REGIONS, LoopStats("usb:0"))
        entries = watched.add([draft(1, "0042"), draft(2, "17", region="water", value=1.7)])
        opened.announce(entries)
        subscriber.wait(
            lambda subscriber: (
                len(subscriber.ids()) == 2 and subscriber.of("/status") and subscriber.of("/health")
            )
        )
        assert subscriber.ids() == [entry.id for entry in entries]
        event = json.loads(subscriber.of("/event")[1])
        assert (event["text"], event["region"], event["value"], event["device"]) == ("17", "water", 1.7, "pi")
        assert json.loads(subscriber.of("/health")[0])["camera"] == "usb:0"
        watched.wait_empty("mqtt")
        opened.close()
        subscriber.wait(lambda subscriber: subscriber.of("/status")[-1] == b"offline")
        # A later subscriber gets the retained state.
        with Subscriber(one.port, name="later") as later:
            later.wait(lambda later: later.of("/region/water"))
            state = json.loads(later.of("/region/water")[0])
            assert (state["text"], state["value"], state["present"]) == ("17", 1.7, True)
            later.wait(lambda later: later.of("/numbers"))
            assert [one["text"] for one in json.loads(later.of("/numbers")[0])] == ["0042", "17"]
            later.wait(lambda later: later.of("/status") == [b"offline"])
            assert not later.of("/event")


@pytest.mark.broker
def test_numbers_keep_their_slot_and_leave_it_empty(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        opened = mqtt_outlet(one.port, numbers=2)
        entries = watched.add([draft(7, "70"), draft(8, "80"), draft(9, "90")])
        opened.announce(entries)
        gone = msgspec.structs.replace(draft(7, "70"), kind="gone")
        opened.announce(watched.add([gone, draft(10, "100")]))

        def text(slot: int) -> list[str | None]:
            return [json.loads(payload)["text"] for payload in subscriber.of(f"/number/{slot}")]

        subscriber.wait(lambda subscriber: text(1)[-1:] == ["100"] and text(2)[-1:] == ["80"])
        subscriber.wait(lambda subscriber: len(subscriber.ids()) == 5)
        assert len(json.loads(subscriber.of("/numbers")[-1])) == 3


@pytest.mark.broker
def test_opened_again_it_publishes_the_numbers_still_present(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    def drafts(event: Event, size: tuple[int, int]) -> list[Draft]:
        return [msgspec.structs.replace(draft(event.id, event.text), kind=event.kind)]

    dispatcher = EventDispatcher(drafts, watched)
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        openers = [
            {"mqtt": OutletOpener(key, partial(mqtt_outlet, one.port, present=dispatcher.present.values))}
            for key in ("before", "after")
        ]
        dispatcher.change(openers[0])
        happened: list[tuple[Literal["appeared", "gone"], int]] = [
            ("appeared", 1),
            ("appeared", 2),
            ("gone", 1),
        ]
        for kind, number in happened:
            dispatcher.take(Event(kind, number, 1.7e9, str(10 * number), 0.9, (1, 2, 3, 4)), (640, 480))
        subscriber.wait(lambda subscriber: len(subscriber.ids()) == 3)
        dispatcher.change(openers[1])
        subscriber.wait(
            lambda subscriber: subscriber.of("/status")[-3:] == [b"online", b"offline", b"online"]
        )
        with Subscriber(one.port, name="later") as later:
            later.wait(lambda later: later.of("/numbers"))
            assert [found["text"] for found in json.loads(later.of("/numbers")[0])] == ["20"]
        assert len(subscriber.ids()) == 3  # the retained state is no event


def test_numbers_that_never_go_do_not_pile_up() -> None:
    state = RetainedState("digitlens/pi", (), 3)
    for count in range(2000):
        fields = msgspec.structs.asdict(draft(count))
        state.update([Entry(id=f"pi-x-{count}", device="pi", **fields)])
    changes = state.changes()
    numbers = json.loads(changes["digitlens/pi/numbers"])
    assert [one["number"] for one in numbers] == list(range(2000 - MAX_PRESENT, 2000))
    assert all(json.loads(changes[f"digitlens/pi/number/{slot}"])["text"] for slot in (1, 2, 3))
    assert state.changes() == {}


@pytest.mark.broker
def test_down_at_start_then_killed_in_the_middle(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    one = Broker(tmp_path, f"allow_anonymous true\npersistence true\npersistence_location {tmp_path}/\n")
    opened = mqtt_outlet(one.port)
    entries = watched.add([draft(count) for count in range(500)])
    opened.announce(entries)
    assert "cannot be reached: Connection refused" in watched.lines.get(timeout=DEADLINE)
    assert watched.pending_count("mqtt") == 500
    received: list[str] = []
    try:
        for turn in range(3):
            one.start()
            with Subscriber(one.port, name=f"listener {turn}") as listener:
                more = watched.add([draft(1000 + count) for count in range(300)])
                entries += more
                opened.announce(more)
                listener.wait(lambda listener: len(listener.ids()) > 100)
                if turn == 2:
                    watched.wait_empty("mqtt")
                    last = more[-1].id
                    listener.wait(lambda listener, last=last: listener.ids()[-1] == last)  # type: ignore[misc]
                else:
                    one.kill()
                received += listener.ids()
        order = [entry.id for entry in entries]
        # A listener of the next broker may not have been there for the first ones; nothing else is missing.
        place = {id_: count for count, id_ in enumerate(order)}
        numbers = [place[id_] for id_ in first_of_each(received)]
        assert numbers == sorted(numbers)
        assert numbers[-1] == len(order) - 1
    finally:
        one.kill()


@pytest.mark.broker
def test_cut_off_with_thousands_pending_memory_stays_flat(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    """The broker stops answering, its connection stays: the short form of deploy/checks/outlets/broker.py."""
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        opened = mqtt_outlet(one.port)
        subscriber.wait(lambda subscriber: subscriber.of("/status"))
        one.signal(signal.SIGSTOP)
        entries = []
        for start in range(0, 10_000, 500):
            added = watched.add([draft(count) for count in range(start, start + 500)])
            entries += [entry.id for entry in added]
            opened.announce(added)
            del added
        assert watched.pending_count("mqtt") == 10_000
        one.signal(signal.SIGCONT)
        watched.wait_empty("mqtt", 3 * DEADLINE)
        subscriber.wait(lambda subscriber: len(subscriber.of("/event")) >= 10_000)
        assert first_of_each(subscriber.ids()) == entries
        assert watched.most_held <= 2 * mqtt.BATCH  # the rest stays on the disk


@pytest.mark.broker
def test_a_silent_connection_is_renewed(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        opened = mqtt_outlet(one.port, timing=MqttTiming(pauses=(0.05, 0.1), puback_timeout=0.3))
        subscriber.wait(lambda subscriber: subscriber.of("/status"))
        one.signal(signal.SIGSTOP)
        opened.announce(watched.add([draft(1)]))
        assert "has acknowledged nothing" in watched.lines.get(timeout=DEADLINE)
        one.signal(signal.SIGCONT)
        watched.wait_empty("mqtt")
        subscriber.wait(lambda subscriber: subscriber.of("/event"))
        assert len(set(subscriber.ids())) == 1


@pytest.mark.broker
def test_home_assistants_birth_is_answered_and_outdated_topics_are_deleted(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        sensor = "homeassistant/sensor/digitlens_pi/region_{}/config"
        ours = b'{"origin": {"name": "digitlens"}}'
        subscriber.publish(sensor.format("gas"), ours, retain=True)
        subscriber.publish(sensor.format("theirs"), b'{"origin": {"name": "other"}}', retain=True)
        subscriber.publish("digitlens/pi/region/gas", b"{}", retain=True)
        mqtt_outlet(one.port, REGIONS)
        subscriber.wait(lambda subscriber: subscriber.of("region_gas/config")[-1] == b"")
        subscriber.wait(lambda subscriber: subscriber.of("/region/gas")[-1] == b"")
        subscriber.wait(lambda subscriber: len(subscriber.of("region_water/config")) == 1)
        subscriber.publish("homeassistant/status", b"offline")
        subscriber.publish("homeassistant/status", b"online")
        subscriber.wait(lambda subscriber: len(subscriber.of("region_water/config")) == 2)
        assert b"" not in subscriber.of("region_theirs/config")


@pytest.mark.broker
def test_the_last_will_says_offline_when_the_device_is_gone(tmp_path: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from digitlens.outlets.outbox import Outbox; from digitlens.outlets.mqtt import MqttOutlet\n"
        "from digitlens.outlets.mqtt_settings import MqttSettings\n"
        "outbox = Outbox(Path(sys.argv[1]))\n"
        "MqttOutlet(MqttSettings(broker='127.0.0.1', port=int(sys.argv[2])), 'pi', outbox)\n"
        "threading.Event().wait()"
    )
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        process = subprocess.Popen([sys.executable, "-c", program, tmp_path / "other.db", str(one.port)])
        try:
            subscriber.wait(lambda subscriber: subscriber.of("/status") == [b"online"])
        finally:
            process.kill()
            process.wait()
        subscriber.wait(lambda subscriber: subscriber.of("/status") == [b"online", b"offline"])


@pytest.mark.broker
def test_two_devices_of_one_name_are_reported(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        mqtt_outlet(one.port)
        subscriber.wait(lambda subscriber: subscriber.of("/status"))
        mqtt_outlet(one.port)
        said = ""  # Mosquitto 2.0 gives no reason; MQTT 5 has "session taken over"
        while "another device of this name" not in said and "another client took over" not in said:
            said = watched.lines.get(timeout=DEADLINE)


def test_a_server_that_is_no_broker_is_reported_and_left(
    watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
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
def test_a_state_from_before_the_restart_is_published_as_not_present(
    tmp_path: Path, watched: WatchedOutbox, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    watched.add([draft(1, "17", region="water", value=1.7)])
    with broker(tmp_path) as one, Subscriber(one.port) as subscriber:
        mqtt_outlet(one.port, REGIONS)
        subscriber.wait(lambda subscriber: subscriber.of("/region/water"))
        state = json.loads(subscriber.of("/region/water")[0])
        assert (state["value"], state["present"]) == (1.7, False)
        assert not subscriber.of("/event")  # from before the outlet was added
