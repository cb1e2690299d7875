"""What the tests need besides Python: programs, and the Debian packages that bring them.

    python3 tests/needs.py    # the packages, in one line

A test names what it needs by a marker: `browser`, `broker`, `screen`, or else `program("openssl")`.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass

SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
"""Where programs are looked for: Debian keeps mosquitto in a folder that only root has in its PATH."""


@dataclass(frozen=True)
class Need:
    """Programs that are needed together, and the Debian packages that bring them."""

    programs: tuple[str, ...]
    packages: tuple[str, ...]

    def missing(self) -> list[str]:
        """Names of the programs that are not installed."""
        return [program for program in self.programs if find(program) is None]


MARKERS = {
    "browser": Need(("chromium", "chromedriver"), ("chromium", "chromium-driver")),
    "broker": Need(("mosquitto", "mosquitto_passwd"), ("mosquitto",)),
    "screen": Need(("Xvfb", "xdotool", "import"), ("xvfb", "xdotool", "imagemagick")),
}
"""What each of these markers stands for."""

PROGRAMS = {
    "openssl": Need(("openssl",), ("openssl",)),
    "setpriv": Need(("setpriv",), ("util-linux",)),
    "shellcheck": Need(("shellcheck",), ("shellcheck",)),
    "systemd-analyze": Need(("systemd-analyze",), ("systemd",)),
}
"""What `program(NAME)` may name."""

NEEDS = MARKERS | PROGRAMS


def find(program: str) -> str | None:
    """Path of a program, None if it is not installed."""
    return shutil.which(program, path=SYSTEM_PATH)


def path(program: str) -> str:
    """Path of a program that a test has named as needed."""
    found = find(program)
    assert found is not None, f"{program} is not installed: {apt_line(NEEDS)}"
    return found


def apt_line(names: Iterable[str]) -> str:
    """The command that installs what these names stand for."""
    packages = dict.fromkeys(package for name in names for package in NEEDS[name].packages)
    return f"apt install {' '.join(packages)}"


if __name__ == "__main__":
    print(apt_line(NEEDS).removeprefix("apt install "))  # noqa: T201
