"""digitlens serve on replayed frames, for hours: a fault every minute, and numbers whose truth is known.

It passes if every number was read, no process ended by itself, all entries are in the journal (and at the
broker, where there is one), and there are as many open files and threads at the end as at the start. The
slope of the resident memory is printed with its 95 % interval, and may not be above LEAK; so is the slope of
the memory without the pages of files, which the kernel can drop. Of each minute the least memory counts: a
reading takes 25 MiB more for a moment, which are free afterwards and given back every ten seconds. The slope
is the median of those between all two minutes (Sen 1968), for what is taken for some minutes and given back
is no growth; that by least squares stands beside it.
"""

import argparse
import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep, strftime

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(Path(__file__).parent)]
os.environ["PYTHONPATH"] = str(ROOT / "edge")

from faults import Broker, Faults  # noqa: E402
from service import Sample, Service  # noqa: E402
from sheets import Sheets  # noqa: E402

LEAK = 1.0
"""Slope of the memory, the lower end of its interval, at most, MiB an hour."""
PATIENCE = 60.0
"""Time within which a number on a sheet must be read, seconds."""
GIVEN_BACK = 12.0
"""Time in which the service has given free memory back at least once, seconds."""
ROUNDS = 2
"""Rounds of all faults before the slope is measured: the first of each loads code and fills pools."""
SETTINGS = """name = "soak"
[camera]
source = "{frames}"
rate = 5
hold = 1
repeat = 0
[journal]
file = "{state}/journal.db"
megabytes = 4
"""


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(f"soak: ended by signal {number}"))
    folder = Path(tempfile.mkdtemp(prefix="digitlens-soak-"))
    state = folder / "state"
    state.mkdir()
    mounted = (
        os.getuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(state)], stderr=subprocess.DEVNULL
        ).returncode
    )
    broker = Broker(folder) if Broker.here() else None
    services: list[Service] = []
    try:
        return soak(folder, options.hours, options.seed, broker, services)
    finally:
        for service in services:
            service.process.kill()
            service.process.wait()
        if broker is not None:
            broker.close()
        if mounted:
            subprocess.run(["umount", str(state)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def soak(folder: Path, hours: float, seed: int, broker: Broker | None, services: list[Service]) -> int:
    """Run the faults minute by minute; the exit status."""
    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        sheets = Sheets(folder / "frames", (arrays["x"], arrays["y"]), seed)
    config = folder / "config.toml"
    text = SETTINGS.format(frames=sheets.folder, state=folder / "state")
    if broker is not None:
        text += f'[mqtt]\nbroker = "127.0.0.1"\nport = {broker.port}\n'
    config.write_text(text)
    service = Service(folder, config)
    services.append(service)
    faults = Faults(folder, config, service, sheets, broker)
    for name, why in faults.skipped.items():
        print(f"no fault '{name}': {why}", flush=True)
    samples: list[Sample] = []
    injected: list[str] = []
    missed: list[str] = []
    wrong: list[str] = []
    known = {""}
    began = monotonic()
    minute = 0
    names = list(faults.all)
    while monotonic() - began < hours * 3600:
        begin = monotonic()
        name = names[minute % len(names)]
        said = faults.all[name]()
        if said:
            wrong.append(f"minute {minute}, {name}: {said}")
        for _ in range(2):
            since = len(service.entries)
            number = sheets.next()
            injected.append(number)
            if not service.until(lambda n=number, s=since: service.has(n, s), PATIENCE):  # type: ignore[misc]
                missed.append(f"{number} (minute {minute}, after: {name})")
            if service.tend():
                wrong.append(f"minute {minute}, {name}: the service ended, {service.ends[-1]}")
        minute += 1
        samples.append(service.least(max(GIVEN_BACK, 60 - (monotonic() - begin))))
        known.update(injected)
        now = samples[-1]
        print(
            f"{strftime('%H:%M:%S')} minute {minute}: {name}; read {len(injected) - len(missed)} of "
            f"{len(injected)}; {now.memory:.1f} MiB, its own {now.own:.1f}, "
            f"{now.files} files, {now.threads} threads" + (f"; WRONG: {said}" if said else ""),
            flush=True,
        )
    peak = service.peak()
    if broker is not None:
        sleep(5)
    status = service.stop()
    warm = min(ROUNDS * len(names), len(samples) // 2)
    return report(folder, samples, warm, injected, missed, wrong, service, sheets, peak, status, broker)


def report(
    folder: Path, samples: list[Sample], warm: int, injected: list[str], missed: list[str], wrong: list[str],
    service: Service, sheets: Sheets, peak: float, status: int, broker: Broker | None,
) -> int:  # fmt: skip
    """Print the results; the exit status."""
    taken = samples[warm:]
    slope, low, high = growth(taken, [sample.memory for sample in taken])
    own, own_low, own_high = growth(taken, [sample.own for sample in taken])
    straight, half = line(taken, [sample.own for sample in taken])
    with closing(sqlite3.connect(folder / "state" / "journal.db")) as journal:
        kept = int(journal.execute("SELECT count(*) FROM entry").fetchone()[0])
    lost = [entry["id"] for entry in service.entries if broker and entry["id"] not in broker.events]
    first, last = samples[0], samples[-1]
    if status:
        wrong.append(f"exit status {status} at the end: {service.tail()}")
    if kept < len(service.entries):
        wrong.append(f"{len(service.entries)} entries were announced, {kept} are in the journal")
    if lost:
        wrong.append(f"{len(lost)} entries did not come to the broker")
    if (last.files, last.threads) > (first.files + 2, first.threads + 1):
        wrong.append("files or threads have grown")
    if low > LEAK:
        wrong.append(f"the memory grows by more than {LEAK} MiB an hour")
    texts = set(injected)
    false = [
        entry["text"] for entry in service.entries if entry["kind"] != "gone" and entry["text"] not in texts
    ]
    print(
        json.dumps(
            {
                "minutes": len(samples),
                "injected": len(injected),
                "read": len(injected) - len(missed),
                "missed": missed,
                "other_texts": len(false),
                "entries": len(service.entries),
                "in_the_journal": kept,
                "at_the_broker": len(broker.events) if broker else None,
                "ended": service.ends,
                "memory_mib_per_hour": round(slope, 3),
                "memory_interval": [round(low, 3), round(high, 3)],
                "own_mib_per_hour": round(own, 3),
                "own_interval": [round(own_low, 3), round(own_high, 3)],
                "own_by_least_squares": [
                    round(straight, 3),
                    round(straight - half, 3),
                    round(straight + half, 3),
                ],
                "own_first_last_mib": [round(first.own, 1), round(last.own, 1)],
                "minutes_before_the_slopes": warm,
                "memory_first_last_peak_mib": [round(first.memory, 1), round(last.memory, 1), round(peak, 1)],
                "files_first_last": [first.files, last.files],
                "threads_first_last": [first.threads, last.threads],
                "longest_without_watchdog_s": round(service.longest, 1),
                "sheets_refused_beforehand": sheets.refused,
                "wrong": wrong,
            },
            indent=1,
        )
    )
    passed = not wrong and not missed
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


def growth(samples: list[Sample], values: list[float]) -> tuple[float, float, float]:
    """The median slope of the values per hour (Sen 1968), and its 95 % interval by Kendall's variance."""
    count = len(samples)
    if count < 3:
        return 0.0, -math.inf, math.inf
    hours, memory = np.array([sample.time for sample in samples]) / 3600, np.array(values)
    first, second = np.triu_indices(count, 1)
    slopes = np.sort((memory[second] - memory[first]) / (hours[second] - hours[first]))
    spread = 1.96 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low, high = (round((len(slopes) + side) / 2) for side in (-spread, spread))
    last = len(slopes) - 1
    return float(np.median(slopes)), float(slopes[max(low - 1, 0)]), float(slopes[min(high, last)])


def line(samples: list[Sample], values: list[float]) -> tuple[float, float]:
    """Slope of the values per hour, and half of its 95 % interval."""
    if len(samples) < 3:
        return 0.0, math.inf
    hours = np.array([sample.time for sample in samples]) / 3600
    memory = np.array(values)
    hours -= hours.mean()
    slope = float((hours * memory).sum() / (hours**2).sum())
    rest = memory - memory.mean() - slope * hours
    error = math.sqrt(float((rest**2).sum()) / (len(samples) - 2) / float((hours**2).sum()))
    return slope, 1.96 * error


if __name__ == "__main__":
    sys.exit(main())
