"""The machine as it is now: its memory, its heat, its clock, its users, its service."""

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
NEEDED = 120
"""MiB of memory that must be available: as much as the service takes, and some."""
HOT = 80.0
"""Degrees Celsius from which a Pi slows itself down."""
BUILT = 2025
"""No clock that is right shows a year before."""
ASKED = 5.0
"""Seconds that another program has for its answer."""
THROTTLED = {
    0: "the voltage is too low now: take another power supply or cable",
    1: "the processor is slowed down now: take another power supply, or cool it",
    2: "the processor is throttled now: take another power supply, or cool it",
    3: "the processor is slowed down by heat now: cool it",
    16: "the voltage has been too low since the start: take another power supply or cable",
    18: "the processor has been throttled since the start: take another power supply, or cool it",
}
"""vcgencmd's bits that need a person; the others follow from these."""


class Finding(msgspec.Struct, frozen=True):
    """What one check found; `state` mend has the mend in `said`."""

    name: str
    state: Literal["well", "mend", "unknown"]
    said: str


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
        return Finding("groups", "well", "root may do everything")
    if user not in users:
        return Finding("groups", "mend" if installed else "unknown", f"no user {user}: run install.sh again")
    own = "\n".join(_lines(root / "etc/systemd/system" / UNIT))
    given = set(" ".join(re.findall(r"^SupplementaryGroups=(.*)$", own, re.MULTILINE)).split())
    lacking = [
        name
        for name in ("video", "render")
        if name in numbers and user not in members[name] and users[user][3] != numbers[name]
        and not (installed and name in given)
    ]  # fmt: skip
    if lacking:
        return Finding(
            "groups",
            "mend",
            f"{user} is not in {', '.join(lacking)}: sudo usermod -aG {','.join(lacking)} {user}",
        )
    there = [name for name in ("video", "render") if name in numbers]
    return Finding("groups", "well", f"{user} is in {' and '.join(there) or 'all there are'}")


def screen(root: Path, environment: Mapping[str, str]) -> Finding:
    """What pictures can be shown on; the service itself needs none."""
    cards_ = (
        sorted(path.name for path in (root / "dev/dri").glob("card*")) if (root / "dev/dri").is_dir() else []
    )
    desktop = [name for name in ("WAYLAND_DISPLAY", "DISPLAY") if environment.get(name)]
    if desktop:
        return Finding("screen", "well", f"a desktop ({desktop[0]}={environment[desktop[0]]})")
    if cards_:
        return Finding("screen", "well", f"{', '.join(cards_)}, no desktop: --display drm")
    return Finding("screen", "well", "none; the service needs none, and --web shows the picture elsewhere")


def memory(root: Path) -> Finding:
    """Memory that is free, or could be."""
    told = dict(line.split(":", 1) for line in _lines(root / "proc/meminfo") if ":" in line)
    if "MemAvailable" not in told:
        return Finding("memory", "unknown", "no /proc/meminfo")
    free, total = (int(told[name].split()[0]) // 1024 for name in ("MemAvailable", "MemTotal"))
    if free < NEEDED:
        mend = f"end other programs, or the desktop: {NEEDED} MiB are needed"
        return Finding("memory", "mend", f"{free} of {total} MiB are free: {mend}")
    return Finding("memory", "well", f"{free} of {total} MiB are free")


def disk(settings: Settings, root: Path) -> Finding:
    """Room for the journal, or at all."""
    file = settings.journal.file
    place = Path(file).parent if file else root
    if not place.is_dir():
        return Finding("disk", "mend", f"{place} is missing: make it, or name another [journal] file")
    free = shutil.disk_usage(place).free >> 20
    needed = 2 * settings.journal.megabytes if file else 32
    if free < needed:
        return Finding("disk", "mend", f"{free} MiB are free at {place}: make room, {needed} MiB are needed")
    return Finding("disk", "well", f"{free} MiB are free at {place}")


def temperature(root: Path) -> Finding:
    """The processor's."""
    degrees: list[float] = []
    zones = root / "sys/class/thermal"
    for zone in sorted(zones.glob("thermal_zone*/temp")) if zones.is_dir() else []:
        degrees += [int(line) / 1000 for line in _lines(zone) if line.strip().lstrip("-").isdecimal()]
    if not degrees:
        return Finding("temperature", "unknown", "no sensor")
    if max(degrees) >= HOT:
        return Finding(
            "temperature", "mend", f"{max(degrees):.0f} °C: cool it; from {HOT:.0f} °C on it is slowed down"
        )
    return Finding("temperature", "well", f"{max(degrees):.0f} °C")


def throttling() -> Finding:
    """What a Pi's firmware says of power and heat."""
    told = asked(["vcgencmd", "get_throttled"])
    found = re.search(r"throttled=0x([0-9a-fA-F]+)", told or "")
    if not found:
        return Finding("throttling", "unknown", "no vcgencmd: not a Raspberry Pi" if told is None else told)
    bits = int(found.group(1), 16)
    said = [text for bit, text in THROTTLED.items() if bits >> bit & 1]
    if said:
        return Finding("throttling", "mend", "; ".join(said))
    return Finding("throttling", "well", "none")


def clock(root: Path, year: int) -> Finding:
    """Whether readings get the right time."""
    mend = "connect the network, or sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS'"
    if year < BUILT:
        return Finding("clock", "mend", f"it shows the year {year}: {mend}")
    if (root / "run/systemd/timesync/synchronized").exists():
        return Finding("clock", "well", "synchronized")
    told = asked(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if told is None or told not in ("yes", "no"):
        return Finding("clock", "unknown", "plausible; nothing here says whether it is synchronized")
    if told == "no":
        return Finding("clock", "mend", f"not synchronized: {mend}")
    return Finding("clock", "well", "synchronized")


def unit() -> Finding:
    """The service, as systemd sees it."""
    told = asked(
        ["systemctl", "show", UNIT, "--property=LoadState,ActiveState,SubState,StatusText,NRestarts,Result"]
    )
    state = dict(line.split("=", 1) for line in (told or "").splitlines() if "=" in line)
    if not state:
        return Finding("unit", "unknown", "no systemd")
    if state.get("LoadState") != "loaded":
        return Finding("unit", "unknown", f"{UNIT} is not installed")
    active = f"{state.get('ActiveState')} ({state.get('SubState')})"
    text = f", {state['StatusText']}" if state.get("StatusText") else ""
    if state.get("ActiveState") == "active":
        again = state.get("NRestarts", "0")
        return Finding(
            "unit", "well", f"{active}{text}" + (f", restarted {again} times" if again != "0" else "")
        )
    if state.get("ActiveState") == "inactive":
        return Finding("unit", "mend", f"{active}: sudo systemctl enable --now {UNIT}")
    why = f"{active}, {state.get('Result')}{text}"
    return Finding("unit", "mend", f"{why}: journalctl -u {UNIT} -n 20 says why")


def asked(command: list[str]) -> str | None:
    """What a program says on stdout; None where there is none, or it does not answer."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASKED, check=False)  # noqa: S603  # ours
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _lines(path: Path) -> Iterable[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
