"""digitlens read, as a user starts it: a process a command, and its exit status, stdout and stderr."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

Run = subprocess.CompletedProcess[str]

# The import of OpenCV and LiteRT costs five times what reading a small page does.
SERVER = """
import json, os, runpy, sys
import digitlens.commands.read
from digitlens.models.interpreter import RUNTIMES, imported
imported(next(iter(RUNTIMES)))
for line in sys.stdin:
    arguments, environment, streams = json.loads(line)
    if not (child := os.fork()):
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for number, stream in enumerate([os.devnull, *streams]):
    os.dup2(os.open(stream, os.O_WRONLY if number else os.O_RDONLY), number)
os.environ.clear()
os.environ.update(environment)
sys.argv[1:] = arguments
runpy.run_module("digitlens", run_name="__main__", alter_sys=True)
"""
"""Forks a process for each line, a JSON list: arguments, environment, files for stdout and stderr.

It has imported what digitlens read imports, and done nothing else.
"""


@cache
def _server() -> subprocess.Popen[str]:
    """It ends when this process does, and with it the pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def read(*arguments: str | Path, **environment: str) -> Run:
    """The command in a process that is forked after its imports; `started` is a start from nothing."""
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    command = ["read", *map(str, arguments)]
    with TemporaryDirectory() as folder:
        streams = [Path(folder) / "stdout", Path(folder) / "stderr"]
        for stream in streams:
            stream.touch()
        print(
            json.dumps([command, os.environ | environment, list(map(str, streams))]),
            file=server.stdin,
            flush=True,
        )
        status = int(server.stdout.readline())
        return Run(command, status, *(stream.read_text() for stream in streams))


def started(*arguments: str | Path) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "digitlens", "read", *map(str, arguments)], capture_output=True, text=True
    )


def texts(run: Run) -> list[list[str]]:
    return [[number["text"] for number in json.loads(line)["numbers"]] for line in run.stdout.splitlines()]
