"""Runs as root in the booted systemd: installs, breaks and fixes the service; prints a table of outcomes."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import faults
import upgrades
from service import (
    BUNDLES,
    CURRENT,
    GOOD,
    PICTURES,
    SETTINGS,
    STATE,
    UNIT,
    FailedError,
    cursor,
    install,
    journal,
    line,
    pid,
    run,
    settle,
    unit,
    until,
)

READY = 2.0  # seconds from start to READY, at most
MEMORY = 110.0  # MiB at the peak, at most; README.md says so


def no_camera() -> tuple[str, str]:
    """A fresh machine without a camera: everything is installed, and the service keeps trying."""
    before = time.monotonic()
    said = install("first", status=1)
    seconds = time.monotonic() - before
    assert "installed but not up" in said.splitlines()[-1], said
    assert SETTINGS.read_bytes() == (BUNDLES / "first/config.toml").read_bytes()
    assert unit("ActiveState") == "activating", unit("ActiveState")
    assert unit("UnitFileState") == "enabled"
    return f"installed in {seconds:.0f} s, exit status 1, goes on trying", said.splitlines()[-1]


def camera_comes() -> tuple[str, str]:
    """Installed again, with a camera and settings, it comes up and keeps the settings."""
    SETTINGS.write_text(GOOD)
    before = time.monotonic()
    said = install("first")
    seconds = time.monotonic() - before
    assert "is there already" in said
    assert SETTINGS.read_text() == GOOD
    assert (SETTINGS.parent / "config.toml.new").exists()
    return f"up after {seconds:.0f} s, settings kept, config.toml.new beside", said.splitlines()[-1]


def unit_is_closed() -> tuple[str, str]:
    """systemd-analyze finds no fault, and the process has the unit's restrictions."""
    said = run("systemd-analyze", "verify", str(UNIT))
    assert said == "", said
    text = run(
        "systemd-analyze", "security", "--offline=yes", "/etc/systemd/system/digitlens.service", status=None
    )
    exposure = float(re.findall(r"exposure level for digitlens.service: ([\d.]+)", text)[0])
    assert exposure <= 1.2, exposure
    status = dict(
        part.split(":\t", 1)
        for part in Path(f"/proc/{pid()}/status").read_text().splitlines()
        if ":\t" in part
    )
    assert run("stat", "-c", "%U", f"/proc/{pid()}") == "digitlens"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    return f"verify silent, exposure {exposure}, no capabilities, filter on", ""


def numbers_are_read() -> tuple[str, str]:
    """The sheet's numbers, as `digitlens read` reads them, come as steady events."""
    reading = json.loads(run("/usr/local/bin/digitlens", "read", "--json", str(PICTURES / "sheet.jpg")))
    expected = sorted(number["text"] for number in reading["numbers"])
    since = cursor()

    def seen() -> list[str] | None:
        texts = [text for _, text in journal(since)]
        found = sorted(match[1] for text in texts if (match := re.match(r"number \d+ appeared: (\S+)", text)))
        return found if len(found) >= len(expected) else None

    run("systemctl", "restart", "digitlens")
    found = until("all numbers of the sheet", seen)
    assert found == expected, (found, expected)
    return f"{len(found)} of {len(expected)} numbers, no others", unit("StatusText")


def doctor() -> tuple[str, str]:
    """`digitlens doctor` finds nothing to fix but the clock, for there is no network."""
    text = run("/usr/local/bin/digitlens", "doctor", status=None)
    to_fix = [part for part in text.splitlines() if re.match(r"(?!clock)\w+: +fix", part)]
    if to_fix:
        raise FailedError("; ".join(to_fix))
    about = next(part for part in text.splitlines() if part.startswith("unit:"))
    return f"{len(text.splitlines())} lines, nothing else to fix", about


