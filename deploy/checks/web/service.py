"""digitlens serve in a process of its own, over a film in which every frame has to be read."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from digitlens.core.readings import Reading
from digitlens.live.recording import Recorder

TOKEN = "for-this-check-alone"  # noqa: S105
FRAMES = 48


def film(path: Path, sheet: Path) -> None:
    """Record the sheet as seen by a shaking hand."""
    paper = cv2.imread(str(sheet))
    recorder = Recorder(path)
    for count in range(FRAMES):
        turn = 2 * np.pi * count / FRAMES
        shift = np.array([[1, 0, 9 * np.sin(turn)], [0, 1, 6 * np.sin(2 * turn)]])
        frame = cv2.warpAffine(
            paper, shift, (paper.shape[1], paper.shape[0]), borderMode=cv2.BORDER_REPLICATE
        )
        recorder.add(frame.astype(np.uint8, copy=False), Reading("", count / 30, (1, 1), (), {}))
    recorder.close()


def elsewhere() -> str:
    """An address of this machine that is not the loopback's; the loopback's where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(one.getsockname()[0])


class Service:
    """A started service that has read its first frame.

    Args:
        folder: gets the film, the token, the settings and the log.
        rate: frames a second; 0 is all it can.
        page: `guarded` is open to others, behind a token; `open` to this machine, without; empty is none.
    """

    def __init__(self, folder: Path, sheet: Path, rate: float, page: str = "guarded") -> None:
        self.host = elsewhere() if page == "guarded" else "127.0.0.1"
        with socket.create_server(("", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.log = folder / "service.log"
        if not (folder / "film.avi").exists():
            film(folder / "film.avi", sheet)
        self.token = token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        pages = {
            "guarded": f'[web]\nlisten = "0.0.0.0:{self.port}"\ntoken_file = "{token}"\n',
            "open": f'[web]\nlisten = "127.0.0.1:{self.port}"\n',
            "": "",
        }
        (folder / "config.toml").write_text(
            f'[camera]\nsource = "{folder / "film.avi"}"\nrate = {float(rate)}\n'
            f'[journal]\nfile = "{folder / "journal.db"}"\n{pages[page]}'
        )
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "digitlens", "serve", "--config", folder / "config.toml"]
            self.process = subprocess.Popen(command, stderr=log)
        self._wait("ready: ")

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        """A request's status and body; sent with the token."""
        headers.setdefault("Authorization", f"Bearer {TOKEN}")
        line = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            line.request(method, path, headers=headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def sign_in(self) -> str:
        """The session's cookie."""
        line = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            line.request("POST", "/sign-in", f"token={self.token.read_text()}", form)
            answer = line.getresponse()
            assert answer.status == 303, answer.status
            return str(answer.headers["Set-Cookie"]).partition(";")[0]
        finally:
            line.close()

    def metric(self, name: str) -> float:
        """A metric's value."""
        _, text = self.ask("/metrics")
        found = re.search(rf"^digitlens_{name} (\S+)$", text.decode(), re.MULTILINE)
        assert found, name
        return float(found.group(1))

    def reader_cpu(self) -> float:
        """Seconds of CPU time of the reading thread."""
        fields = (
            Path(f"/proc/{self.process.pid}/task/{self.process.pid}/stat")
            .read_text()
            .rpartition(")")[2]
            .split()
        )
        return (int(fields[11]) + int(fields[12])) / 100

    def reader_queued(self) -> float:
        """Seconds for which the reading thread was ready to run and had no processor."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat")
        return int(path.read_text().split()[1]) / 1e9

    def cpu(self) -> float:
        """Seconds of CPU time of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory(self, name: str = "VmRSS") -> float:
        """MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    def complaints(self) -> list[str]:
        """Lines of the log about the service's own errors."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "error" in line or "critical" in line or "web page: /" in line]

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(120) == 0, self.log.read_text()

    def _wait(self, text: str) -> None:
        begin = time.monotonic()
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - begin < 60, self.log.read_text()
            time.sleep(0.1)

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        if error is None:
            self.close()
        else:
            self.process.kill()
            self.process.wait()
