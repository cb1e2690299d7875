"""A run over an archive, killed: the short form of deploy/checks/batch/kills.py."""

import subprocess
import sys
from pathlib import Path


def test_a_killed_run_loses_no_page_and_reads_none_twice(root: Path) -> None:
    check = root / "deploy" / "checks" / "batch" / "kills.py"
    found = subprocess.run(
        [sys.executable, check, "--times", "2", "--pages", "16", "--seed", "2", "--format", "jsonl"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 kills" in found.stdout
    assert "0 rows wrong" in found.stdout
