"""digitlens read, as a user starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

Run = subprocess.CompletedProcess[str]


def read(*arguments: str | Path, **environment: str) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "digitlens", "read", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def texts(run: Run) -> list[list[str]]:
    return [[number["text"] for number in json.loads(line)["numbers"]] for line in run.stdout.splitlines()]
