"""What starts and ends `digitlens serve`: a real notification socket, and the settings of a process."""

import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

LONG = 120.0
"""Seconds that no test reaches unless it fails; a start alone takes 15 on a machine that does much else."""
Serve = Callable[..., subprocess.Popen[str]]


class Systemd:
    """The socket's other end, and the messages that arrived; like systemd it always listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._address = self._socket.getsockname()
        self._messages: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}
        self.received: list[str] = []
        self.patience = LONG

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            self._messages.put(message.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self._address)
        self._thread.join()
        self._socket.close()

    def until(self, true: Callable[[str], bool]) -> str:
        """The next message for which `true` holds; earlier ones are kept in `received`, too."""
        begin = monotonic()
        while monotonic() - begin < LONG:
            self.received.append(self._messages.get(timeout=self.patience))
            if true(self.received[-1]):
                return self.received[-1]
        raise AssertionError(self.received)

    def expect(self, begin: str) -> str:
        return self.until(lambda message: message.startswith(begin))


def config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def ended(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[str, list[str]]:
    """End it; its stdout, and its stderr by line."""
    process.send_signal(number)
    output, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, errors
    return output, errors.splitlines()
