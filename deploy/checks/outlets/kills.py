"""Kill -9 at random moments while readings flow: does the outbox lose any, do all of its entries arrive?

    python deploy/checks/outlets/kills.py [--kills 50] [--seed N]

A process feeds numbered readings into an outbox, an MQTT outlet (a real Mosquitto) and a webhook (a real HTTP
server), and prints which it has fed and announced. It is killed many times, and goes on with the same outbox.
The readings fed, announced, stored and received are compared.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.outlets.history import History  # noqa: E402
from digitlens.outlets.mqtt import MqttOutlet  # noqa: E402
from digitlens.outlets.mqtt_settings import MqttSettings  # noqa: E402
from digitlens.outlets.outbox import Outbox  # noqa: E402
from digitlens.outlets.webhook import WebhookOutlet  # noqa: E402
from digitlens.outlets.webhook_settings import WebhookSettings  # noqa: E402
from tests.edge.outlets.brokers import Subscriber, broker, draft  # noqa: E402
from tests.edge.outlets.receivers import Receiver  # noqa: E402


def feed(path: Path, port: int, url: str, start: int, drain: bool) -> None:
    """The process that is killed; with `drain` it ends when everything has arrived."""
    outbox = Outbox(path, 64, "pi", lambda line: print(f"outbox: {line}", file=sys.stderr))
    outlets = (
        MqttOutlet(MqttSettings(broker="127.0.0.1", port=port), "pi", outbox),
        WebhookOutlet(WebhookSettings(url=url), outbox),
    )
    count = start
    pause = threading.Event()
    while not drain:
        os.write(1, f"fed {count}\n".encode())
        entries = outbox.add([draft(count)])
        for outlet in outlets:
            outlet.announce(entries)
        os.write(1, f"announced {entries[0].id}\n".encode())
        count += 1
        pause.wait(random.expovariate(500.0))
    while any(outbox.pending_count(outlet.name) for outlet in outlets):
        pause.wait(0.05)
    for outlet in outlets:
        outlet.close()
    outbox.close()


def child(path: Path, port: int, url: str, start: int, *more: str) -> "subprocess.Popen[str]":
    """A process that feeds."""
    return subprocess.Popen(
        [sys.executable, __file__, "--feed", str(path), str(port), url, str(start), *more],
        stdout=subprocess.PIPE,
        text=True,
    )


def main() -> int:
    """Feed, kill, compare; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    fed: list[int] = []
    announced: list[str] = []
    last_ones: set[int] = set()  # of each process, which may have been killed before it wrote them
    started = monotonic()
    with tempfile.TemporaryDirectory() as place, Receiver() as receiver:
        folder = Path(place)
        path = folder / "journal.db"
        outbox = Outbox(path, 64, "pi")
        outbox.follow("mqtt")
        outbox.follow("webhook")
        outbox.close()
        with broker(folder) as one, Subscriber(one.port) as subscriber:
            for _ in range(options.kills):
                process = child(path, one.port, receiver.url, len(fed))
                assert process.stdout is not None
                first = process.stdout.readline()
                timer = threading.Timer(chance.uniform(0, 0.8), process.kill)
                timer.start()
                for line in [first, *process.stdout]:
                    word, _, rest = line.strip().partition(" ")
                    if word == "fed":
                        fed.append(int(rest))
                    else:
                        announced.append(rest)
                timer.join()
                last_ones.add(fed[-1])
                process.stdout.close()
                if process.wait() != -9:
                    print(f"the process ended by itself: {process.returncode}")
                    return 1
            last = child(path, one.port, receiver.url, 0, "--drain")
            if last.wait(600) != 0:
                return 1
            last.communicate()
            history = History(path)
            stored = list(history.each())
            history.close()
            ids = [entry.id for entry in stored]
            subscriber.wait(lambda subscriber: len({*subscriber.ids()}) >= len(ids), 60)
            mqtt, hook = subscriber.ids(), [json.loads(body)["id"] for _, _, body in receiver.posts]
    numbers = [int(entry.text) for entry in stored]
    wrong = {
        "announced and not in the outbox": len(set(announced) - set(ids)),
        "fed before another, and not in the outbox": len(set(fed) - set(numbers) - last_ones),
        "in the outbox twice": len(numbers) - len(set(numbers)),
        "in the outbox out of order": sum(left >= right for left, right in pairwise(numbers)),
    }
    for name, arrived in (("mqtt", mqtt), ("webhook", hook)):
        wrong[f"in the outbox and not arrived by {name}"] = len(set(ids) - set(arrived))
        wrong[f"arrived by {name} and not in the outbox"] = len(set(arrived) - set(ids))
        wrong[f"arrived by {name} out of order"] = int(list(dict.fromkeys(arrived)) != ids)
    print(
        f"{options.kills} kills (seed {options.seed}), {monotonic() - started:.0f} s: {len(fed)} fed, "
        f"{len(announced)} announced, {len(ids)} in the outbox; "
        f"repeats with their id: {len(mqtt) - len(ids)} by mqtt, {len(hook) - len(ids)} by webhook"
    )
    for what, count in wrong.items():
        print(f"{count:>4} {what}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--feed"]:
        feed(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), "--drain" in sys.argv)
        sys.exit(0)
    sys.exit(main())
