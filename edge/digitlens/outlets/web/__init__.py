"""The outlet `web`: one page to look at, and the same for programs; needs the extra `web` (tornado).

The server has a thread and an event loop of its own; pictures are made and the journal is read in two more.
The live loop's thread only hands over: nothing that a viewer does can hold it up.
"""

import asyncio
import errno
import ipaddress
import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from digitlens.config.values import shown
from digitlens.core.errors import DependencyError, OutletError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.base import Option, Outlet, OutletContext
from digitlens.outlets.entries import Entry
from digitlens.outlets.web.access import CREDENTIAL, MAKE, Access, read_token
from digitlens.outlets.web.history import HistorySource, RecentEntries
from digitlens.outlets.web.metrics import Outbox
from digitlens.outlets.web.settings import WebSettings

RATE = 10.0
"""Pictures a second for a page, at the most."""
BACKLOG = 128
"""Connections that may wait to be taken."""
GRACE = 3.0
"""Seconds that the server has to end."""
LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})")
MEEKNESS = 5
"""The niceness of the threads that make pictures: the reader goes first."""


class WebOutlet(Outlet):
    """The server; it listens when this returns.

    Args:
        listen: HOST:PORT; of an IPv6 address [HOST]:PORT.
        latest: where the newest frame is.
        token: what must be shown to come in; not needed where only this machine can reach the address.
        past: the journal; None remembers the last ones that were announced.
        outbox: how many entries wait, were let go or set aside, by outlet; see metrics.OUTBOX.
        rate: pictures a second for a page, at the most.
        say: is handed each line for the log.

    Raises:
        DependencyError: tornado is not installed.
        OutletError: the address cannot be had, or others can reach it and there is no token.
    """

    name = "web"
    Settings = WebSettings
    switch = "listen"
    options = (
        Option("--web", "listen", "[web] listen", "HOST:PORT"),
        Option("--web-token", "token_file", "[web] token_file", "FILE"),
    )
    shows_picture = True
    modules = ("digitlens.outlets.web.handlers", "digitlens.outlets.web.context")

    @classmethod
    def check(cls, settings: WebSettings) -> None:
        """See Outlet."""
        found = LISTEN.fullmatch(settings.listen)
        if settings.listen and (not found or not 0 < int(found.group(2)) < 65536):
            raise ValueError(f'listen: {shown(settings.listen)}: take HOST:PORT, as "127.0.0.1:8080"')

    @classmethod
    def open(cls, settings: WebSettings, context: OutletContext) -> "WebOutlet":
        """See Outlet."""
        page = open_web(
            settings.listen,
            context.latest,
            context.stats,
            token_file=settings.token_file,
            past=context.history,
            outbox=context.outbox_counts,
            rate=settings.rate,
            say=context.say,
        )
        context.say(f"the page is at {page.url}")
        return page

    def __init__(
        self,
        listen: str,
        latest: LatestFrame,
        vitals: LoopStats,
        *,
        token: str = "",
        past: HistorySource | None = None,
        outbox: Callable[[], Outbox] = dict,
        rate: float = RATE,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        try:
            from digitlens.outlets.web import context, handlers
        except ImportError as error:
            raise DependencyError("--web needs tornado: pip install 'digitlens[web]'") from error
        # What strangers do wrong is no news of ours; of our own errors the routes tell.
        for name in ("tornado.general", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        host, _ = split(listen)
        self._sockets = _bind(listen)
        addresses = [one.getsockname() for one in self._sockets]
        if not token and not all(ipaddress.ip_address(address[0]).is_loopback for address in addresses):
            self._let_go()
            raise OutletError(
                f"{listen}: others can reach this address, so the page needs a token: name its file in "
                f"[web] token_file or --web-token, or give the credential {CREDENTIAL}; make one with {MAKE}"
            )
        self.port: int = addresses[0][1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        self._recent = RecentEntries() if past is None else None
        self._pool = ThreadPoolExecutor(2, "digitlens web", _be_meek)
        self._closed = False
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._site = context.AppContext(
            latest=latest, vitals=vitals, access=Access(token, say=say),
            past=past or self._recent or RecentEntries(), kept=past is not None, outbox=outbox,
            pool=self._pool, rate=rate, hosts=_names(host), port=self.port, say=say,
        )  # fmt: skip
        self._gate = handlers.gate(self._site)
        self._thread = threading.Thread(target=self._run, name="digitlens web", daemon=True)
        self._thread.start()
        self._started.wait()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        if self._recent is not None:
            self._recent.add(entries)
        if not self._closed:
            with suppress(RuntimeError):  # it has ended by now
                self._loop.call_soon_threadsafe(self._site.tell, len(entries))

    def close(self) -> None:
        """End the server; again does nothing."""
        if self._closed:
            return
        self._closed = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(GRACE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._let_go()
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        self._gate.add_sockets(self._sockets)
        self._started.set()
        await self._stop.wait()
        self._gate.stop()
        self._site.viewers.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gate.close_all_connections(), GRACE / 2)
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _let_go(self) -> None:
        for one in self._sockets:
            one.close()


def open_web(
    listen: str,
    latest: LatestFrame,
    vitals: LoopStats,
    *,
    token_file: str = "",
    past: HistorySource | None = None,
    outbox: Callable[[], Outbox] = dict,
    rate: float = RATE,
    say: Callable[[str], None] = lambda line: None,
    environment: Mapping[str, str] = os.environ,
) -> WebOutlet:
    """A Web with the token of its file, or of systemd's credential `web-token`; see Web.

    Raises:
        DependencyError: tornado is not installed.
        OutletError: the token cannot be read, or the address cannot be had.
    """
    token = read_token(token_file, environment)
    return WebOutlet(listen, latest, vitals, token=token, past=past, outbox=outbox, rate=rate, say=say)


def split(listen: str) -> tuple[str, int]:
    """HOST:PORT -> host without brackets, port.

    Raises:
        OutletError: it is something else.
    """
    host, colon, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare != host) or not port.isdecimal() or int(port) > 65535:
        raise OutletError(f"{listen}: take HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080")
    return bare, int(port)


def _bind(listen: str) -> list[socket.socket]:
    """Listening sockets, one for each address of the host."""
    host, port = split(listen)
    found: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            if found and address[1] == 0:  # the same port for all of them
                address = (address[0], found[0].getsockname()[1], *address[2:])
            one = socket.socket(family, kind, protocol)
            found.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind(address)
            one.listen(BACKLOG)
    except OSError as error:
        for one in found:
            one.close()
        raise OutletError(f"{listen}: {_reason(error)}") from error
    return found


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"there is no such host: {error.strerror}"
    reasons = {
        errno.EACCES: "ports below 1024 are root's: take one above",
        errno.EADDRINUSE: "the port is taken: another program listens there; end it, or take another port",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))


def _names(host: str) -> frozenset[str]:
    """What a browser on this machine may call a server on this address; a name of elsewhere is a trick."""
    name = host.lower()
    return frozenset({"localhost", "127.0.0.1", "[::1]", name, f"[{name}]"})


def _be_meek() -> None:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), MEEKNESS)
