"""A simulated fleet: N devices, each with its own outbox and MQTT outlet, at one broker.

    python deploy/fleet/simulate.py --pis 200 --rate 1 --seconds 60
    python deploy/fleet/simulate.py --broker broker.local --ca-file secrets/ca.crt --devices secrets/devices
        --user observer --password-file secrets/observer.password

Outbox and outlet are the product's own; only the readings are made up, of a meter that rises by one. Without
--broker a Mosquitto is started here. The delay of a reading is from its event to its arrival at a subscriber,
with the outbox's fsync and the broker in between.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from heapq import heapify, heapreplace
from itertools import pairwise
from pathlib import Path
from time import monotonic, time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

sys.path[:0] = [str(Path(__file__).parents[2] / "edge"), str(Path(__file__).parents[2])]
from digitlens.config.settings import RegionSettings  # noqa: E402
from digitlens.core.tracking import Event  # noqa: E402
from digitlens.live.stats import LoopStats  # noqa: E402
from digitlens.outlets.mqtt import MqttOutlet  # noqa: E402
from digitlens.outlets.mqtt_settings import MqttSettings  # noqa: E402
from digitlens.outlets.outbox import Outbox  # noqa: E402
from digitlens.outlets.regions import Regions  # noqa: E402
from digitlens.outlets.tls import client_context  # noqa: E402

REGION = {"meter": RegionSettings(corners=(0.25, 0.25, 0.75, 0.75), digits=6, rising=True, unit="m³")}
SIZE = (1280, 720)


class Pi:
    """One device: its outbox, regions and outlet, without a camera."""

    def __init__(self, name: str, folder: Path, settings: MqttSettings) -> None:
        self.count = 0
        self._outbox = Outbox(folder / f"{name}.db", 1, name)
        self._regions = Regions(REGION)
        self._outlet = MqttOutlet(
            settings, name, self._outbox, REGION, LoopStats(name).snapshot,
            lambda line: print(f"{name}: {line}", file=sys.stderr),
        )  # fmt: skip

    def read(self) -> None:
        """Make a new reading."""
        self.count += 1
        text = f"{self.count:06}"
        event = Event("changed" if self.count > 1 else "appeared", 1, time(), text, 0.99, (600, 340, 80, 40))
        self._outlet.announce(self._outbox.add(self._regions.apply(event, SIZE)))

    @property
    def pending(self) -> int:
        """Readings that the broker has not acknowledged."""
        return self._outbox.pending_count("mqtt")

    def close(self) -> None:
        """Close the outlet and the outbox."""
        self._outlet.close()
        self._outbox.close()


def play(options: argparse.Namespace, numbers: range) -> int:
    """Run some of the Pis in this process; prints how many readings they made."""
    pause = threading.Event()
    with tempfile.TemporaryDirectory(dir=options.folder) as place, ExitStack() as opened:
        pis = []
        for number in numbers:
            name = f"pi-{number:03}"
            user = (
                {"user": name, "password_file": f"{options.devices}/{name}.password"}
                if options.devices
                else {}
            )
            settings = MqttSettings(
                broker=options.broker, port=options.port, tls=bool(options.ca_file), ca_file=options.ca_file,
                **user,
            )  # fmt: skip
            pis.append(Pi(name, Path(place), settings))
            opened.callback(pis[-1].close)
        print("ready", flush=True)
        sys.stdin.readline()
        begun = monotonic()
        due = [(begun + random.random() / options.rate, count) for count in range(len(pis))]
        heapify(due)
        while due[0][0] < begun + options.seconds:
            at, count = due[0]
            if (rest := at - monotonic()) > 0:
                pause.wait(rest)
            pis[count].read()
            heapreplace(due, (at + 1 / options.rate, count))
        behind = monotonic() - (begun + options.seconds)
        while any(pi.pending for pi in pis) and monotonic() < begun + options.seconds + 120:
            pause.wait(0.05)
        print(sum(pi.count for pi in pis), sum(pi.pending for pi in pis), f"{behind:.2f}", flush=True)
        sys.stdin.readline()
    return 0


class Observer:
    """Counts the messages and the delays of the readings."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.messages = 0
        self.delays: list[float] = []
        self.ids: list[str] = []
        self._client = one = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"observer-{os.getpid()}")
        if options.user:
            one.username_pw_set(options.user, Path(options.password_file).read_text().strip())
        if options.ca_file:
            one.tls_set_context(client_context(options.ca_file, "--ca-file"))
        subscribed = threading.Event()
        one.on_connect = lambda *rest: one.subscribe("digitlens/#", qos=1)
        one.on_subscribe = lambda *rest: subscribed.set()
        one.on_message = self._receive
        one.connect(options.broker, options.port or (8883 if options.ca_file else 1883))
        one.loop_start()
        if not subscribed.wait(20):
            raise SystemExit("the broker does not let the observer subscribe to digitlens/#")

    def _receive(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        now = time()
        self.messages += 1
        if message.topic.endswith("/event"):
            entry = json.loads(message.payload)
            self.ids.append(entry["id"])
            self.delays.append(now - entry["time"])

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


def main() -> int:
    """Start the processes, watch, and print the figures; 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pis", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1.0, help="readings a second, of each (default: 1)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=2, help="to spread them over (default: 2)")
    parser.add_argument("--broker", default="", help="HOST; without, a Mosquitto is started here")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ca-file", default="", help="use TLS, and trust these certificates")
    parser.add_argument("--user", default="", help="of the observer, who must be allowed to read digitlens/#")
    parser.add_argument("--password-file", default="")
    parser.add_argument("--devices", default="", help="folder with DEVICE.password, as prepare.py makes it")
    parser.add_argument("--folder", help="of the outboxes (default: the system's for temporary files)")
    parser.add_argument("--play", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        return play(options, range(*options.play))
    with ExitStack() as opened:
        if not options.broker:
            from tests.edge.outlets.brokers import broker

            place = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            options.broker, options.port = "127.0.0.1", opened.enter_context(broker(place)).port
        observer = Observer(options)
        opened.callback(observer.close)
        return measure(options, observer)


def measure(options: argparse.Namespace, observer: Observer) -> int:
    """Run the processes and print the figures."""
    edges = [options.pis * part // options.processes for part in range(options.processes + 1)]
    arguments = [
        f"--{name}={getattr(options, name.replace('-', '_'))}"
        for name in ("rate", "seconds", "broker", "port", "ca-file", "devices")
    ] + ([f"--folder={options.folder}"] if options.folder else [])
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, *arguments, "--play", str(start), str(end)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for start, end in pairwise(edges)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit("a process did not start")
    before, started = observer.messages, monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    results = [process.stdout.readline().split() for process in processes if process.stdout]
    took = monotonic() - started
    sent, pending = (sum(int(result[part]) for result in results) for part in (0, 1))
    patience = threading.Event()
    for _ in range(100):
        if len(set(observer.ids)) >= sent - pending:
            break
        patience.wait(0.1)
    messages = observer.messages - before
    for process in processes:
        process.communicate("\n")
    delays = sorted(observer.delays)
    arrived = len(set(observer.ids))

    def percentile(part: float) -> float:
        return 1000 * delays[min(len(delays) - 1, int(part * len(delays)))] if delays else float("nan")

    behind = max(float(result[2]) for result in results)
    print(
        f"{options.pis} Pis, {options.rate:g} readings a second each, {options.seconds:g} s, "
        f"{options.processes} processes\n"
        f"{sent} readings, {sent / took:.0f} a second; "
        f"{messages} MQTT messages, {messages / took:.0f} a second\n"
        f"delay: median {percentile(0.5):.0f} ms, 99th percentile {percentile(0.99):.0f} ms, "
        f"largest {percentile(1):.0f} ms; the feeding was {behind:.1f} s behind at the end\n"
        f"{sent - arrived} lost, {pending} not acknowledged, "
        f"{len(observer.ids) - arrived} repeated with their id"
    )
    return int(sent != arrived or pending > 0)


if __name__ == "__main__":
    sys.exit(main())
