"""Upgrades to good and bad versions, a rollback, and the uninstallation."""

import shutil
from pathlib import Path

from service import CURRENT, GOOD, SETTINGS, STATE, cursor, install, line, pid, run, up, version

NEWER = "99.1"
"""Version of the bundle `newer`; see run."""


def upgrade() -> tuple[str, str]:
    """A newer version replaces the running one."""
    old, since = CURRENT.readlink(), cursor()
    said = install("newer")
    assert version().endswith(NEWER), version()
    assert (CURRENT.parent / "previous").readlink() == old
    line(since, "ready: ")
    assert SETTINGS.read_text() == GOOD
    return f"{NEWER} is up, the previous version is kept", said.splitlines()[-1]


def unimportable() -> tuple[str, str]:
    """A version that cannot be imported is refused before anything changes."""
    before = pid()
    said = install("unimportable", status=1)
    assert pid() == before
    assert version().endswith(NEWER)
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def unready() -> tuple[str, str]:
    """A version that starts and never becomes ready is rolled back."""
    said = install("unready", status=1)
    assert version().endswith(NEWER)
    up()
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return f"rolled back, {NEWER} is up", said.splitlines()[-1]


def damaged() -> tuple[str, str]:
    """A folder with a damaged file is refused."""
    before = pid()
    said = install("damaged", status=1)
    assert pid() == before
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def wrong_for_new() -> tuple[str, str]:
    """Settings that the new version rejects: refused before anything changes."""
    before = pid()
    SETTINGS.write_text(GOOD + "colour = 1\n")
    said = install("first", status=1)
    SETTINGS.write_text(GOOD)
    assert pid() == before
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def back() -> tuple[str, str]:
    """The previous version, installed again, runs again."""
    said = install("first")
    assert not version().endswith(NEWER), version()
    return f"{version()} is up again", said.splitlines()[-1]


def uninstall() -> tuple[str, str]:
    """Uninstalls twice, and then with --purge."""
    (STATE / "kept").write_text("")
    script = shutil.copy("/opt/digitlens/uninstall.sh", "/tmp/uninstall.sh")  # noqa: S108  # it removes itself
    run(script)
    assert not Path("/opt/digitlens").exists()
    assert not Path("/usr/local/bin/digitlens").is_symlink()
    assert run("systemctl", "is-active", "digitlens", status=None) == "inactive"
    assert SETTINGS.read_text() == GOOD
    assert (STATE / "kept").exists()
    run(script)
    said = run(script, "--purge")
    assert not SETTINGS.parent.exists()
    assert not STATE.exists()
    run("id", "digitlens", status=1)
    return "removed, settings kept; again: ok; --purge: nothing left", said.splitlines()[-1]
