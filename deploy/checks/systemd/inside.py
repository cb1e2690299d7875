"""In the booted systemd, as root: the service is installed, broken and mended; a table of what came of it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

BUNDLES = Path("/check/bundles")
SETTINGS = Path("/etc/digitlens/config.toml")
UNIT = Path("/etc/systemd/system/digitlens.service")
STATE = Path("/var/lib/digitlens")
PICTURES = Path("/srv/pictures")
CURRENT = Path("/opt/digitlens/current")
WELL = """\
[camera]
source = "/srv/pictures"
rate = 5
hold = 5
patience = 2
"""
T = TypeVar("T")
SLOW = WELL.replace("rate = 5", "rate = 1").replace("hold = 5", "hold = 1")
"""With time enough for each frame, however busy the machine is."""
READY = 2.0  # seconds from start to READY, at most
MEMORY = 100.0  # MB at the peak, at most


class FailedError(Exception):
    """What does not hold."""


def run(*command: str, limit: float = 1500, status: int | None = 0) -> str:
    """The output of a command that must end with `status`; None: any."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    said = (done.stdout + done.stderr).strip()
    if status is not None and done.returncode != status:
        raise FailedError(f"{' '.join(command)}: exit status {done.returncode}: {said[-500:]}")
    return said


def unit(name: str) -> str:
    """A property of the unit."""
    return run("systemctl", "show", "-P", name, "digitlens")


def pid() -> int:
    """The service's process."""
    return int(unit("MainPID"))


def cursor() -> str:
    """Where the journal ends now."""
    return run("journalctl", "-n", "0", "--show-cursor").rpartition("cursor: ")[2]


def journal(since: str) -> list[tuple[int, str]]:
    """Priority and text of the lines of the unit, systemd's own among them."""
    text = run("journalctl", "-u", "digitlens", "-o", "json", "--after-cursor", since)
    entries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(int(entry.get("PRIORITY", 6)), str(entry["MESSAGE"])) for entry in entries]


def until(what: str, found: Callable[[], T | None], limit: float = 180) -> T:
    """Wait until `found` gives something."""
    end = time.monotonic() + limit
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > end:
            raise FailedError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.1)


def line(since: str, pattern: str, limit: float = 180) -> str:
    """The first line of the journal that fits, waited for."""
    return until(
        f"a line in the journal with {pattern!r}",
        lambda: next((text for _, text in journal(since) if re.search(pattern, text)), None),
        limit,
    )


def up(limit: float = 180) -> None:
    """Wait until the service is active, which is: READY."""
    until("the service is up", lambda: unit("ActiveState") == "active" or None, limit)


def settle(text: str) -> None:
    """Make these the settings, and start anew."""
    SETTINGS.write_text(text)
    run("systemctl", "reset-failed", "digitlens", status=None)
    run("systemctl", "restart", "digitlens")
    up()


def install(name: str, *options: str, status: int = 0) -> str:
    """Run a bundle's install.sh; what it said."""
    return run(str(BUNDLES / name / "install.sh"), *options, status=status)


def version() -> str:
    """The version that is installed."""
    return run("/usr/local/bin/digitlens", "--version")


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
    """`digitlens doctor`, as a keeper runs it, finds nothing to mend but the clock: there is no network."""
    text = run("/usr/local/bin/digitlens", "doctor", status=None)
    mend = [part for part in text.splitlines() if re.match(r"(?!clock)\w+: +mend", part)]
    if mend:
        raise FailedError("; ".join(mend))
    about = next(part for part in text.splitlines() if part.startswith("unit:"))
    return f"{len(text.splitlines())} lines, nothing else to mend", about


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


def killed() -> tuple[str, str]:
    """Killed: it is started again."""
    since, before = cursor(), pid()
    os.kill(before, signal.SIGKILL)
    why = line(since, "status=9/KILL")
    until("another process", lambda: pid() not in (0, before) or None)
    up()
    return "started again, up", why


def killed_often() -> tuple[str, str]:
    """Killed again and again: the pause grows."""
    pauses = []
    for _ in range(4):
        before = pid()
        os.kill(before, signal.SIGKILL)
        began = time.monotonic()
        until("another process", lambda before=before: pid() not in (0, before) or None)
        pauses.append(time.monotonic() - began)
        up()
    grows = Path("/etc/systemd/system/digitlens.service.d/10-growing-pause.conf").exists()
    if grows:
        assert pauses[-1] > 1.5 * pauses[0], pauses
    said = ", ".join(f"{pause:.1f}" for pause in pauses)
    run("systemctl", "restart", "digitlens")
    return f"pauses of {said} s" + ("" if grows else " (this systemd's do not grow)"), ""


