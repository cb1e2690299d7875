"""The page against viewers, hostile clients and random requests; ends with a JSON object of figures."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import strangers
from service import TOKEN, Service

HERE = Path(__file__).parent
SHEET = HERE.parents[2] / "examples" / "sheet.jpg"
CLIENTS = 10
SPAN = 5.0
"""Duration of each span with clients and without, seconds."""
PAIRS = 12
NAMED = "frames_per_second", "free"
"""The figures of a span that are compared, see speed."""
RATE = 10.0
"""Frame rate of the long run, frames a second."""


class Clients:
    """Runs clients.py until close()."""

    def __init__(self, service: Service, count: int = CLIENTS, stalled: int = 1) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE / "clients.py", service.host, str(service.port), TOKEN, str(count),
             str(stalled)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        while service.metric("web_viewers") < count:
            assert self.process.poll() is None
            time.sleep(0.2)

    def close(self) -> list[int]:
        """End them; the pictures that each received."""
        output, _ = self.process.communicate("")
        found = json.loads(output)
        assert not found["ended"], "a client was disconnected"
        return list(found["pictures"])


def span(service: Service) -> dict[str, float]:
    """The reader's figures over SPAN seconds: see speed."""
    begin, frames = time.monotonic(), service.metric("frames_captured_total")
    reader, total, queued = service.reader_cpu(), service.cpu(), service.reader_queued()
    time.sleep(SPAN)
    frames = service.metric("frames_captured_total") - frames
    wall, queued = time.monotonic() - begin, service.reader_queued() - queued
    reader = service.reader_cpu() - reader
    return {
        "frames_per_second": frames / wall,
        "free": frames / (wall - queued),
        "reader_ms": reader / max(1.0, frames) * 1000,
        "blocked": max(0.0, 1 - (reader + queued) / wall),
        "cores": (service.cpu() - total) / wall,
    }


def speed(
    service: Service, pairs: int, connect: Callable[[], Clients | strangers.SlowConnections]
) -> dict[str, Any]:
    """Spans without clients and with them, in turn: medians of both, and the ratios.

    `free` is the frames a second that a free processor would give: the time for which the reader's thread
    waited for one is left out, but not the time for which it waited for a lock or the disk (`blocked`, a
    fraction of all time). `reader_ms` is its CPU time a frame, `cores` the service's CPU time a second.
    """
    alone, loaded = [], []
    for count in range(pairs):
        alone.append(span(service))
        clients = connect()
        loaded.append(span(service))
        clients.close()
        print(f"    {count + 1} of {pairs}: {alone[-1]['frames_per_second']:.1f} frames/s alone, "
              f"{loaded[-1]['frames_per_second']:.1f} with clients", flush=True)  # fmt: skip
    figures: dict[str, Any] = {
        name: [round(median(one[name] for one in side), 3) for side in (alone, loaded)] for name in alone[0]
    }
    for name in ("frames_per_second", "free"):
        ratios = sorted(b[name] / a[name] for a, b in zip(alone, loaded, strict=True))
        figures[f"ratios_of_{name}"] = [round(ratio, 3) for ratio in ratios]
    figures["ratio"] = round(median(ratios), 3)
    return figures


def with_viewers(service: Service) -> dict[str, Any]:
    """Frames a second with ten viewers and one that stalls."""
    pictures: list[float] = []

    class Counted(Clients):
        def close(self) -> list[int]:
            got = super().close()
            pictures.append(sum(got) / len(got) / SPAN)
            return got

    figures = speed(service, PAIRS, lambda: Counted(service))
    return figures | {"pictures_per_second_each": round(median(pictures), 2)}


