"""The web outlet: an HTTP server with a thread and an event loop of its own.

Two more threads encode pictures and one reads the history, so no client holds up the live loop: its thread
only announces entries.
"""

import asyncio
import errno
import ipaddress
import logging
import os
import re
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self

from digitlens.config.values import shown
from digitlens.core.errors import DependencyError, OutletError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.base import (
    HistorySource,
    Option,
    Outlet,
    OutletContext,
    OutletThread,
    stopped_by,
)
from digitlens.outlets.entries import Entry
from digitlens.outlets.tls import server_context
from digitlens.outlets.web import addresses
from digitlens.outlets.web import settings as web_settings
from digitlens.outlets.web.access import CREDENTIAL, MAKE, Access, read_token
from digitlens.outlets.web.history import RecentEntries
from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.metrics import OutboxCounts
from digitlens.outlets.web.settings import WebSettings

LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})")
NEEDS_TOKEN = (
    "others can reach this address, so the page needs a token: name its file in [web] token_file or "
    f"--web-token, or give the credential {CREDENTIAL}; make one with {MAKE}"
)
RATE = 10.0
"""Pictures sent to each page at the most, per second."""
CLOSE_TIMEOUT = 3.0
"""Time that the server has to end, seconds."""
WORKER_NICENESS = 5
"""Niceness of the threads that encode pictures, so that the reader goes first."""


