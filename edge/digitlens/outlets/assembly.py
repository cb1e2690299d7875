"""Settings -> the journal, the regions and the outlets; each is imported when it is opened."""

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
from digitlens.outlets.entries import Draft, Entry, Filters
from digitlens.outlets.lines import Lines
from digitlens.outlets.outbox import Outbox as JournalFile
from digitlens.outlets.regions import Regions

MODULES = {"lines": (), "mqtt": ("mqtt",), "webhook": ("webhook",), "web": ("web.outlet", "web.routes")}
"""What each outlet imports when it is opened, below digitlens.outlets."""

_log = logging.getLogger(__name__)


def device(settings: Settings) -> str:
    """The device's name in topics and ids: letters, digits, - and _."""
    name = settings.name or socket.gethostname().partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name) or "pi"
    )


class DeferredOutbox:
    """A journal that is opened as soon as it can be: what stands in its way is for a person to mend."""

    def __init__(self, settings: JournalSettings, device: str) -> None:
        self._settings, self._device = settings, device
        self._file: JournalFile | None = None
        try:
            self.file()
        except JournalError as error:
            _log.error("%s", error)

    @property
    def opened(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    def file(self) -> JournalFile:
        """The file, opened now if it is not yet.

        Raises:
            JournalError: it cannot be opened.
        """
        if self._file is None:
            path = Path(self._settings.file)
            self._file = JournalFile(path, self._settings.megabytes, self._device, _log.warning)
        return self._file

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See Journal."""
        return self.file().add(drafts)

    def history(self, limit: int = 100, **filters: Unpack[Filters]) -> list[Entry]:
        """See History.entries; nothing, while there is no file."""
        return self._file.history(limit, **filters) if self._file is not None else []

    def outbox(self) -> dict[str, dict[str, int]]:
        """How many entries wait, were let go or set aside, each by outlet."""
        if self._file is None:
            return {}
        told = self._file.figures()
        return {"pending": told.waiting, "evicted": told.let_go, "dead_letters": told.set_aside}

    def close(self) -> None:
        """See Journal."""
        if self._file is not None:
            self._file.close()


class Outlets:
    """Opens what the settings ask for.

    Args:
        vitals, latest: are looked at by the outlets' threads.
        lines: entries go to stdout, too, as JSON.
        say: is handed each line that is worth one; of the service it is the log.
    """

    def __init__(
        self,
        vitals: LoopStats,
        latest: LatestFrame,
        lines: bool = False,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        self._vitals, self._latest, self._lines, self._say = vitals, latest, lines, say
        self._journal: EntryStore = NullStore("")
        self._regions = Regions({})
        self._desk: EventDispatcher | None = None

    def desk(self, settings: Settings) -> EventDispatcher:
        """The desk with its journal, the regions with their last good values from there; no outlets yet."""
        journal = self._begin_journal(settings)
        self._begin_regions(settings)
        self._desk = EventDispatcher(self._regions.apply, journal)
        return self._desk

    @property
    def kept(self) -> JournalFile:
        """The journal's file, for the outlets that send from it.

        Raises:
            JournalError: there is none, or it cannot be opened yet.
        """
        if isinstance(self._journal, DeferredOutbox):
            return self._journal.file()
        raise JournalError("nothing is kept: name a file in [journal], for what is sent is sent from there")

    def openers(self, settings: Settings) -> dict[str, OutletOpener]:
        """How each outlet is opened that the settings ask for."""
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
        """Import what the outlets will need; what is missing is said when they are opened."""
        for module in (module for name in self.openers(settings) for module in MODULES[name]):
            with suppress(DigitLensError, ImportError):
                import_module(f"digitlens.outlets.{module}")

    def change(self, before: Settings, now: Settings, desk: EventDispatcher) -> None:
        """Rebuild what differs between two settings, and nothing else."""
        if now.journal != before.journal or device(now) != device(before):
            desk.change({})  # they send from the journal before
            desk.close_journal()
            desk.journal = self._begin_journal(now)
        if now.region != before.region:
            self._begin_regions(now)
            desk.apply = self._regions.apply
        desk.change(self.openers(now))

    def _begin_journal(self, settings: Settings) -> EntryStore:
        name = device(settings)
        self._journal = DeferredOutbox(settings.journal, name) if settings.journal.file else NullStore(name)
        return self._journal

    def _begin_regions(self, settings: Settings) -> None:
        """The values in force stay in force: those of the journal, or of the regions before."""
        good = {name: (value, time()) for name, value in self._regions.values.items() if value is not None}
        if isinstance(self._journal, DeferredOutbox) and self._journal.opened:
            good |= self._journal.file().good(list(settings.region))
        self._regions = Regions(settings.region)
        self._regions.restore(good)

    def _open_mqtt(self, settings: Settings) -> Outlet:
        from digitlens.outlets.mqtt import MqttOutlet

        return MqttOutlet(
            settings.mqtt,
            device(settings),
            self.kept,
            settings.region,
            self._vitals.snapshot,
            self._say,
            standing=list(self._desk.standing.values()) if self._desk is not None else [],
        )

    def _open_lines(self) -> Outlet:
        return Lines(sys.stdout.buffer)

    def _open_webhook(self, settings: Settings) -> Outlet:
        from digitlens.outlets.webhook import WebhookOutlet

        return WebhookOutlet(settings.webhook, self.kept, self._say)

    def _open_web(self, settings: WebSettings) -> Outlet:
        from digitlens.outlets.web.outlet import open_web

        journal = self._journal if isinstance(self._journal, DeferredOutbox) else None
        page = open_web(
            settings.listen,
            self._latest,
            self._vitals,
            token_file=settings.token_file,
            history=journal,
            outbox_counts=journal.outbox if journal is not None else dict,
            rate=settings.rate,
            say=self._say,
        )
        self._say(f"the page is at {page.url}")
        return page


def unready(settings: Settings) -> list[str]:
    """What the outlets that are asked for lack: files that can be read, a folder for the journal."""
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
        told = msgspec.structs.asdict(getattr(settings, section))
        for key, path in told.items():
            if used and key.endswith("_file") and path:
                try:
                    with Path(path).open("rb") as file:
                        file.read(1)
                except OSError as error:
                    wrong.append(f"[{section}] {key}: {path} cannot be read: {error.strerror}")
    return wrong
