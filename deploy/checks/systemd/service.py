"""Handles on the installed service: its settings, unit, journal and the bundles to install."""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

BUNDLES = Path("/check/bundles")
SETTINGS = Path("/etc/digitlens/config.toml")
UNIT = Path("/etc/systemd/system/digitlens.service")
STATE = Path("/var/lib/digitlens")
PICTURES = Path("/srv/pictures")
CURRENT = Path("/opt/digitlens/current")
GOOD = """\
log = "debug"
[camera]
source = "/srv/pictures"
rate = 5
hold = 5
patience = 2
"""
T = TypeVar("T")
SLOW = GOOD.replace("rate = 5", "rate = 1").replace("hold = 5", "hold = 1")
"""Settings that leave enough time for each frame on a busy machine."""


class FailedError(Exception):
    """An expectation that was not met."""


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
    """The journal's current end."""
    return run("journalctl", "-n", "0", "--show-cursor").rpartition("cursor: ")[2]


def journal(since: str) -> list[tuple[int, str]]:
    """Priority and text of the unit's lines in the journal, with systemd's own."""
    text = run("journalctl", "-u", "digitlens", "-o", "json", "--after-cursor", since)
    entries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(int(entry.get("PRIORITY", 6)), str(entry["MESSAGE"])) for entry in entries]


def until(what: str, found: Callable[[], T | None], limit: float = 180) -> T:
    """Wait until `found` returns something true."""
    end = time.monotonic() + limit
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > end:
            raise FailedError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.1)


def line(since: str, pattern: str, limit: float = 180) -> str:
    """Wait for a line in the journal that matches; return the first."""
    return until(
        f"a line in the journal with {pattern!r}",
        lambda: next((text for _, text in journal(since) if re.search(pattern, text)), None),
        limit,
    )


def up(limit: float = 180) -> None:
    """Wait until the service is active, that is, READY."""
    until("the service is up", lambda: unit("ActiveState") == "active" or None, limit)


def settle(text: str) -> None:
    """Write these settings and restart the service."""
    SETTINGS.write_text(text)
    run("systemctl", "reset-failed", "digitlens", status=None)
    run("systemctl", "restart", "digitlens")
    up()


def install(name: str, *options: str, status: int = 0) -> str:
    """Run a bundle's install.sh; its output."""
    return run(str(BUNDLES / name / "install.sh"), *options, status=status)


def version() -> str:
    """The installed version."""
    return run("/usr/local/bin/digitlens", "--version")