def frozen() -> tuple[str, str]:
    """SIGSTOP: the watchdog ends it, and it is started again."""
    since, before = cursor(), pid()
    os.kill(before, signal.SIGSTOP)
    began = time.monotonic()
    why = line(since, "Watchdog timeout")
    seconds = time.monotonic() - began
    until("another process", lambda: pid() not in (0, before) or None)
    up()
    return f"ended after {seconds:.0f} s, started again, up", why


def camera_goes() -> tuple[str, str]:
    """A camera that is pulled out, and plugged in again: the same process goes on."""
    before, since = pid(), cursor()
    PICTURES.rename("/srv/away")
    why = line(since, "opening it again")
    status = until(
        "a status that says so", lambda: (text := unit("StatusText")).startswith("no camera") and text
    )
    time.sleep(12)  # the times at which it is tried again grow apart
    assert unit("ActiveState") == "active"
    Path("/srv/away").rename(PICTURES)
    line(since, "open again")
    until("frames", lambda: "frames/s" in unit("StatusText") or None)
    assert pid() == before
    return f"same process, opened again; meanwhile: {status}", why


def full_disk() -> tuple[str, str]:
    """No room in /var/lib/digitlens: numbers are read all the same."""
    run("systemctl", "stop", "digitlens")
    run("mount", "-t", "tmpfs", "-o", "size=256k,mode=750", "tmpfs", str(STATE))
    shutil.chown(STATE, "digitlens", "digitlens")
    try:
        SETTINGS.write_text(WELL + '[journal]\nfile = "/var/lib/digitlens/readings.sqlite"\n')
        run("sh", "-c", f"cat /dev/zero >{STATE}/fill", status=None)
        since = cursor()
        run("systemctl", "start", "digitlens")
        line(since, "number .* appeared")
        said = [text for priority, text in journal(since) if priority <= 4]
        assert unit("ActiveState") == "active"
    finally:
        run("systemctl", "stop", "digitlens")
        run("umount", str(STATE))
    settle(WELL)
    return "up, numbers are read", said[0] if said else ""


def ends_for_a_person(text: str, pattern: str) -> tuple[str, str]:
    """Settings with which it must end, with the line that says why, and stay ended."""
    SETTINGS.write_text(text)
    since = cursor()
    run("systemctl", "restart", "digitlens", status=1)
    why = line(since, pattern)
    until("the unit has failed", lambda: unit("ActiveState") == "failed" or None)
    assert unit("ExecMainStatus") == "78", unit("ExecMainStatus")
    assert len([1 for priority, said in journal(since) if priority <= 3 and re.search(pattern, said)]) == 1
    settle(WELL)
    return "failed (78), not started in vain; mended: up", why


def missing_model() -> tuple[str, str]:
    """A model that is not there."""
    return ends_for_a_person(WELL + '[reader]\nmodel = "/srv/none.tflite"\n', "none.tflite: no such model")


