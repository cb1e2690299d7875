"""In the emulated machine, as root, started at boot: what became of the service; a line a finding."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

UNIT = Path("/etc/systemd/system/digitlens.service")
GROUP = Path("/sys/fs/cgroup/system.slice/digitlens.service")
QUERYCTRL, S_CTRL, NEXT = 0xC0445624, 0xC008561C, 0x80000000
"""ioctls of V4L2, and the flag that asks for the next control."""
SHUT = ("/dev/vda", "/dev/ttyS0", "/dev/kmsg", "/dev/mem", "/dev/rtc0")
MEMORY = 100.0  # MB of the process at the peak, at most
T = TypeVar("T")


def run(*command: str) -> str:
    """The output of a command, whatever its status."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return (done.stdout + done.stderr).strip()


def unit(name: str) -> str:
    """A property of the unit."""
    return run("systemctl", "show", "-P", name, "digitlens")


def until(what: str, found: Callable[[], T | None], limit: float = 600) -> T:
    """Wait until `found` gives something; everything is slow here."""
    end = time.monotonic() + limit
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < end, f"not within {limit:.0f} s: {what}"
        time.sleep(0.5)


def line(pattern: str, after: float) -> str:
    """A line of the service in the journal, after so many seconds since the boot."""

    def found() -> str | None:
        for text in run(
            "journalctl", "-b", "-u", "digitlens", "-o", "short-monotonic", "--no-pager"
        ).splitlines():
            when = re.match(r"\[\s*([\d.]+)\]", text)
            if when and float(when[1]) >= after and re.search(pattern, text):
                return text.partition("]: ")[2]
        return None

    return until(f"{pattern!r} in the journal", found)


def set_control(name: str, value: int) -> None:
    """Set a control of the camera; vivid's inject faults."""
    device = os.open("/dev/video0", os.O_RDWR)
    try:
        asked = NEXT
        while True:
            query = bytearray(struct.pack("<II32s4iI2I", asked, 0, b"", 0, 0, 0, 0, 0, 0, 0))
            fcntl.ioctl(device, QUERYCTRL, query)
            found = struct.unpack("<II32s4iI2I", query)
            if found[2].rstrip(b"\0").decode() == name:
                fcntl.ioctl(device, S_CTRL, bytearray(struct.pack("<Ii", found[0], value)))
                return
            asked = found[0] | NEXT
    finally:
        os.close(device)


def frames() -> str:
    """The status, once it counts frames."""
    return until("frames", lambda: text if "frames/s" in (text := unit("StatusText")) else None)


def booted() -> str:
    """The service was started by the boot, and is ready."""
    until("READY", lambda: unit("ActiveState") == "active" or None, 900)
    since, began = int(unit("ActiveEnterTimestampMonotonic")), int(unit("ExecMainStartTimestampMonotonic"))
    assert unit("NRestarts") == "0", unit("NRestarts")
    time.sleep(60)
    seconds = f"READY {since / 1e6:.0f} s after the boot, {(since - began) / 1e6:.0f} s after its start"
    return f"{seconds} (emulated); {frames()}"


def closed() -> str:
    """It has the camera open; others are shut to its like by the control group, even for root."""
    opened = [str(entry.readlink()) for entry in Path(f"/proc/{unit('MainPID')}/fd").iterdir()]
    assert "/dev/video0" in opened, opened
    allowed = re.findall(
        r"^DeviceAllow=.*$", Path("/etc/systemd/system/digitlens.service").read_text(), re.MULTILINE
    )
    rules = [part for rule in ["DevicePolicy=closed", *allowed] for part in ("-p", rule)]
    script = (
        "import os\n"
        f"for path in {('/dev/video0', *SHUT)!r}:\n"
        "    try:\n        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))\n"
        "        print(path, 'open')\n"
        "    except OSError as error:\n        print(path, error.strerror)\n"
    )
    said = run(
        "systemd-run", "--quiet", "--pipe", "--wait", *rules, "/usr/bin/python3", "-c", script
    ).splitlines()
    assert said[0] == "/dev/video0 open", said
    others = [text for text in said[1:] if "No such file" not in text]
    assert len(others) >= 3, said
    assert all(text.endswith("Operation not permitted") for text in others), said
    return f"/dev/video0 opens; not permitted: {', '.join(text.split()[0] for text in others)}"


def limited() -> str:
    """The kernel enforces the limits of memory and tasks, and the service stays within them."""
    found = {
        name: (GROUP / name).read_text().strip()
        for name in ("memory.max", "memory.high", "memory.peak", "pids.max")
    }
    assert int(found["memory.max"]) == 240 << 20, found
    assert int(found["memory.high"]) == 160 << 20, found
    assert int(found["pids.max"]) == 64, found
    events = dict(text.split() for text in (GROUP / "memory.events").read_text().splitlines())
    assert events["oom_kill"] == events["max"] == "0", events
    peak = (
        int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{unit('MainPID')}/status").read_text())[0]) / 1024
    )
    assert peak <= MEMORY, peak
    group = int(found["memory.peak"]) / (1 << 20)
    at_most = f"the process at most {peak:.0f} MB, its group with the file cache {group:.0f} MB"
    return f"{at_most}; 160 (high) and 240 MB (max) in force"


def silent() -> str:
    """Frames stop coming, without an error: the camera is opened again, by the same process."""
    process, now = unit("MainPID"), time.monotonic()
    set_control("Percentage of Dropped Buffers", 100)
    why = line("opening it again", now)
    set_control("Percentage of Dropped Buffers", 0)
    line("open again", now)
    frames()
    assert unit("MainPID") == process
    return f"same process, opened again: {why}"


def pulled() -> str:
    """The camera is pulled out, and plugged in again."""
    process, now = unit("MainPID"), time.monotonic()
    set_control("Disconnect", 1)
    why = line("opening it again", now)
    until("vivid is released", lambda: run("modprobe", "-r", "vivid") == "" or None)
    time.sleep(5)
    run("modprobe", "vivid")
    line("open again", now)
    frames()
    assert unit("MainPID") == process
    return f"same process, opened again: {why}"


def stopped() -> str:
    """It stops cleanly and has counted its frames."""
    now = time.monotonic()
    run("systemctl", "stop", "digitlens")
    text = line("stopping after", now)
    match = re.search(r"after (\d+) frames", text)
    assert match, text
    assert int(match[1]) > 10, text
    assert unit("Result") == "success"
    return text


def main() -> int:
    """Run all steps; 1 if one failed."""
    print(
        f"machine check: Linux {os.uname().release}, {run('systemctl', '--version').splitlines()[0]}",
        flush=True,
    )
    bad = 0
    for step in (booted, closed, limited, silent, pulled, stopped):
        try:
            print(f"ok   {step.__name__:8} {step()}", flush=True)
        except (AssertionError, OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
            print(f"BAD  {step.__name__:8} {type(error).__name__}: {error}", flush=True)
            bad += 1
    print("machine check: passed" if not bad else f"machine check: {bad} failed", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
