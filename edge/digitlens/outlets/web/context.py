"""What all routes share, and the page's files, which are in memory from the start."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Executor
from importlib.resources import files
from typing import Any, NamedTuple

from digitlens.core.version import __version__
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.web.access import Access
from digitlens.outlets.web.frames import FrameEncoder
from digitlens.outlets.web.history import HistorySource
from digitlens.outlets.web.metrics import Outbox, trouble
from digitlens.outlets.web.websockets import WebSocketClients

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SIGN_IN = "sign-in.html"
STYLE = "sign-in.css"
"""Written into the sign-in page, which is all that one without the token gets to see."""


class Asset(NamedTuple):
    """A file of the page."""

    content: bytes
    type: str
    tag: str


class AppContext:
    """Everything that the routes look at.

    Args:
        hosts: the names by which requests may call a server that anyone on this machine may look at.
        kept: whether `past` is a journal's.
    """

    def __init__(
        self,
        *,
        latest: LatestFrame,
        vitals: LoopStats,
        access: Access,
        past: HistorySource,
        kept: bool,
        outbox: Callable[[], Outbox],
        pool: Executor,
        rate: float,
        hosts: frozenset[str],
        port: int,
        say: Callable[[str], None],
    ) -> None:
        self.latest, self.vitals, self.access, self.past, self.kept = latest, vitals, access, past, kept
        self.outbox, self.pool, self.hosts, self.say = outbox, pool, hosts, say
        self.cookie = f"digitlens-{port}"  # browsers do not keep the cookies of two ports apart
        self.pictures = FrameEncoder(latest, rate)
        self.viewers = WebSocketClients(self.pictures, pool, self.state, rate)
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
        """What a page is told every second."""
        vitals = self.vitals.snapshot()
        return {
            "camera": vitals.camera,
            "trouble": trouble(vitals),
            "rate": round(vitals.frames_per_second, 1),
            "age": None if vitals.age is None else round(vitals.age, 2),
            "captured": vitals.captured,
            "dropped": vitals.dropped,
            "announced": self.announced,
            "journal": self.kept,
            "guarded": self.access.guarded,
            "version": __version__,
        }

    def tell(self, count: int) -> None:
        """So many entries have come."""
        self.announced += count
        self.viewers.tell()
        for listener in list(self.listeners):
            listener()


def _content(name: str) -> bytes:
    return files(__package__).joinpath("page", name).read_bytes()