def wrong_card() -> tuple[str, str]:
    """A model that is not what its card says."""
    (models,) = CURRENT.glob("lib/python3*/site-packages/digitlens/models")
    shutil.copy(models / "digits.json", "/srv/other.json")
    content = bytearray((models / "digits.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    Path("/srv/other.tflite").write_bytes(content)
    return ends_for_a_person(WELL + '[reader]\nmodel = "/srv/other.tflite"\n', "other.tflite: .*card")


def broken_settings() -> tuple[str, str]:
    """Settings that cannot be."""
    return ends_for_a_person(WELL.replace("rate = 5", 'rate = "fast"'), r"config.toml:3: .*rate")


def reload_right() -> tuple[str, str]:
    """New settings while it runs: the same process, and not a frame is lost."""
    settle(SLOW)
    before, since = pid(), cursor()
    until("frames", lambda: "newest number" in unit("StatusText") or None)
    SETTINGS.write_text(SLOW + '[reader]\nseparator = ","\n')
    run("systemctl", "reload", "digitlens")
    why = line(since, "taken over")
    time.sleep(2)
    assert pid() == before
    SETTINGS.write_text(SLOW)
    return "same process, taken over", why


def reload_wrong() -> tuple[str, str]:
    """Wrong settings while it runs: those before stay in force."""
    before, since = pid(), cursor()
    SETTINGS.write_text(SLOW + "[reader]\nthreads = 0\n")
    run("systemctl", "reload", "digitlens")
    why = line(since, "stay as they were")
    time.sleep(2)
    assert pid() == before
    assert unit("ActiveState") == "active"
    assert "stay as they were" in unit("StatusText")
    SETTINGS.write_text(WELL)
    since = cursor()
    run("systemctl", "stop", "digitlens")
    counts = line(since, "stopping after")
    dropped = re.search(r"(\d+) dropped", counts)
    assert dropped, counts
    if int(dropped[1]):
        raise FailedError(f"frames were lost over two reloads: {counts}")
    run("systemctl", "start", "digitlens")
    return f"same process, as before; over both reloads: {counts}", why


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


def upgrade() -> tuple[str, str]:
    """A newer version takes the place of the one that runs."""
    old, since = CURRENT.readlink(), cursor()
    said = install("newer")
    assert version().endswith("0.1.1"), version()
    assert (CURRENT.parent / "previous").readlink() == old
    line(since, "ready: ")
    assert SETTINGS.read_text() == WELL
    return "0.1.1 is up, the version before is kept", said.splitlines()[-1]


def unimportable() -> tuple[str, str]:
    """A version that does not even start: refused before anything is changed."""
    before = pid()
    said = install("unimportable", status=1)
    assert pid() == before
    assert version().endswith("0.1.1")
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def unready() -> tuple[str, str]:
    """A version that starts, and never becomes ready: rolled back."""
    said = install("unready", status=1)
    assert version().endswith("0.1.1")
    up()
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return "rolled back, 0.1.1 is up", said.splitlines()[-1]


def damaged() -> tuple[str, str]:
    """A folder with a file that was not copied well: refused."""
    before = pid()
    said = install("damaged", status=1)
    assert pid() == before
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def wrong_for_new() -> tuple[str, str]:
    """Settings that a new version does not take: refused before anything is changed."""
    before = pid()
    SETTINGS.write_text(WELL + "colour = 1\n")
    said = install("first", status=1)
    SETTINGS.write_text(WELL)
    assert pid() == before
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def back() -> tuple[str, str]:
    """The version before, installed again: back to it."""
    said = install("first")
    assert version().endswith("0.1.0"), version()
    return "0.1.0 is up again", said.splitlines()[-1]


def uninstall() -> tuple[str, str]:
    """Gone, twice, and then with all that it has kept."""
    (STATE / "kept").write_text("")
    script = shutil.copy("/opt/digitlens/uninstall.sh", "/tmp/uninstall.sh")  # noqa: S108  # it removes itself
    run(script)
    assert not Path("/opt/digitlens").exists()
    assert not Path("/usr/local/bin/digitlens").is_symlink()
    assert run("systemctl", "is-active", "digitlens", status=None) == "inactive"
    assert SETTINGS.read_text() == WELL
    assert (STATE / "kept").exists()
    run(script)
    said = run(script, "--purge")
    assert not SETTINGS.parent.exists()
    assert not STATE.exists()
    run("id", "digitlens", status=1)
    return "gone, settings kept; again: well; --purge: nothing left", said.splitlines()[-1]


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
    ("kill -9", killed),
    ("kill -9, often", killed_often),
    ("SIGSTOP", frozen),
    ("camera pulled out", camera_goes),
    ("full disk", full_disk),
    ("missing model", missing_model),
    ("model, another's card", wrong_card),
    ("broken settings", broken_settings),
    ("reload, right", reload_right),
    ("reload, wrong", reload_wrong),
    ("memory", memory),
    ("upgrade", upgrade),
    ("upgrade, not importable", unimportable),
    ("upgrade, never ready", unready),
    ("upgrade, damaged", damaged),
    ("upgrade, settings", wrong_for_new),
    ("back again", back),
    ("uninstall", uninstall),
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
            outcome, said, mark = (
                f"{type(error).__name__} in line {trace.tb_lineno if trace else 0}: {error}",
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
