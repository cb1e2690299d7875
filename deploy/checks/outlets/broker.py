"""MQTT through a broker that is down at first, is killed, and then is cut off for minutes.

    python deploy/checks/outlets/broker.py [--minutes 10] [--readings 10000]

The outlet runs in its own process, whose memory is measured every second. In the end nothing may be missing,
out of order, or repeated without its id, and the memory must stay flat.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.outlets.mqtt import MqttOutlet  # noqa: E402
from digitlens.outlets.mqtt_settings import MqttSettings  # noqa: E402
from digitlens.outlets.outbox import Outbox  # noqa: E402
from tests.edge.outlets.brokers import Broker, Subscriber, draft  # noqa: E402

FLAT = 2.0
"""Growth of the process's memory while thousands are pending and until they have been sent, at most, MB."""


def serve(path: Path, port: int) -> None:
    """The process with the outlet: each line of its input is a number of readings, the end its own."""
    outbox = Outbox(path, 64, "pi")
    outlet = MqttOutlet(
        MqttSettings(broker="127.0.0.1", port=port), "pi", outbox,
        say=lambda line: print(f"    {line}", file=sys.stderr),
    )  # fmt: skip
    count = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            entries = outbox.add([draft(count)])
            outlet.announce(entries)
            os.write(1, f"{entries[0].id}\n".encode())
            count += 1
    while outbox.pending_count("mqtt"):
        threading.Event().wait(0.05)
    outlet.close()
    outbox.close()


class Watch:
    """The peak memory of a process since the last look, in MB."""

    def __init__(self, process: int) -> None:
        self._file = Path(f"/proc/{process}/statm")
        self._most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def now(self) -> float:
        """The memory now, MB."""
        pages = int(self._file.read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self._most = max(self._most, self.now())

    def most(self) -> float:
        """The peak since the last call, MB."""
        most, self._most = max(self._most, self.now()), 0.0
        return most

    def end(self) -> None:
        """Stop measuring."""
        self._over.set()
        self._thread.join()


def main() -> int:
    """Set up and run the check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--readings", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        one = Broker(
            folder,
            f"allow_anonymous true\npersistence true\npersistence_location {folder}/\nautosave_interval 1\n",
        )
        process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(folder / "journal.db"), str(one.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        watch = Watch(process.pid)
        fed: list[str] = []
        try:
            return check(options, one, process, watch, fed)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
            watch.end()
            if one.running:
                one.signal(signal.SIGCONT)
            one.kill()


def check(
    options: argparse.Namespace,
    one: Broker,
    process: "subprocess.Popen[str]",
    watch: Watch,
    fed: list[str],
) -> int:
    """The check itself; 0 if nothing is wrong."""

    def feed(count: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        fed.extend(process.stdout.readline().strip() for _ in range(count))

    def arrived(seconds: float) -> None:
        subscriber.wait(lambda subscriber: len({*subscriber.ids()}) >= len(fed), seconds)

    print("down at the start")
    feed(500)
    one.start()
    with Subscriber(one.port) as subscriber:
        # The subscriber misses what came before its session, which begins before the outlet tries again.
        arrived(120)
        print(f"    {len(fed)} fed, all arrived")
        print("killed in the middle, three times")
        for _ in range(3):
            feed(300)
            one.kill()
            feed(300)
            one.start()
        arrived(180)
        print(f"    {len(fed)} fed, all arrived")
        before = watch.now()
        watch.most()
        print(f"cut off for {options.minutes:g} minutes, {options.readings} readings pending")
        one.signal(signal.SIGSTOP)
        started = monotonic()
        feed(options.readings)
        threading.Event().wait(max(0.0, options.minutes * 60 - (monotonic() - started)))
        waited = watch.most()
        one.signal(signal.SIGCONT)
        started = monotonic()
        arrived(600)
        took = monotonic() - started
        sent = watch.most()
        ids = subscriber.ids()
    first = list(dict.fromkeys(ids))
    wrong = {
        "missing": len(set(fed) - set(ids)),
        "unknown": len(set(ids) - set(fed)),
        "out of order": int(first != fed),
        "memory grew": int(max(waited, sent) - before > FLAT),
    }
    print(
        f"    all {len(fed)} arrived {took:.0f} s after it was back, {len(ids) - len(first)} again with "
        f"their id; memory {before:.1f} MB before, at most {waited:.1f} MB while they were pending, "
        f"{sent:.1f} MB while they were sent"
    )
    for what, count in wrong.items():
        print(f"{count:>4} {what}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
        sys.exit(0)
    sys.exit(main())