class WebOutlet(Outlet):
    """Serves the page and its API; listens once the constructor returns.

    Args:
        listen: HOST:PORT; for an IPv6 address [HOST]:PORT.
        latest: holds the newest frame.
        stats: the live loop's statistics.
        token: the secret that clients must present; optional where only this machine can reach the address.
        history: past entries; None keeps the last announced ones in memory.
        outbox_counts: counts by kind and outlet, see metrics.COUNTS.
        rate: pictures sent to each page at the most, per second.
        tls: encrypts the page, where it is given.
        trusted_proxies: addresses and networks whose word on the client's address is taken.
        say: takes each line for the log.
        sessions: the file that keeps who is signed in; without one that ends with the outlet.
        limits: what one client may use.

    Raises:
        DependencyError: tornado is not installed.
        OutletError: the address is not available, or others can reach it and there is no token.
    """

    name = "web"
    Settings = WebSettings
    switch = "listen"
    options = (
        Option("--web", "listen", "[web] listen", "HOST:PORT"),
        Option("--web-token", "token_file", "[web] token_file", "FILE"),
    )
    shows_picture = True
    modules = ("digitlens.outlets.web.routes",)
    secrets = (("token_file", CREDENTIAL),)
    thread: OutletThread

    @classmethod
    def check(cls, settings: WebSettings) -> None:
        """See Outlet."""
        found = LISTEN.fullmatch(settings.listen)
        if settings.listen and (not found or not 0 < int(found.group(2)) < 65536):
            raise ValueError(f'listen: {shown(settings.listen)}: take HOST:PORT, as "127.0.0.1:8080"')
        web_settings.check(settings)

    @classmethod
    def preflight(cls, settings: WebSettings) -> list[str]:
        """See Outlet; a port that is taken is no problem, for the service may be running."""
        problems, token = super().preflight(settings), ""
        try:
            token = read_token(settings.token_file, os.environ)
        except OutletError as error:
            problems = problems or [f"[web] token_file: {error}"]
        try:
            if settings.cert_file and not problems:
                problems += stopped_by(
                    cls.name, lambda: server_context(settings.cert_file, settings.key_file)
                )
            open_to_others = settings.trusted_proxies or addresses.reachable_by_others(settings.listen)
            if not token and not problems and open_to_others:
                problems.append(f"[web] listen: {settings.listen}: {NEEDS_TOKEN}")
            for one in addresses.bind(settings.listen, backlog=0):
                one.close()
        except OutletError as error:
            if not (isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE):
                problems.append(f"[web] listen: {error}")
        return problems

    @classmethod
    def warnings(cls, settings: WebSettings) -> list[str]:
        """See Outlet."""
        if settings.cert_file or not addresses.reachable_by_others(settings.listen):
            return []
        return [
            f"[web] listen: {settings.listen} is plain http: token and picture can be read on the way: "
            "trust that network, or name cert_file and key_file, or take 127.0.0.1 and a proxy with TLS"
        ]

    @classmethod
    def open(cls, settings: WebSettings, context: OutletContext) -> Self:
        """See Outlet; the token is that of its file, or of systemd's credential `web-token`."""
        page = cls(
            settings.listen,
            context.latest,
            context.stats,
            token=read_token(settings.token_file, os.environ),
            history=context.history,
            outbox_counts=context.outbox_counts,
            rate=settings.rate,
            tls=server_context(settings.cert_file, settings.key_file) if settings.cert_file else None,
            trusted_proxies=settings.trusted_proxies,
            say=context.say,
            sessions=None if context.kept is None else Path(f"{context.kept}.web-sessions"),
        )
        context.say(f"the page is at {page.url}")
        return page

    def __init__(
        self,
        listen: str,
        latest: LatestFrame,
        stats: LoopStats,
        *,
        token: str = "",
        history: HistorySource | None = None,
        outbox_counts: Callable[[], OutboxCounts] = dict,
        rate: float = RATE,
        tls: ssl.SSLContext | None = None,
        trusted_proxies: Sequence[str] = (),
        say: Callable[[str], None] = lambda line: None,
        sessions: Path | None = None,
        limits: ServerLimits = ServerLimits(),  # noqa: B008  # frozen
    ) -> None:
        try:
            from digitlens.outlets.web import context, routes
        except ImportError as error:
            raise DependencyError("--web needs tornado: pip install 'digitlens[web]'") from error
        # Clients' faults are not worth a line; handlers log our own.
        for name in ("tornado.general", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        host, _ = addresses.split(listen)
        self._sockets = addresses.bind(listen)
        bound = [one.getsockname() for one in self._sockets]
        local = all(ipaddress.ip_address(address[0]).is_loopback for address in bound)
        if not token and (trusted_proxies or not local):
            self._close_sockets()
            raise OutletError(f"{listen}: {NEEDS_TOKEN}")
        self.port: int = bound[0][1]
        self.url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}/"
        self._recent = RecentEntries() if history is None else None
        self._executor = ThreadPoolExecutor(2, "digitlens web", _lower_priority)
        # A journal is searched by one at a time anyway.
        self._lookups = ThreadPoolExecutor(1, "digitlens web history", _lower_priority)
        self._closed = False
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._context = context.AppContext(
            latest=latest, stats=stats, access=Access(token, sessions, say=say),
            history=history or self._recent or RecentEntries(), persistent=history is not None,
            outbox_counts=outbox_counts, executor=self._executor, lookups=self._lookups, rate=rate,
            hosts=addresses.allowed_hosts(host), port=self.port, encrypted=tls is not None,
            proxies=[ipaddress.ip_network(one) for one in trusted_proxies], say=say, limits=limits,
        )  # fmt: skip
        self._server = routes.make_server(self._context, tls)
        self.thread = OutletThread("digitlens web", self._run)
        self.thread.start()
        self._started.wait()

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        if self._recent is not None:
            self._recent.add(entries)
        if not self._closed:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._context.announce, len(entries))

    def close(self) -> None:
        """End the server; idempotent."""
        if self._closed:
            return
        self._closed = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self.thread.join(CLOSE_TIMEOUT)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            try:
                self._loop.run_until_complete(self._serve())
            finally:  # where an error ends it, nobody must wait for an answer
                self._started.set()
                self._loop.run_until_complete(self._end())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._close_sockets()
            for one in (self._executor, self._lookups):
                one.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        self._server.add_sockets(self._sockets)
        self._started.set()
        await self._stop.wait()

    async def _end(self) -> None:
        self._server.stop()
        self._context.clients.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), CLOSE_TIMEOUT / 2)
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()


def _lower_priority() -> None:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WORKER_NICENESS)