def with_slow_connections(service: Service) -> dict[str, Any]:
    """Frames a second with a thousand slow connections."""
    before, opened = service.memory(), []

    def connect() -> strangers.SlowConnections:
        opened.append(strangers.SlowConnections(service, 1000))
        return opened[-1]

    figures = speed(service, PAIRS // 2, connect)
    return figures | {
        "slowest_answer": round(max(one.slowest for one in opened), 3),
        "left": max(one.left for one in opened),
        "mib_more": round(service.memory() - before, 1),
    }


def with_attackers(service: Service, minutes: float) -> dict[str, Any]:
    """A keeper, ten viewers, and attackers at its address: answers, and frames a second as in speed."""
    clients, cookie = Clients(service), service.sign_in()
    alone = [span(service) for _ in range(3)]
    loaded: list[dict[str, float]] = []
    attackers = strangers.Attackers(service)
    refused, asked, slowest = 0, 0, 0.0
    begin, next_span = time.monotonic(), time.monotonic()
    while time.monotonic() - begin < minutes * 60:
        for headers in ({}, {"Authorization": "", "Cookie": cookie}):
            sent_at = time.monotonic()
            try:
                refused += service.ask("/api/history", **headers)[0] != 200
            except OSError:
                refused += 1
            asked += 1
            slowest = max(slowest, time.monotonic() - sent_at)
        if time.monotonic() > next_span:
            loaded.append(span(service))
            next_span = time.monotonic() + 6 * SPAN
            figures = loaded[-1], {name: median(one[name] for one in alone) for name in NAMED}
            plain, free = (" and ".join(f"{one[name]:.1f}" for one in figures) for name in NAMED)
            print(
                f"    {(time.monotonic() - begin) / 60:.1f} minutes: {asked} asked, {refused} refused, "
                f"slowest {slowest:.2f} s; frames/s now and before {plain}, of a free processor {free}",
                flush=True,
            )
        time.sleep(0.2)
    attackers.close()
    print(f"    {asked} asked, {refused} refused, slowest {slowest:.2f} s", flush=True)
    viewed = clients.close()
    strangers.replayed(service)
    return {
        "minutes": minutes,
        "pictures_each": round(sum(viewed) / len(viewed)),
        "asked": asked,
        "refused": refused,
        "slowest_answer": round(slowest, 3),
        **{name: [round(median(one[name] for one in side), 2) for side in (alone, loaded)] for name in NAMED},
    }


def memory(service: Service, minutes: float) -> dict[str, float]:
    """With viewers, a stalled one, and a client that requests everything repeatedly."""
    clients = Clients(service)
    samples: list[tuple[float, float]] = []
    begin = time.monotonic()
    while time.monotonic() - begin < minutes * 60:
        for path in ("/api/history.csv", "/api/reading", "/api/frame.jpg", "/"):
            status, body = service.ask(path)
            # On a shared machine frames may be late; the answer then says that there is no picture.
            assert status == 200 or b"no frame for" in body, (path, status, body[:200])
        samples.append((time.monotonic() - begin, service.memory()))
        if len(samples) % 30 == 0:
            print(f"    {samples[-1][0] / 60:.1f} minutes: {samples[-1][1]:.1f} MiB", flush=True)
        time.sleep(2)
    pictures = clients.close()
    late = [(at, size) for at, size in samples if at > 60 * min(1, minutes / 4)]
    middle = sum(at for at, _ in late) / len(late)
    mean = sum(size for _, size in late) / len(late)
    slope = sum((at - middle) * (size - mean) for at, size in late) / sum(
        (at - middle) ** 2 for at, _ in late
    )
    return {
        "minutes": minutes,
        "first_mib": round(late[0][1], 1),
        "last_mib": round(late[-1][1], 1),
        "mib_in_10_minutes": round(slope * 600, 2),
        "peak_mib": round(service.memory("VmHWM"), 1),
        "pictures_each": round(sum(pictures) / len(pictures)),
    }


def cost(folder: Path) -> dict[str, float]:
    """MiB of the service a while after its start: without a page, with one, and with ten viewers."""
    found = {}
    kinds = (
        ("without", "", 0),
        ("page", "guarded", 0),
        ("one_viewer", "guarded", 1),
        ("ten_viewers", "guarded", 10),
    )
    for name, page, count in kinds:
        with Service(folder, SHEET, RATE, page) as service:
            clients = Clients(service, count, 0) if count else None
            time.sleep(15)
            found[name], found[f"{name}_peak"] = service.memory(), service.memory("VmHWM")
            if clients is not None:
                clients.close()
    return {name: round(value, 1) for name, value in found.items()}


def main() -> int:
    """Run all parts, or the named ones."""
    parser = argparse.ArgumentParser(prog="deploy/checks/web/run", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="cost, strangers, attackers, speed, memory, fuzz (default: all)",
    )
    parser.add_argument(
        "--minutes", type=float, default=10, help="of attackers, memory and fuzz, each (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of fuzz")
    parser.add_argument(
        "--rate", type=float, default=0.0,
        help="frames a second of attackers: what a shared machine can sustain (default: all it can)",
    )  # fmt: skip
    options = parser.parse_args()
    parts = options.parts or ["cost", "strangers", "attackers", "speed", "memory", "fuzz"]
    figures: dict[str, Any] = {}
    bad = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if "cost" in parts:
            print("web check: what the page costs", flush=True)
            figures["cost"] = cost(folder)
        if "strangers" in parts:
            print("web check: hostile clients, and a thousand slow connections", flush=True)
            with Service(folder, SHEET, 0) as service:
                figures["refused"] = strangers.refused(service)
                figures["slow"] = with_slow_connections(service)
            if figures["slow"]["ratio"] < 0.9:
                bad.append("a thousand slow connections slow the reader by more than 10 %")
        if "attackers" in parts:
            print(f"web check: {options.minutes:g} minutes of attackers at the keeper's address", flush=True)
            with Service(folder, SHEET, options.rate) as service:
                figures["attackers"] = found = with_attackers(service, options.minutes)
            if found["refused"] or found["slowest_answer"] > 1:
                bad.append("attackers keep the keeper out, or waiting for more than a second")
            if found["free"][1] < 0.9 * found["free"][0]:
                bad.append("attackers slow the reader by more than 10 %")
        if "speed" in parts:
            print(
                "web check: frames a second without viewers and with ten and a stalled one, in turn",
                flush=True,
            )
            with Service(folder, SHEET, 0) as service:
                figures["speed"] = with_viewers(service)
            if figures["speed"]["ratio"] < 0.9:
                bad.append("viewers slow the reader by more than 10 %")
        if "memory" in parts:
            print(f"web check: {options.minutes:g} minutes with ten viewers and a stalled one", flush=True)
            with Service(folder, SHEET, RATE) as service:
                figures["memory"] = memory(service, options.minutes)
            if figures["memory"]["mib_in_10_minutes"] > 2:
                bad.append("the memory grows")
        if "fuzz" in parts:
            print(
                f"web check: {options.minutes:g} minutes of random requests, seed {options.seed}", flush=True
            )
            for page in ("open", "guarded"):
                with Service(folder, SHEET, RATE, page) as service:
                    figures[f"fuzz_{page}"] = strangers.fuzz(service, options.minutes * 30, options.seed)
    print(json.dumps(figures))
    for line in bad:
        print(f"web check: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
