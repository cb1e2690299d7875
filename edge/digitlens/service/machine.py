"""Checks of the machine: users, screen, memory, disk, temperature, power, clock, the systemd unit."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from digitlens.config.settings import Settings

UNIT = "digitlens.service"
NEEDED_MEMORY = 120
"""Memory that must be available, MiB: what the service takes, and some."""
HOT = 80.0
"""Temperature from which a Pi throttles itself, degrees Celsius."""
EARLIEST_YEAR = 2025
"""Year of this program: a clock that shows an earlier one is wrong."""
COMMAND_TIMEOUT = 5.0
"""Time that another program has to answer, seconds."""
THROTTLED = {
    0: "the voltage is too low now: take another power supply or cable",
    1: "the processor is slowed down now: take another power supply, or cool it",
    2: "the processor is throttled now: take another power supply, or cool it",
    3: "the processor is slowed down by heat now: cool it",
    16: "the voltage has been too low since the start: take another power supply or cable",
    18: "the processor has been throttled since the start: take another power supply, or cool it",
}
"""vcgencmd's bits that need a person -> what to do; the other bits follow from these."""


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check; where `state` is fix, `message` says how."""

    name: str
    state: Literal["ok", "fix", "unknown"]
    message: str


def groups(root: Path) -> Finding:
    """Whether the service's user, or this one, may use the camera and the screen."""
    members, numbers = {}, {}
    for line in _lines(root / "etc/group"):
        name, _, number, names = [*line.split(":"), "", "", ""][:4]
        members[name], numbers[name] = set(filter(None, names.split(","))), number
    users = {line.split(":")[0]: line.split(":") for line in _lines(root / "etc/passwd")}
    installed = (root / "etc/systemd/system" / UNIT).exists()
    by_number = {fields[2]: name for name, fields in users.items() if len(fields) > 3}
    user = "digitlens" if installed else by_number.get(str(os.getuid()), str(os.getuid()))
    if user == "root":
        return Finding("groups", "ok", "root may do everything")
    if user not in users:
        return Finding("groups", "fix" if installed else "unknown", f"no user {user}: run install.sh again")
    own = "\n".join(_lines(root / "etc/systemd/system" / UNIT))
    given = set(" ".join(re.findall(r"^SupplementaryGroups=(.*)$", own, re.MULTILINE)).split())
    missing = [
        name
        for name in ("video", "render")
        if name in numbers and user not in members[name] and users[user][3] != numbers[name]
        and not (installed and name in given)
    ]  # fmt: skip
    if missing:
        return Finding(
            "groups",
            "fix",
            f"{user} is not in {', '.join(missing)}: sudo usermod -aG {','.join(missing)} {user}",
        )
    there = [name for name in ("video", "render") if name in numbers]
    return Finding("groups", "ok", f"{user} is in {' and '.join(there) or 'all there are'}")


def screen(root: Path, environment: Mapping[str, str]) -> Finding:
    """The screen that pictures can be shown on; the service itself needs none."""
    cards_ = (
        sorted(path.name for path in (root / "dev/dri").glob("card*")) if (root / "dev/dri").is_dir() else []
    )
    desktop = [name for name in ("WAYLAND_DISPLAY", "DISPLAY") if environment.get(name)]
    if desktop:
        return Finding("screen", "ok", f"a desktop ({desktop[0]}={environment[desktop[0]]})")
    if cards_:
        return Finding("screen", "ok", f"{', '.join(cards_)}, no desktop: --display drm")
    return Finding("screen", "ok", "none; the service needs none, and --web shows the picture elsewhere")


