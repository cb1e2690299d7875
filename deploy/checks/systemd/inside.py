"""In the booted systemd, as root: the service is installed, broken and mended; a table of what came of it."""

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
    PICTURES,
    SETTINGS,
    STATE,
    UNIT,
    WELL,
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
MEMORY = 100.0  # MB at the peak, at most


def no_camera() -> tuple[str, str]:
    """A fresh machine without a camera: all is there, and is tried again and again."""
    before = time.monotonic()
    said = install("first", status=1)
    seconds = time.monotonic() - before
    assert "installed but not up" in said.splitlines()[-1], said
    assert SETTINGS.read_bytes() == (BUNDLES / "first/config.toml").read_bytes()
    assert unit("ActiveState") == "activating", unit("ActiveState")
    assert unit("UnitFileState") == "enabled"
    return f"installed in {seconds:.0f} s, exit status 1, goes on trying", said.splitlines()[-1]


def camera_comes() -> tuple[str, str]:
    """Installed again, with a camera and settings: it comes up; the settings stay."""
    SETTINGS.write_text(WELL)
    before = time.monotonic()
    said = install("first")
    seconds = time.monotonic() - before
    assert "is there already" in said
    assert SETTINGS.read_text() == WELL
    assert (SETTINGS.parent / "config.toml.new").exists()
    return f"up after {seconds:.0f} s, settings kept, config.toml.new beside", said.splitlines()[-1]


def unit_is_closed() -> tuple[str, str]:
    """systemd-analyze is silent and content, and the process is what the unit says."""
    said = run("systemd-analyze", "verify", str(UNIT))
    assert said == "", said
    text = run(
        "systemd-analyze", "security", "--offline=yes", "/etc/systemd/system/digitlens.service", status=None
    )
    exposure = float(re.findall(r"exposure level for digitlens.service: ([\d.]+)", text)[0])
    assert exposure <= 1.5, exposure
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
    """The numbers of the sheet, as `digitlens read` has them, come as steady events."""
    told = json.loads(run("/usr/local/bin/digitlens", "read", "--json", str(PICTURES / "sheet.jpg")))
    expected = sorted(number["text"] for number in told["numbers"])
    since = cursor()

    def seen() -> list[str] | None:
        texts = [text for _, text in journal(since)]
        found = sorted(match[1] for text in texts if (match := re.match(r"number \d+ appeared: (\S+)", text)))
        return found if len(found) >= len(expected) else None

    run("systemctl", "restart", "digitlens")
    found = until("all numbers of the sheet", seen)
    assert found == expected, (found, expected)
    return f"{len(found)} of {len(expected)} numbers, none else", unit("StatusText")


def doctor() -> tuple[str, str]:
    """`digitlens doctor`, as a user runs it, finds nothing to fix but the clock: there is no network."""
    text = run("/usr/local/bin/digitlens", "doctor", status=None)
    fixes = [part for part in text.splitlines() if re.match(r"(?!clock)\w+: +fix", part)]
    if fixes:
        raise FailedError("; ".join(fixes))
    about = next(part for part in text.splitlines() if part.startswith("unit:"))
    return f"{len(text.splitlines())} lines, nothing else to fix", about


def start() -> tuple[str, str]:
    """From start to READY, five times; what it waited for other work is told, and not counted."""
    walls, nets = [], []
    for _ in range(5):
        run("systemctl", "restart", "digitlens")
        # Of the first thread, which does it all: nanoseconds run, and waited while others ran.
        waited = int(Path(f"/proc/{pid()}/schedstat").read_text().split()[1]) / 1e9
        began, ended = unit("ExecMainStartTimestampMonotonic"), unit("ActiveEnterTimestampMonotonic")
        walls.append((int(ended) - int(began)) / 1e6)
        nets.append(walls[-1] - waited)
    shown = [", ".join(f"{second:.2f}" for second in seconds) for seconds in (walls, nets)]
    outcome = f"READY after {shown[0]} s; without waiting for others' work {shown[1]} s"
    if sorted(nets)[2] > READY:
        raise FailedError(outcome)
    return outcome, ""


def memory() -> tuple[str, str]:
    """The most memory that the process has had, with its journal, its page, and who looks at it."""
    page = 'listen = "127.0.0.1:8080"\n'
    settle(f'{WELL}[journal]\nfile = "/var/lib/digitlens/readings.sqlite"\n[web]\n{page}')
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
    settle(WELL)
    outcome = f"peak {peak:.0f} MB, {threads} threads, {kept} bytes kept"
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
    """After a step that does not hold: as the next one expects it."""
    if Path("/srv/away").exists():
        Path("/srv/away").rename(PICTURES)
    if CURRENT.exists():
        SETTINGS.write_text(WELL)
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
    """All steps, each in its line; 1 if one does not hold."""
    print(f"systemd check: {run('systemctl', '--version').splitlines()[0]}", flush=True)
    PICTURES.mkdir()
    for name in ("sheet.jpg", "again.jpg"):  # a single picture would be decoded but once
        shutil.copy("/check/sheet.jpg", PICTURES / name)
    bad = 0
    for name, step in STEPS:
        try:
            outcome, said = step()
            mark = "well"
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
    print(f"systemd check: {len(STEPS) - bad} of {len(STEPS)} hold", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
