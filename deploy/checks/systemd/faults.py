"""Faults of a running service: a step a function; each returns its outcome and a line that explains it."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

from service import (
    CURRENT,
    GOOD,
    PICTURES,
    SETTINGS,
    SLOW,
    STATE,
    FailedError,
    cursor,
    journal,
    line,
    pid,
    run,
    settle,
    unit,
    until,
    up,
)


def killed() -> tuple[str, str]:
    """After kill -9 systemd restarts it."""
    since, before = cursor(), pid()
    os.kill(before, signal.SIGKILL)
    why = line(since, "status=9/KILL")
    until("another process", lambda: pid() not in (0, before) or None)
    up()
    return "started again, up", why


def killed_often() -> tuple[str, str]:
    """After several kills the pause before a restart grows."""
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
    """After SIGSTOP the watchdog ends it, and systemd restarts it."""
    since, before = cursor(), pid()
    os.kill(before, signal.SIGSTOP)
    began = time.monotonic()
    why = line(since, "Watchdog timeout")
    seconds = time.monotonic() - began
    until("another process", lambda: pid() not in (0, before) or None)
    up()
    return f"ended after {seconds:.0f} s, started again, up", why


def camera_goes() -> tuple[str, str]:
    """The camera is unplugged and plugged in again: the same process continues."""
    before, since = pid(), cursor()
    PICTURES.rename("/srv/away")
    why = line(since, "opening it again")
    status = until(
        "a status that says so", lambda: (text := unit("StatusText")).startswith("no camera") and text
    )
    time.sleep(12)  # the pauses between attempts grow
    assert unit("ActiveState") == "active"
    Path("/srv/away").rename(PICTURES)
    line(since, "open again")
    until("frames", lambda: "frames/s" in unit("StatusText") or None)
    assert pid() == before
    return f"same process, opened again; meanwhile: {status}", why


def full_disk() -> tuple[str, str]:
    """/var/lib/digitlens is full: numbers are still read."""
    run("systemctl", "stop", "digitlens")
    run("mount", "-t", "tmpfs", "-o", "size=256k,mode=750", "tmpfs", str(STATE))
    shutil.chown(STATE, "digitlens", "digitlens")
    try:
        SETTINGS.write_text(GOOD + '[journal]\nfile = "/var/lib/digitlens/readings.sqlite"\n')
        run("sh", "-c", f"cat /dev/zero >{STATE}/fill", status=None)
        since = cursor()
        run("systemctl", "start", "digitlens")
        line(since, "number .* appeared")
        said = [text for priority, text in journal(since) if priority <= 4]
        assert unit("ActiveState") == "active"
    finally:
        run("systemctl", "stop", "digitlens")
        run("umount", str(STATE))
    settle(GOOD)
    return "up, numbers are read", said[0] if said else ""


def ends_for_a_person(text: str, pattern: str) -> tuple[str, str]:
    """Settings on which it must exit, log why, and not be restarted."""
    SETTINGS.write_text(text)
    since = cursor()
    run("systemctl", "restart", "digitlens", status=1)
    why = line(since, pattern)
    until("the unit has failed", lambda: unit("ActiveState") == "failed" or None)
    assert unit("ExecMainStatus") == "78", unit("ExecMainStatus")
    assert len([1 for priority, said in journal(since) if priority <= 3 and re.search(pattern, said)]) == 1
    settle(GOOD)
    return "failed (78), not restarted; fixed: up", why


def missing_model() -> tuple[str, str]:
    """A missing model."""
    return ends_for_a_person(GOOD + '[reader]\nmodel = "/srv/none.tflite"\n', "none.tflite: no such model")


def wrong_card() -> tuple[str, str]:
    """A model that does not match its card."""
    (models,) = CURRENT.glob("lib/python3*/site-packages/digitlens/models")
    shutil.copy(models / "digits.json", "/srv/other.json")
    content = bytearray((models / "digits.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    Path("/srv/other.tflite").write_bytes(content)
    return ends_for_a_person(GOOD + '[reader]\nmodel = "/srv/other.tflite"\n', "other.tflite: .*card")


def broken_settings() -> tuple[str, str]:
    """Invalid settings."""
    return ends_for_a_person(GOOD.replace("rate = 5", 'rate = "fast"'), r"config.toml:4: .*rate")


def reload_right() -> tuple[str, str]:
    """A reload keeps the process and loses no frame."""
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
    """A reload with wrong settings fails; it keeps the previous ones, also where only the signal comes."""
    before, since = pid(), cursor()
    SETTINGS.write_text(SLOW + "[reader]\nthreads = 0\n")
    run("systemctl", "reload", "digitlens", status=1)
    line(since, r"config.toml:\d+: .*threads")
    assert "stay as they were" not in unit("StatusText")
    run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "digitlens")
    why = line(since, "stay as they were")
    time.sleep(2)
    assert pid() == before
    assert unit("ActiveState") == "active"
    assert "stay as they were" in unit("StatusText")
    SETTINGS.write_text(GOOD)
    since = cursor()
    run("systemctl", "stop", "digitlens")
    counts = line(since, "stopping after")
    dropped = re.search(r"(\d+) dropped", counts)
    assert dropped, counts
    if int(dropped[1]):
        raise FailedError(f"frames were lost over two reloads: {counts}")
    run("systemctl", "start", "digitlens")
    return f"same process, as before; over both reloads: {counts}", why
