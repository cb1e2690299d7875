"""Killed in the middle: the short form of deploy/checks/outlets/kills.py."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")


@pytest.mark.broker
def test_what_is_announced_is_kept_and_what_is_kept_arrives(root: Path) -> None:
    check = root / "deploy" / "checks" / "outlets" / "kills.py"
    found = subprocess.run(
        [sys.executable, check, "--kills", "2", "--seed", "7"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 kills" in found.stdout
