"""Other versions in the place of the one that runs, good and bad ones, and the end of it all."""

import shutil
from pathlib import Path

from service import CURRENT, SETTINGS, STATE, WELL, cursor, install, line, pid, run, up, version


def upgrade() -> tuple[str, str]:
    """A newer version takes the place of the one that runs."""
    old, since = CURRENT.readlink(), cursor()
    said = install("newer")
    assert version().endswith("0.2.1"), version()
    assert (CURRENT.parent / "previous").readlink() == old
    line(since, "ready: ")
    assert SETTINGS.read_text() == WELL
    return "0.2.1 is up, the version before is kept", said.splitlines()[-1]


def unimportable() -> tuple[str, str]:
    """A version that does not even start: refused before anything is changed."""
    before = pid()
    said = install("unimportable", status=1)
    assert pid() == before
    assert version().endswith("0.2.1")
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return "refused, the process goes on undisturbed", said.splitlines()[-1]


def unready() -> tuple[str, str]:
    """A version that starts, and never becomes ready: rolled back."""
    said = install("unready", status=1)
    assert version().endswith("0.2.1")
    up()
    assert len(list(CURRENT.parent.glob("*-py*"))) == 2
    return "rolled back, 0.2.1 is up", said.splitlines()[-1]


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
    assert version().endswith("0.2.0"), version()
    return "0.2.0 is up again", said.splitlines()[-1]


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
