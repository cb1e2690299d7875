"""digitlens serve in a process of its own: its notifications, its entries, and when it had no processor."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
LONG = 120.0
"""Wait for what takes a few seconds on a machine with nothing else to do, seconds."""
INTERVAL = 0.1
"""Time between two frames that are reported, at least, seconds: a quarter of the watchdog's."""


class Silent:
    """A server that takes connections and says nothing: a broker or receiver that hangs."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._server.getsockname()[1])

    def close(self) -> None:
        """End it."""
        self._server.close()


class Process:
    """A started service that has read a frame.

    `frames` has the time of each frame that was reported, and for how long the reading thread had waited for
    a processor by then, both in seconds.
    """

    def __init__(self, folder: Path, config: Path) -> None:
        self.entries: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.frames: list[tuple[float, float]] = []
        self.news = threading.Condition()
        self.log = folder / "service.log"
        address = folder / "notify"
        address.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        environment = os.environ | {
            "NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": str(int(4e6 * INTERVAL)), "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT / "edge"),
        }  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "digitlens", "serve", "--config", config, "--json"],
                env=environment, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._read)]
        for thread in self._threads:
            thread.start()
        self.until(lambda: any(state.startswith("READY=1") for state in self.states), "READY")

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until a notification or an entry makes it true."""
        with self.news:
            found = self.news.wait_for(lambda: true() or self.process.poll() is not None, LONG)
        if not (found and true()):
            raise SystemExit(f"service check: {what} did not come: {self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        return " / ".join(self.log.read_text(errors="replace").splitlines()[-3:])

    def end(self) -> tuple[int, float, float]:
        """SIGTERM: the exit status, the seconds until it ended, and those of them without a processor."""
        begin, before, queued = monotonic(), self._queued(), 0.0
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and monotonic() - begin < LONG:
            queued = max(queued, self._queued() - before)
            sleep(0.02)
        seconds = monotonic() - begin
        status = self.process.wait(1)
        self._threads[1].join(LONG)
        self._socket.close()
        return status, seconds, queued

    def _queued(self) -> float:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat")
        try:
            return int(path.read_text().split()[1]) / 1e9
        except OSError:  # it has ended
            return 0.0

    def _listen(self) -> None:
        while True:
            try:
                message = self._socket.recv(4096).decode()
            except OSError:
                return
            with self.news:
                if message == "WATCHDOG=1":
                    self.frames.append((monotonic(), self._queued()))
                elif message.startswith(("READY=", "RELOADING=", "STOPPING=")):
                    self.states.append(message)
                self.news.notify_all()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.news:
                self.entries.append(json.loads(line))
                self.news.notify_all()
        self.process.stdout.close()
