"""The pages that are open: each gets the newest picture when it is ready for one, so none is in a queue."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import msgspec
from tornado.iostream import IOStream
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from digitlens.outlets.web.frames import EncodedFrame, FrameEncoder

MOST = 32
BEAT = 1.0
"""Seconds between two words on the camera's state."""
STUCK = 20.0
"""Seconds for which a viewer may leave a message lying before it is closed."""


class WebSocketClient:
    """One page's connection, and the stream below it; asks for each picture with `next`."""

    def __init__(self, socket: WebSocketHandler, stream: IOStream) -> None:
        self.count = 0  # of the last picture sent
        self.wants = False
        self._socket, self._stream = socket, stream
        self._sending: asyncio.Future[None] | None = None
        self._since = 0.0
        self._loop = asyncio.get_running_loop()

    @property
    def ready(self) -> bool:
        """Whether it wants a picture, and has taken what it was sent before."""
        return self.wants and not self.sending

    @property
    def sending(self) -> bool:
        """Whether something is still on its way; one that is stuck with it is ended here."""
        if self._sending is None or self._sending.done():
            return False
        if self._loop.time() - self._since > STUCK:
            self._stream.close()
        return True

    def picture(self, count: int, message: bytes) -> None:
        """Send a picture."""
        self.wants, self.count = False, count
        self._send(message)

    def tell(self, text: bytes) -> None:
        """Send JSON, unless the line is busy: there will be another, or a new connection."""
        if not self.sending:
            self._send(text, binary=False)

    def close(self) -> None:
        """The server ends."""
        self._socket.close(1001, "the server ends")

    def _send(self, message: bytes, binary: bool = True) -> None:
        try:
            future = self._socket.write_message(message, binary)
        except WebSocketClosedError:
            return
        future.add_done_callback(_swallow)
        self._sending, self._since = future, self._loop.time()


class WebSocketClients:
    """All of them; its methods are called in the server's loop.

    Args:
        state: what is told of the camera, JSON.
        rate: pictures a second for each, at the most.
    """

    def __init__(
        self, pictures: FrameEncoder, pool: Executor, state: Callable[[], dict[str, Any]], rate: float
    ) -> None:
        self._pictures, self._pool, self._state, self._interval = pictures, pool, state, 1 / rate
        self._viewers: set[WebSocketClient] = set()
        self._pump: asyncio.Task[None] | None = None
        self._beat: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._viewers)

    def add(self, viewer: WebSocketClient) -> None:
        """A page was opened."""
        self._viewers.add(viewer)
        viewer.tell(self._said())
        if self._beat is None or self._beat.done():
            self._beat = asyncio.create_task(self._tell_again())

    def remove(self, viewer: WebSocketClient) -> None:
        """A page was closed; again does nothing."""
        self._viewers.discard(viewer)
        if not self._viewers:
            self._pictures.forget()

    def wake(self) -> None:
        """A viewer is ready for a picture."""
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._send_pictures())

    def tell(self) -> None:
        """Tell all the state of now; who is busy hears it at the next beat."""
        said = self._said()
        for viewer in list(self._viewers):
            viewer.tell(said)

    def close(self) -> None:
        """End all."""
        for viewer in list(self._viewers):
            viewer.close()
        for task in (self._pump, self._beat):
            if task is not None:
                task.cancel()

    async def _send_pictures(self) -> None:
        """Goes on while someone waits."""
        loop = asyncio.get_running_loop()
        while waiting := [viewer for viewer in self._viewers if viewer.wants]:
            due = loop.time() + self._interval
            least = min(viewer.count for viewer in waiting)
            picture = await loop.run_in_executor(self._pool, self._pictures.after, least)
            if picture is not None:
                self._send(picture)
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, picture: EncodedFrame) -> None:
        message = b""
        for viewer in list(self._viewers):
            if viewer.ready and viewer.count < picture.count:
                message = message or picture.message()
                viewer.picture(picture.count, message)

    async def _tell_again(self) -> None:
        """Goes on while there is anyone."""
        while self._viewers:
            await asyncio.sleep(BEAT)
            self.tell()

    def _said(self) -> bytes:
        return msgspec.json.encode({"state": self._state()})


def _swallow(future: "asyncio.Future[None]") -> None:
    """Take note of an error, which is that the viewer has gone."""
    if not future.cancelled():
        future.exception()
