"""Settings -> the outbox, the regions and the outlets; each outlet is imported when it is opened."""

import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from time import time
from typing import Unpack

import msgspec

from digitlens.config.settings import JournalSettings, Settings, WebSettings
from digitlens.core.errors import DigitLensError, JournalError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.base import Outlet
from digitlens.outlets.dispatcher import EntryStore, EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.entries import Draft, Entry, PagedFilter
from digitlens.outlets.lines import Lines
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.regions import Regions

MODULES = {"lines": (), "mqtt": ("mqtt",), "webhook": ("webhook",), "web": ("web.handlers", "web.context")}
"""What each outlet imports when it is opened, below digitlens.outlets."""

_log = logging.getLogger(__name__)


def device(settings: Settings) -> str:
    """The device's name in topics and ids: letters, digits, - and _."""
    name = settings.name or socket.gethostname().partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name) or "pi"
    )


class DeferredOutbox:
    """An outbox that is opened as soon as it can be: a person has to fix whatever prevents that."""

    def __init__(self, settings: JournalSettings, device: str) -> None:
        self._settings, self._device = settings, device
        self._outbox: Outbox | None = None
        try:
            self.open()
        except JournalError as error:
            _log.error("%s", error)

    @property
    def opened(self) -> bool:
        """Whether the file is open."""
        return self._outbox is not None

    def open(self) -> Outbox:
        """The outbox, opened now if it is not yet.

        Raises:
            JournalError: it cannot be opened.
        """
        if self._outbox is None:
            path = Path(self._settings.file)
            self._outbox = Outbox(path, self._settings.megabytes, self._device, _log.warning)
        return self._outbox

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See Outbox."""
        return self.open().add(drafts)

    def history(self, limit: int = 100, **filters: Unpack[PagedFilter]) -> list[Entry]:
        """See History.entries; nothing, while no file is open."""
        return self._outbox.history(limit, **filters) if self._outbox is not None else []

    def stats(self) -> dict[str, dict[str, int]]:
        """How many entries are pending, evicted or dead letters, each by outlet; keys as in web.metrics."""
        if self._outbox is None:
            return {}
        stats = self._outbox.stats()
        return {"waiting": stats.pending, "let_go": stats.evicted, "set_aside": stats.dead_letters}

    def close(self) -> None:
        """See Outbox."""
        if self._outbox is not None:
            self._outbox.close()


class Outlets:
    """Opens what the settings ask for.

    Args:
        vitals, latest: are read by the outlets' threads.
        lines: entries go to stdout, too, as JSON.
        say: takes each line for the user; the service logs them.
    """

    def __init__(
        self,
        vitals: LoopStats,
        latest: LatestFrame,
        lines: bool = False,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        self._vitals, self._latest, self._lines, self._say = vitals, latest, lines, say
        self._store: EntryStore = NullStore("")
        self._regions = Regions({})
        self._dispatcher: EventDispatcher | None = None

    def open_dispatcher(self, settings: Settings) -> EventDispatcher:
        """A dispatcher with its store, and the regions with their last good values; no outlets yet."""
        store = self._open_store(settings)
        self._open_regions(settings)
        self._dispatcher = EventDispatcher(self._regions.apply, store)
        return self._dispatcher

    @property
    def outbox(self) -> Outbox:
        """The outbox, for the outlets that send from it.

        Raises:
            JournalError: the settings name none, or it cannot be opened yet.
        """
        if isinstance(self._store, DeferredOutbox):
            return self._store.open()
        raise JournalError("no journal: name a file in [journal], because outlets send from there")

    def openers(self, settings: Settings) -> dict[str, OutletOpener]:
        """How to open each outlet that the settings ask for."""
        openers: dict[str, OutletOpener] = {}
        if self._lines:
            openers["lines"] = OutletOpener((), self._open_lines)
        if settings.mqtt.broker:
            key = settings.mqtt, settings.region, settings.journal, device(settings)
            openers["mqtt"] = OutletOpener(key, partial(self._open_mqtt, settings))
        if settings.webhook.url:
            openers["webhook"] = OutletOpener(
                (settings.webhook, settings.journal, device(settings)), partial(self._open_webhook, settings)
            )
        if settings.web.listen:
            openers["web"] = OutletOpener(settings.web, partial(self._open_web, settings.web))
        return openers

    def load(self, settings: Settings) -> None:
        """Import what the outlets will need; a missing package is reported when they are opened."""
        for module in (module for name in self.openers(settings) for module in MODULES[name]):
            with suppress(DigitLensError, ImportError):
                import_module(f"digitlens.outlets.{module}")

    def change(self, before: Settings, now: Settings, dispatcher: EventDispatcher) -> None:
        """Rebuild what differs between two settings, and nothing else."""
        if now.journal != before.journal or device(now) != device(before):
            dispatcher.change({})  # they send from the old outbox
            dispatcher.close_store()
            dispatcher.store = self._open_store(now)
        if now.region != before.region:
            self._open_regions(now)
            dispatcher.apply = self._regions.apply
        dispatcher.change(self.openers(now))

    def _open_store(self, settings: Settings) -> EntryStore:
        name = device(settings)
        self._store = DeferredOutbox(settings.journal, name) if settings.journal.file else NullStore(name)
        return self._store

    def _open_regions(self, settings: Settings) -> None:
        """Values in force stay in force: the outbox's, or those of the regions before."""
        good = {name: (value, time()) for name, value in self._regions.values.items() if value is not None}
        if isinstance(self._store, DeferredOutbox) and self._store.opened:
            good |= self._store.open().good(list(settings.region))
        self._regions = Regions(settings.region)
        self._regions.restore(good)

    def _open_mqtt(self, settings: Settings) -> Outlet:
        from digitlens.outlets.mqtt import MqttOutlet

        return MqttOutlet(
            settings.mqtt,
            device(settings),
            self.outbox,
            settings.region,
            self._vitals.snapshot,
            self._say,
            present=list(self._dispatcher.present.values()) if self._dispatcher is not None else [],
        )

    def _open_lines(self) -> Outlet:
        return Lines(sys.stdout.buffer)

    def _open_webhook(self, settings: Settings) -> Outlet:
        from digitlens.outlets.webhook import WebhookOutlet

        return WebhookOutlet(settings.webhook, self.outbox, self._say)

    def _open_web(self, settings: WebSettings) -> Outlet:
        from digitlens.outlets import web

        outbox = self._store if isinstance(self._store, DeferredOutbox) else None
        page = web.open_web(
            settings.listen,
            self._latest,
            self._vitals,
            token_file=settings.token_file,
            past=outbox,
            outbox=outbox.stats if outbox is not None else dict,
            rate=settings.rate,
            say=self._say,
        )
        self._say(f"the page is at {page.url}")
        return page


def unready(settings: Settings) -> list[str]:
    """What prevents the outlets from being opened: files that cannot be read, no folder for the journal."""
    wrong = []
    if settings.journal.file:
        folder = Path(settings.journal.file).absolute().parent
        if not folder.is_dir():
            wrong.append(f"[journal] file: the folder {folder} is missing: make it, or name another file")
        elif not os.access(folder, os.W_OK):
            wrong.append(f"[journal] file: the folder {folder} cannot be written to by this user")
    for section, used in (
        ("web", settings.web.listen),
        ("mqtt", settings.mqtt.broker),
        ("webhook", settings.webhook.url),
    ):
        fields = msgspec.structs.asdict(getattr(settings, section))
        for key, path in fields.items():
            if used and key.endswith("_file") and path:
                try:
                    with Path(path).open("rb") as file:
                        file.read(1)
                except OSError as error:
                    wrong.append(f"[{section}] {key}: {path} cannot be read: {error.strerror}")
    return wrong
