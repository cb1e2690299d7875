"""The pages' WebSocket clients: each gets the newest picture once it is ready, so no pictures queue up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import msgspec
from tornado.iostream import IOStream
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from digitlens.outlets.web.frames import EncodedFrame, FrameEncoder

STATE_INTERVAL = 1.0
"""Time between two messages with the state, seconds."""


class WebSocketClient:
    """One page's connection; the page asks for each picture with `next`.

    Args:
        stream: the TCP stream below the WebSocket.
        write_timeout: seconds for which the page may leave a message unread before it is disconnected.
        granted: whether the client may still be sent anything.
    """

    def __init__(
        self, socket: WebSocketHandler, stream: IOStream, write_timeout: float, granted: Callable[[], bool]
    ) -> None:
        self.granted = granted
        self.last_count = 0  # ShownFrame.count of the last picture sent
        self.wants_frame = False
        self._socket, self._stream, self._write_timeout = socket, stream, write_timeout
        self._pending: asyncio.Future[None] | None = None
        self._sent_at = 0.0
        self._loop = asyncio.get_running_loop()

    @property
    def ready(self) -> bool:
        """Whether it wants a picture, and has taken the previous message."""
        return self.wants_frame and not self.sending

    @property
    def sending(self) -> bool:
        """Whether a message is still being sent; a client that is stuck with one is disconnected here."""
        if self._pending is None or self._pending.done():
            return False
        if self._loop.time() - self._sent_at > self._write_timeout:
            self._stream.close()
        return True

    def send_frame(self, count: int, message: bytes) -> None:
        """Send a picture, as EncodedFrame.message encodes it."""
        self.wants_frame, self.last_count = False, count
        self._send(message)

    def notify(self, state: bytes) -> None:
        """Send JSON, unless a message is still being sent: another state follows, or a new connection."""
        if not self.sending:
            self._send(state, binary=False)

    def close(self, code: int = 1001, reason: str = "the server ends") -> None:
        """Disconnect; nothing is sent any more."""
        self._socket.close(code, reason)

    def _send(self, message: bytes, binary: bool = True) -> None:
        try:
            future = self._socket.write_message(message, binary)
        except WebSocketClosedError:
            return
        future.add_done_callback(_retrieve_error)
        self._pending, self._sent_at = future, self._loop.time()


class WebSocketClients:
    """All connected clients; its methods are called in the server's loop.

    Args:
        state: the state to send to clients, JSON.
        rate: pictures sent to each client at the most, per second.
    """

    def __init__(
        self, encoder: FrameEncoder, executor: Executor, state: Callable[[], dict[str, Any]], rate: float
    ) -> None:
        self._encoder, self._executor, self._state, self._interval = encoder, executor, state, 1 / rate
        self._clients: set[WebSocketClient] = set()
        self._frame_task: asyncio.Task[None] | None = None
        self._state_task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, client: WebSocketClient) -> None:
        """Add a client and send it the state."""
        self._clients.add(client)
        client.notify(self._state_message())
        self.wake()

    def remove(self, client: WebSocketClient) -> None:
        """Remove a client; idempotent."""
        self._clients.discard(client)
        if not self._clients:
            self._encoder.clear()

    def wake(self) -> None:
        """Send pictures, where a client wants one, and states; a task that failed begins anew."""
        if self._state_task is None or self._state_task.done():
            self._state_task = asyncio.create_task(self._send_states())
        if self._frame_task is None or self._frame_task.done():
            self._frame_task = asyncio.create_task(self._send_frames())

    def notify(self) -> None:
        """Send all clients the current state; a busy one gets the next."""
        message = self._state_message()
        for client in list(self._clients):
            client.notify(message)

    def end_revoked(self) -> None:
        """Disconnect those whose session has ended."""
        for client in [client for client in self._clients if not client.granted()]:
            client.close(1008, "signed out")

    def close(self) -> None:
        """Disconnect all."""
        for client in list(self._clients):
            client.close()
        for task in (self._frame_task, self._state_task):
            if task is not None:
                task.cancel()

    async def _send_frames(self) -> None:
        """Runs while a client wants a picture."""
        loop = asyncio.get_running_loop()
        while waiting := [client for client in self._clients if client.wants_frame]:
            due = loop.time() + self._interval
            least = min(client.last_count for client in waiting)
            frame = await loop.run_in_executor(self._executor, self._encoder.after, least)
            if frame is not None:
                self._send(frame)
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, frame: EncodedFrame) -> None:
        message = b""
        for client in list(self._clients):
            if client.ready and client.last_count < frame.count:
                message = message or frame.message()
                client.send_frame(frame.count, message)

    async def _send_states(self) -> None:
        """Runs while there are clients."""
        while self._clients:
            await asyncio.sleep(STATE_INTERVAL)
            self.end_revoked()
            self.notify()
            self.wake()

    def _state_message(self) -> bytes:
        return msgspec.json.encode({"state": self._state()})


def _retrieve_error(future: "asyncio.Future[None]") -> None:
    """Retrieve a failed write's error, or asyncio would log it; it only means that the client has gone."""
    if not future.cancelled():
        future.exception()