def start() -> tuple[str, str]:
    """Seconds from start to READY, five times; the wait for other processes is printed, not counted."""
    walls, nets = [], []
    for _ in range(5):
        run("systemctl", "restart", "digitlens")
        # The first thread does the work: nanoseconds that it ran, and that it waited while others ran.
        waited = int(Path(f"/proc/{pid()}/schedstat").read_text().split()[1]) / 1e9
        began, ended = unit("ExecMainStartTimestampMonotonic"), unit("ActiveEnterTimestampMonotonic")
        walls.append((int(ended) - int(began)) / 1e6)
        nets.append(walls[-1] - waited)
    shown = [", ".join(f"{second:.2f}" for second in seconds) for seconds in (walls, nets)]
    outcome = f"READY after {shown[0]} s; without waiting for others {shown[1]} s"
    if sorted(nets)[2] > READY:
        raise FailedError(outcome)
    return outcome, ""


def memory() -> tuple[str, str]:
    """Peak memory of the process with its outbox and its page in use."""
    page = 'listen = "127.0.0.1:8080"\n'
    settle(f'{GOOD}[journal]\nfile = "/var/lib/digitlens/readings.sqlite"\n[web]\n{page}')
    since = cursor()
    PICTURES.rename("/srv/away")  # so that numbers come and go
    line(since, "opening it again")
    Path("/srv/away").rename(PICTURES)
    for path in ("", "metrics", "healthz", "api/frame.jpg"):
        until(f"/{path}", lambda path=path: _get(path) or None)
    time.sleep(20)
    status = Path(f"/proc/{pid()}/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    threads = re.findall(r"Threads:\s+(\d+)", status)[0]
    kept = (STATE / "readings.sqlite").stat().st_size
    settle(GOOD)
    outcome = f"peak {peak:.0f} MiB, {threads} threads, {kept} bytes kept"
    if peak > MEMORY:
        raise FailedError(outcome)
    return outcome, ""


def _get(path: str) -> int:
    """Bytes of a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:8080/{path}", timeout=5) as answer:
            return len(answer.read())
    except OSError:
        return 0


def recover() -> None:
    """Restore, after a failed step, the state that the next one expects."""
    if Path("/srv/away").exists():
        Path("/srv/away").rename(PICTURES)
    if CURRENT.exists():
        SETTINGS.write_text(GOOD)
        run("systemctl", "reset-failed", "digitlens", status=None)
        run("systemctl", "restart", "digitlens", status=None)


STEPS: list[tuple[str, Callable[[], tuple[str, str]]]] = [
    ("install, no camera", no_camera),
    ("install, camera", camera_comes),
    ("the unit", unit_is_closed),
    ("numbers", numbers_are_read),
    ("doctor", doctor),
    ("start", start),
    ("kill -9", faults.killed),
    ("kill -9, often", faults.killed_often),
    ("SIGSTOP", faults.frozen),
    ("camera pulled out", faults.camera_goes),
    ("full disk", faults.full_disk),
    ("missing model", faults.missing_model),
    ("model, another's card", faults.wrong_card),
    ("broken settings", faults.broken_settings),
    ("reload, right", faults.reload_right),
    ("reload, wrong", faults.reload_wrong),
    ("memory", memory),
    ("upgrade", upgrades.upgrade),
    ("upgrade, not importable", upgrades.unimportable),
    ("upgrade, never ready", upgrades.unready),
    ("upgrade, damaged", upgrades.damaged),
    ("upgrade, settings", upgrades.wrong_for_new),
    ("back again", upgrades.back),
    ("uninstall", upgrades.uninstall),
]


def main() -> int:
    """Run all steps, each on its line; 1 if one failed."""
    print(f"systemd check: {run('systemctl', '--version').splitlines()[0]}", flush=True)
    PICTURES.mkdir()
    for name in ("sheet.jpg", "again.jpg"):  # a single picture would be decoded but once
        shutil.copy("/check/sheet.jpg", PICTURES / name)
    bad = 0
    for name, step in STEPS:
        try:
            outcome, said = step()
            mark = "ok"
        except (FailedError, AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            trace = error.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
            outcome, said, mark = (
                f"{type(error).__name__} at {where}: {error}",
                "",
                "BAD",
            )
            bad += 1
            recover()
        print(f"{mark:4} {name:24} {outcome}", flush=True)
        if said:
            print(f"{'':29} > {said}", flush=True)
    print(f"systemd check: {len(STEPS) - bad} of {len(STEPS)} passed", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
