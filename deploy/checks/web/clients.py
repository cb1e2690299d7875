"""WebSocket clients, some of which stall, in a process of their own: HOST PORT TOKEN COUNT STALLED.

Writes the number of pictures that each received when its stdin closes.
"""

import asyncio
import json
import os
import socket
import sys
from contextlib import suppress

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


async def view(host: str, port: int, token: str, counts: list[int], which: int) -> None:
    """A client that requests the next picture once it has this one."""
    request = HTTPRequest(f"ws://{host}:{port}/api/live", headers={"Authorization": f"Bearer {token}"})
    line = await websocket_connect(request)
    await line.write_message("next")
    while (message := await line.read_message()) is not None:
        if isinstance(message, bytes):
            counts[which] += 1
            await line.write_message("next")


async def stall(host: str, port: int, token: str) -> None:
    """A client that requests pictures and reads none; disconnected, it reconnects."""
    while True:
        with suppress(OSError), opened(host, port, token) as line:
            while True:
                line.sendall(b"\x81\x84\0\0\0\0next")
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)


def opened(host: str, port: int, token: str) -> socket.socket:
    """A client's connection whose answers are not read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((host, port))
    line.sendall(
        f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n".encode()
    )
    return line


async def main() -> None:
    """Run until stdin closes."""
    host, port, token, count, stalled = (
        sys.argv[1],
        int(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
        int(sys.argv[5]),
    )
    counts = [0] * count
    slow = [asyncio.create_task(stall(host, port, token)) for _ in range(stalled)]
    tasks = [asyncio.create_task(view(host, port, token, counts, which)) for which in range(count)]
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]
    for task in (*tasks, *slow):
        task.cancel()
    print(json.dumps({"pictures": counts, "ended": len(failed)}))


os.nice(10)
asyncio.run(main())
