"""A test that lacks a program: skipped and named at the end, or failed where everything is required."""

import os
import subprocess
import sys
from pathlib import Path

from tests import needs

LACKING = """
import pytest

@pytest.mark.screen
@pytest.mark.program("openssl")
def test_that_lacks_programs(): ...

def test_that_lacks_none(): ...
"""


def lacking(root: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests above where no program is installed."""
    (folder / "test_lacking.py").write_text(LACKING)
    program = (
        "import sys, pytest; from tests import needs\n"
        "needs.SYSTEM_PATH = ''\n"
        "sys.exit(pytest.main(sys.argv[1:]))"
    )
    plugins = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(root / "pyproject.toml")]
    command = [sys.executable, "-c", program, *plugins, str(folder)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("DIGITLENS_", "PYTEST_"))}
    clean["PYTHONPATH"] = os.pathsep.join(path for path in [str(root), clean.get("PYTHONPATH")] if path)
    return subprocess.run(command, capture_output=True, text=True, cwd=root, env=clean | environment)


def test_skipped_tests_are_counted_with_the_command_that_installs_what_they_need(
    root: Path, tmp_path: Path
) -> None:
    done = lacking(root, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, count, command, last = done.stdout.splitlines()
    assert count == "1 tests did not run (screen 1, openssl 1); to run them:"
    assert command == "apt install xvfb xdotool imagemagick openssl"
    assert "1 passed, 1 skipped" in last


def test_where_everything_is_required_they_fail(root: Path, tmp_path: Path) -> None:
    done = lacking(root, tmp_path, DIGITLENS_REQUIRE="1")
    assert done.returncode == 1
    assert "Xvfb, xdotool, import, openssl not installed: apt install xvfb xdotool" in done.stdout
    assert "1 passed, 1 error" in done.stdout.splitlines()[-1]


def test_every_marker_is_registered(root: Path) -> None:
    settings = (root / "pyproject.toml").read_text()
    assert all(f'"{name}: ' in settings for name in needs.MARKERS)
