"""What all handlers share, and the page's files, which are in memory from the start."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from importlib.resources import files
from typing import Any, NamedTuple

from digitlens.core.version import __version__
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.base import HistorySource
from digitlens.outlets.web.access import Access
from digitlens.outlets.web.addresses import Network
from digitlens.outlets.web.frames import FrameEncoder
from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.metrics import OutboxCounts, outage
from digitlens.outlets.web.websockets import WebSocketClients

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SIGN_IN = "sign-in.html"
STYLE = "sign-in.css"
"""Inlined into the sign-in page: a client without the token gets no other file."""


class Asset(NamedTuple):
    """A file of the page."""

    content: bytes
    type: str
    tag: str


class AppContext:
    """The server's state, which all handlers share.

    Args:
        hosts: names in the Host header that a server without a token accepts.
        persistent: whether `history` outlives the process: it is a journal's.
        executor: encodes pictures.
        lookups: reads the history, so that no search keeps a picture waiting.
        encrypted: whether the server speaks TLS itself.
        proxies: whose word on the client's address and scheme is taken.
    """

    def __init__(
        self,
        *,
        latest: LatestFrame,
        stats: LoopStats,
        access: Access,
        history: HistorySource,
        persistent: bool,
        outbox_counts: Callable[[], OutboxCounts],
        executor: Executor,
        lookups: Executor,
        rate: float,
        hosts: frozenset[str],
        port: int,
        encrypted: bool,
        proxies: Sequence[Network],
        say: Callable[[str], None],
        limits: ServerLimits,
    ) -> None:
        self.latest, self.stats, self.access = latest, stats, access
        self.history, self.persistent, self.outbox_counts = history, persistent, outbox_counts
        self.executor, self.hosts, self.say, self.limits = executor, hosts, say, limits
        self.encrypted, self.proxies = encrypted, proxies
        self.cookie_name = f"digitlens-{port}"  # browsers share the cookies of all ports of a host
        self.encoder = FrameEncoder(latest, rate)
        self.clients = WebSocketClients(self.encoder, executor, self.state, rate)
        self.lookups, self.searches = lookups, 0
        self.announced = 0
        self.listeners: set[Callable[[], None]] = set()
        style, page = (_content(name) for name in (STYLE, SIGN_IN))
        self.sign_in = page.replace(b"/* sign-in.css */", style)
        digest = b64encode(hashlib.sha256(style).digest()).decode()
        self.sign_in_policy = f"style-src 'sha256-{digest}'"
        self.assets = {
            "/" if name == "index.html" else f"/page/{name}": Asset(
                content := _content(name), TYPES[name[name.rindex(".") :]],
                f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            )
            for name in sorted(one.name for one in files(__package__).joinpath("page").iterdir())
            if name not in (SIGN_IN, STYLE)
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """The camera's and the server's state, JSON; sent to each page every second."""
        stats = self.stats.snapshot()
        return {
            "camera": stats.camera,
            "trouble": outage(stats),
            "rate": round(stats.frames_per_second, 1),
            "age": None if stats.age is None else round(stats.age, 2),
            "captured": stats.captured,
            "dropped": stats.dropped,
            "announced": self.announced,
            "journal": self.persistent,
            "guarded": self.access.requires_token,
            "version": __version__,
        }

    def announce(self, count: int) -> None:
        """Notify clients and listeners of this many new entries."""
        self.announced += count
        self.clients.notify()
        for listener in list(self.listeners):
            listener()

    def end_revoked(self) -> None:
        """End the streams of sessions that have ended."""
        self.clients.end_revoked()
        for listener in list(self.listeners):
            listener()


def _content(name: str) -> bytes:
    return files(__package__).joinpath("page", name).read_bytes()
