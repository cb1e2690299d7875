"""A real live loop over a picture, with the real page open on it."""

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from digitlens import Reader
from digitlens.cameras.base import Camera
from digitlens.cameras.replay import Replay
from digitlens.core.errors import CameraError
from digitlens.core.frames import Frame
from digitlens.core.tracking import Event
from digitlens.displays.none import NoDisplay
from digitlens.live.latest import LatestFrame
from digitlens.live.loop import Live
from digitlens.live.observers import LiveObserver
from digitlens.live.stats import LoopStats
from digitlens.live.tracker import Tracker
from digitlens.outlets.dispatcher import EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.regions import Regions
from digitlens.outlets.web.outlet import WebOutlet

LONG = 120.0
TOKEN = "correct-horse-battery"  # noqa: S105
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="
)


def until(true: Callable[[], Any], what: str = "it") -> Any:
    """Poll until `true` returns something true, and return that."""
    pause, begin = threading.Event(), monotonic()
    while not (found := true()):
        assert monotonic() - begin < LONG, f"{what} did not happen"
        pause.wait(0.02)
    return found


class Showing(LiveObserver):
    """Plays a picture without end, and serves the page on a port of its own.

    It reads in a thread, so the reader is its own: a reader serves one thread at a time.
    """

    def __init__(self, picture: Path, rate: float = 15.0, **options: Any) -> None:
        self.stats, self.latest = LoopStats(str(picture)), LatestFrame()
        self.lines: list[str] = []
        self._options = {"say": self.lines.append, **options}
        self.dispatcher = EventDispatcher(Regions({}).apply, NullStore("test"))
        self.open()
        self._ended = threading.Event()
        self._lost = threading.Event()

        lost = self._lost

        class Cable(Replay):
            """A camera that may be unplugged."""

            def newest(self, timeout: float) -> Frame | None:
                if lost.is_set():
                    raise CameraError("usb:0: unplugged")
                return super().newest(timeout)

        def camera() -> Camera:
            if lost.is_set():
                raise CameraError("usb:0: unplugged")
            return Cable(picture, rate=rate, repeat=0, hold=30)

        self.live = Live(
            camera(), Reader(), Tracker(), NoDisplay(), wait=self._ended.wait, reopen=camera,
            observers=(self.stats, self.latest, self),
        )  # fmt: skip
        self._thread = threading.Thread(target=self.live.run)

    def open(self, port: int = 0) -> None:
        """Open the page on a port; 0: any that is free."""
        self.web: WebOutlet = WebOutlet(
            f"127.0.0.1:{port}", latest=self.latest, stats=self.stats, **self._options
        )
        self.dispatcher.change({"web": OutletOpener(object(), lambda: self.web)})

    def event(self, event: Event, size: tuple[int, int]) -> None:
        self.dispatcher.take(event, size)

    def lose(self) -> None:
        """Unplug the camera."""
        self._lost.set()

    def find(self) -> None:
        """Plug it in again."""
        self._lost.clear()

    def __enter__(self) -> "Showing":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(LONG)
        self.latest.close()
        self.dispatcher.close()


@contextmanager
def asked(
    port: int,
    path: str,
    method: str = "GET",
    body: str | None = None,
    host: str = "127.0.0.1",
    **headers: str,
) -> Iterator[http.client.HTTPResponse]:
    """One request's answer; underscores in headers' names become dashes."""
    connection = http.client.HTTPConnection(host, port, timeout=LONG)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        yield connection.getresponse()
    finally:
        connection.close()


class Clients:
    """WebSocket clients without a browser; the first `stalled` ask for one picture, the others for all."""

    def __init__(self, port: int, count: int, stalled: int = 0) -> None:
        self.pictures = [0] * count
        self._port, self._count, self._stalled = port, count, stalled
        self._ended = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._all()))

    async def _all(self) -> None:
        await asyncio.gather(*(self._one(which) for which in range(self._count)))

    async def _one(self, which: int) -> None:
        from tornado.websocket import websocket_connect

        client = await websocket_connect(f"ws://127.0.0.1:{self._port}/api/live")
        ended = asyncio.ensure_future(self._ended.wait())
        await client.write_message("next")
        while not self._ended.is_set():
            reading = asyncio.ensure_future(client.read_message())
            await asyncio.wait([reading, ended], return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                break
            message = reading.result()
            if message is None:
                break
            if isinstance(message, bytes):
                self.pictures[which] += 1
                if which >= self._stalled:
                    await client.write_message("next")
        client.close()
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)

    def __enter__(self) -> "Clients":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(LONG)
        self._loop.close()
