"""Network cameras against a real RTSP server (GStreamer): read, cut off, back again, logins, flat memory.

    python deploy/checks/network/run.py --seconds 30

Needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base and -good.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.network import NetworkDriver
from digitlens.core.errors import CameraError
from digitlens.live.benchmark import memory

SERVER = Path(__file__).with_name("server.py")
GROWTH = 8.0
"""Largest growth of the memory while a stream is read, in MiB."""


def main() -> int:
    """Run all checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30, help="to read for the memory's sake")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/stream"
    driver = NetworkDriver(timeout=20.0)
    failed = []

    def check(what: str, good: bool, found: object = "") -> None:
        print(f"{'ok  ' if good else 'FAIL'} {what}  {found}", flush=True)
        if not good:
            failed.append(what)

    message = refused(driver, url)
    check("no server", "nothing listens" in message, message)
    server = started(port)
    camera = driver.open(url, CameraOptions())
    frames = [camera.newest(30) for _ in range(20)]
    check("frames", {frame.image.shape for frame in frames} == {(480, 640, 3)}, len(frames))
    before, until, count = memory("VmRSS"), monotonic() + options.seconds, 0
    while monotonic() < until:
        camera.newest(30)
        count += 1
    grown = memory("VmRSS") - before
    check("memory", grown < GROWTH, f"{grown:+.1f} MiB over {count} frames")
    message = refused(driver, f"{url}s")
    check("a wrong path", "no such stream" in message, message)
    server.kill()
    server.wait()
    began = monotonic()
    message = lost(camera)
    check("cut off", "gives no more frames" in message, f"{message} after {monotonic() - began:.1f} s")
    camera.close()
    server = started(port)
    again = driver.open(url, CameraOptions())
    check("back again", again.newest(30).gray.shape == (480, 640))
    again.close()
    server.kill()
    server.wait()
    with tempfile.TemporaryDirectory() as folder:
        good, bad = Path(folder) / "good", Path(folder) / "bad"
        for path, text in ((good, "anna:se:cr@t"), (bad, "anna:wrong")):
            path.write_text(text)
            path.chmod(0o600)
        server = started(port, "anna", "se:cr@t")
        message = refused(driver, url)
        check("no login", "asks for user and password" in message, message)
        message = refused(driver, url, str(bad))
        check("a wrong password", "refuses the user and password" in message, message)
        camera = driver.open(url, CameraOptions(login=str(good)))
        check("a login", camera.newest(30).gray.shape == (480, 640))
        camera.close()
        server.kill()
        server.wait()
    return 1 if failed else 0


def started(port: int, *login: str) -> subprocess.Popen[str]:
    """A server that listens."""
    command = ["/usr/bin/python3", str(SERVER), str(port), *login]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # our own file
    assert server.stdout is not None
    if server.stdout.readline().strip() != "ready":
        sys.exit(f"{SERVER}: did not start; apt install python3-gi gir1.2-gst-rtsp-server-1.0")
    return server


def refused(driver: NetworkDriver, url: str, login: str = "") -> str:
    """The one line of an error."""
    try:
        driver.open(url, CameraOptions(login=login)).close()
    except CameraError as error:
        return str(error)
    return "it opens"


def lost(camera: object) -> str:
    """The error of a camera whose server has gone."""
    try:
        while True:
            camera.newest(30)  # type: ignore[attr-defined]
    except CameraError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
