"""The service under test: the real command, and its notifications and entries."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

INTERVAL = 0.25
"""Time between two looks at the memory, seconds."""
WATCHDOG = 30.0
"""Watchdog interval, as in the unit, seconds."""


UNIT = Path(__file__).parents[2] / "digitlens.service"


def unit() -> dict[str, str]:
    """The environment that the unit gives the service."""
    pairs = re.findall(r"^Environment=(.*)$", UNIT.read_text(), re.MULTILINE)
    return dict(pair.split("=", 1) for pair in " ".join(pairs).split())


class Sample(NamedTuple):
    """The process at a moment: MiB resident, and without pages of files; open files, threads."""

    time: float
    memory: float
    own: float
    files: int
    threads: int


class Service:
    """`digitlens serve` with a settings file; an end by itself is counted, and it is started again."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.entries: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.fed = monotonic()
        self.longest = 0.0
        self.ends: list[str] = []
        self.log = folder / "serve.log"
        self._config = config
        self._address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self._news = threading.Condition()
        self._ending = False
        threading.Thread(target=self._listen, daemon=True).start()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.states.append("STARTED=1")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "digitlens", "serve", "--config", str(self._config), "--json"],
                env=os.environ
                | unit()
                | {
                    "NOTIFY_SOCKET": self._address,
                    "WATCHDOG_USEC": str(int(WATCHDOG * 1e6)),
                    "OMP_NUM_THREADS": "1",
                },
                stdout=subprocess.PIPE,
                stderr=log,
            )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        if not self.until(lambda: self.states[-1].startswith("READY=1"), 60):
            raise SystemExit(f"soak: the service did not come up: {self.tail()}")

    def until(self, true: Any, seconds: float) -> bool:
        """Wait until a notification or an entry makes it true."""
        with self._news:
            return bool(self._news.wait_for(true, seconds))

    def has(self, text: str, since: int) -> bool:
        """Whether an entry after the first `since` has this text."""
        return any(entry["text"] == text and entry["kind"] != "gone" for entry in self.entries[since:])

    def sample(self) -> Sample:
        """The process now."""
        folder = Path(f"/proc/{self.process.pid}")
        status = (folder / "status").read_text()

        def said(name: str) -> int:
            return int(re.search(rf"{name}:\s+(\d+)", status).group(1))  # type: ignore[union-attr]

        files = len(list((folder / "fd").iterdir()))
        return Sample(monotonic(), said("VmRSS") / 1024, said("RssAnon") / 1024, files, said("Threads"))

    def least(self, seconds: float) -> Sample:
        """Of so many seconds the sample with the least memory."""
        found, end = self.sample(), monotonic() + seconds
        while monotonic() < end:
            sleep(INTERVAL)
            found = min(found, self.sample(), key=lambda sample: sample.own)
        return found

    def peak(self) -> float:
        """Peak of the resident memory since the start, MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def reload(self) -> str:
        """Send SIGHUP; the status with which it is ready again, empty if it never is."""
        self.states.append("RELOAD=1")
        self.signal(signal.SIGHUP)
        ready = self.until(lambda: self.states[-1].startswith("READY=1"), 60)
        return self.states[-1].partition("STATUS=")[2] if ready else ""

    def tend(self) -> bool:
        """Start it again if it has ended, as systemd would; whether it had."""
        if self.process.poll() is None:
            return False
        self.ends.append(f"exit status {self.process.returncode}: {self.tail()}")
        self.start()
        return True

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self._ending = True
        self.process.terminate()
        return self.process.wait(30)

    def tail(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else ""

    def _listen(self) -> None:
        while True:
            message = self._socket.recv(4096).decode()
            with self._news:
                if message == "WATCHDOG=1":
                    now = monotonic()
                    self.longest, self.fed = max(self.longest, now - self.fed), now
                elif message.startswith(("READY=", "RELOADING=", "STOPPING=", "WATCHDOG_USEC=")):
                    self.states.append(message)
                self._news.notify_all()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._news:
                self.entries.append(json.loads(line))
                self._news.notify_all()
