"""The service as a keeper has it in hand: its settings, its unit, its journal, the bundles to install."""

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