def memory(root: Path) -> Finding:
    """Available memory."""
    meminfo = dict(line.split(":", 1) for line in _lines(root / "proc/meminfo") if ":" in line)
    if "MemAvailable" not in meminfo:
        return Finding("memory", "unknown", "no /proc/meminfo")
    free, total = (int(meminfo[name].split()[0]) // 1024 for name in ("MemAvailable", "MemTotal"))
    if free < NEEDED_MEMORY:
        fix = f"end other programs, or the desktop: {NEEDED_MEMORY} MiB are needed"
        return Finding("memory", "fix", f"{free} of {total} MiB are free: {fix}")
    return Finding("memory", "ok", f"{free} of {total} MiB are free")


def disk(settings: Settings, root: Path) -> Finding:
    """Free space for the journal, or at all."""
    file = settings.journal.file
    place = Path(file).parent if file else root
    if not place.is_dir():
        return Finding("disk", "fix", f"{place} is missing: make it, or name another [journal] file")
    free = shutil.disk_usage(place).free >> 20
    needed = 2 * settings.journal.megabytes if file else 32
    if free < needed:
        return Finding("disk", "fix", f"{free} MiB are free at {place}: make room, {needed} MiB are needed")
    return Finding("disk", "ok", f"{free} MiB are free at {place}")


def temperature(root: Path) -> Finding:
    """The processor's temperature."""
    degrees: list[float] = []
    zones = root / "sys/class/thermal"
    for zone in sorted(zones.glob("thermal_zone*/temp")) if zones.is_dir() else []:
        degrees += [int(line) / 1000 for line in _lines(zone) if line.strip().lstrip("-").isdecimal()]
    if not degrees:
        return Finding("temperature", "unknown", "no sensor")
    if max(degrees) >= HOT:
        return Finding(
            "temperature", "fix", f"{max(degrees):.0f} °C: cool it; from {HOT:.0f} °C on it is slowed down"
        )
    return Finding("temperature", "ok", f"{max(degrees):.0f} °C")


def throttling() -> Finding:
    """Undervoltage and throttling, as a Pi's firmware reports them."""
    reply = output(["vcgencmd", "get_throttled"])
    found = re.search(r"throttled=0x([0-9a-fA-F]+)", reply or "")
    if not found:
        return Finding("throttling", "unknown", "no vcgencmd: not a Raspberry Pi" if reply is None else reply)
    bits = int(found.group(1), 16)
    problems = [text for bit, text in THROTTLED.items() if bits >> bit & 1]
    if problems:
        return Finding("throttling", "fix", "; ".join(problems))
    return Finding("throttling", "ok", "none")


def clock(root: Path, year: int) -> Finding:
    """Whether the clock is right: entries carry its time."""
    fix = "connect the network, or sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS'"
    if year < EARLIEST_YEAR:
        return Finding("clock", "fix", f"it shows the year {year}: {fix}")
    if (root / "run/systemd/timesync/synchronized").exists():
        return Finding("clock", "ok", "synchronized")
    reply = output(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if reply is None or reply not in ("yes", "no"):
        return Finding("clock", "unknown", "plausible; nothing here says whether it is synchronized")
    if reply == "no":
        return Finding("clock", "fix", f"not synchronized: {fix}")
    return Finding("clock", "ok", "synchronized")


def unit() -> Finding:
    """The service's unit, as systemd reports it."""
    reply = output(
        ["systemctl", "show", UNIT, "--property=LoadState,ActiveState,SubState,StatusText,NRestarts,Result"]
    )
    properties = dict(line.split("=", 1) for line in (reply or "").splitlines() if "=" in line)
    if not properties:
        return Finding("unit", "unknown", "no systemd")
    if properties.get("LoadState") != "loaded":
        return Finding("unit", "unknown", f"{UNIT} is not installed")
    active = f"{properties.get('ActiveState')} ({properties.get('SubState')})"
    text = f", {properties['StatusText']}" if properties.get("StatusText") else ""
    if properties.get("ActiveState") == "active":
        restarts = properties.get("NRestarts", "0")
        return Finding(
            "unit", "ok", f"{active}{text}" + (f", restarted {restarts} times" if restarts != "0" else "")
        )
    if properties.get("ActiveState") == "inactive":
        return Finding("unit", "fix", f"{active}: sudo systemctl enable --now {UNIT}")
    why = f"{active}, {properties.get('Result')}{text}"
    return Finding("unit", "fix", f"{why}: journalctl -u {UNIT} -n 20 says why")


def output(command: list[str]) -> str | None:
    """A program's stdout; None where it is not installed, or does not answer in COMMAND_TIMEOUT."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)  # noqa: S603  # ours
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _lines(path: Path) -> Iterable[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
