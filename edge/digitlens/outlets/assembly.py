"""Settings -> the outbox, the regions and the installed outlets, joined to the live loop's events."""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from time import time
from typing import Any

from digitlens.config.settings import Settings
from digitlens.core.errors import DigitLensError, JournalError
from digitlens.core.paths import is_special
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets import registry
from digitlens.outlets.base import Outlet, OutletContext
from digitlens.outlets.deferred_outbox import DeferredOutbox
from digitlens.outlets.dispatcher import EntryStore, EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.entries import Entry
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.outbox_file import second_name
from digitlens.outlets.regions import Regions

_log = logging.getLogger(__name__)


def device(settings: Settings) -> str:
    """The device's name in topics and ids: letters, digits, - and _."""
    name = settings.name or socket.gethostname().partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name) or "pi"
    )


class OutletAssembly:
    """Opens the outlets that the settings turn on.

    Args:
        stats, latest: are read by the outlets' threads.
        say: is handed each line for the user; in the service it is the log.
    """

    def __init__(
        self, stats: LoopStats, latest: LatestFrame, say: Callable[[str], None] = _log.warning
    ) -> None:
        self._stats, self._latest, self._say = stats, latest, say
        self._store: EntryStore = NullStore("")
        self._regions = Regions({})
        self._dispatcher: EventDispatcher | None = None
        self._warned: set[str] = set()
        self._keys: dict[str, object] = {}

    def open_dispatcher(self, settings: Settings) -> EventDispatcher:
        """The dispatcher with its outbox, and the regions with their last good values; no outlets yet."""
        self._settings = settings
        store = self._open_store(settings)
        self._restore_regions(settings)
        self._dispatcher = EventDispatcher(self._regions.apply, store)
        return self._dispatcher

    def outbox(self) -> Outbox:
        """The outbox, for the outlets that send from it.

        Raises:
            JournalError: there is none, or it cannot be opened yet.
        """
        if isinstance(self._store, DeferredOutbox):
            return self._store.open()
        raise JournalError("nothing is kept: name a file in [journal], for readings are sent from there")

    def sheets(self, most: int) -> list[Entry] | None:
        """The newest rows of sheets in the journal, the oldest first; None while it cannot be opened."""
        if not isinstance(self._store, DeferredOutbox):
            return []
        if not self._store.opened:
            return None
        return self._store.history(most, kind="sheet")[::-1]

    def openers(self, settings: Settings) -> dict[str, OutletOpener]:
        """How to open each outlet that the settings turn on."""
        store = self._store if isinstance(self._store, DeferredOutbox) else None
        dispatcher = self._dispatcher
        context = OutletContext(
            device=device(settings),
            regions=settings.region,
            stats=self._stats,
            latest=self._latest,
            outbox=self.outbox,
            history=store,
            outbox_counts=lambda: {
                **(store.stats() if store is not None else {}),
                "reopened": dict(dispatcher.reopened) if dispatcher is not None else {},
            },
            present=lambda: list(dispatcher.present.values()) if dispatcher is not None else [],
            say=self._say,
            kept=_kept(settings),
        )
        openers = {}
        for name, outlet in registry.wanted(settings).items():
            section = settings.outlets[name]
            openers[name] = OutletOpener(
                _key(settings, name, outlet), partial(self._open_outlet, outlet, section, context)
            )
        self._keys = {name: opener.key for name, opener in openers.items()}
        if store is not None:
            store.senders = frozenset(
                name for name, outlet in registry.wanted(settings).items() if outlet.sends_from_outbox
            )
        return openers

    def problems(self, settings: Settings) -> list[str]:
        """What would stop the outlets that these settings change, a line each; see Outlet.preflight.

        An outlet that is open, and whose new certificate or token cannot be used, is better left open.
        """
        return [
            line
            for name, outlet in registry.wanted(settings).items()
            if _key(settings, name, outlet) != self._keys.get(name)
            for line in outlet.preflight(settings.outlets[name])
        ]

    def _open_outlet(self, outlet: type[Outlet], section: Any, context: OutletContext) -> Outlet:
        lines = outlet.warnings(section)
        opened = outlet.open(section, context)
        for line in lines:
            if line not in self._warned:  # once a process, however often it is opened
                self._warned.add(line)
                self._say(line)
        return opened

    def load(self, settings: Settings) -> None:
        """Import the modules that the outlets will need; a missing one is reported when an outlet opens."""
        for outlet in registry.wanted(settings).values():
            for module in outlet.modules:
                with suppress(DigitLensError, ImportError):
                    import_module(module)

    def change(self, before: Settings, now: Settings, dispatcher: EventDispatcher) -> None:
        """Rebuild what differs between two settings, and nothing else."""
        self._settings = now
        if now.journal != before.journal or device(now) != device(before):
            # The outlets send from the outbox of before, and the regions' values may be in the other one.
            dispatcher.replace_store(self._replacement)
        elif not dispatcher.replacing:
            if now.region != before.region:
                self._change_regions(dispatcher)
            dispatcher.change(self.openers(now))

    def _replacement(self) -> tuple[EntryStore, Mapping[str, OutletOpener]]:
        store = self._open_store(self._settings)
        if self._dispatcher is not None and self._settings.region != self._regions.settings:
            self._change_regions(self._dispatcher)
        return store, self.openers(self._settings)

    def _change_regions(self, dispatcher: EventDispatcher) -> None:
        self._restore_regions(self._settings)
        dispatcher.apply = self._regions.apply

    def _open_store(self, settings: Settings) -> EntryStore:
        name = device(settings)
        self._store = DeferredOutbox(settings.journal, name) if settings.journal.file else NullStore(name)
        return self._store

    def _restore_regions(self, settings: Settings) -> None:
        """The values in force stay in force: those of the outbox, or of the regions before."""
        good = {name: (value, time()) for name, value in self._regions.values.items() if value is not None}
        if isinstance(self._store, DeferredOutbox) and self._store.opened:
            good |= self._store.open().good(list(settings.region))
        self._regions = Regions(settings.region)
        self._regions.restore(good)


def _kept(settings: Settings) -> Path | None:
    """What the names of outlets' files begin with: the journal's, or one in systemd's StateDirectory=."""
    if settings.journal.file:
        return Path(settings.journal.file)
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(folder) / "digitlens" if folder else None


def _key(settings: Settings, name: str, outlet: type[Outlet]) -> object:
    """What an outlet is opened anew for: its settings, and what is in the files that they name."""
    section = settings.outlets[name]
    return (
        section,
        (settings.journal, device(settings)) if outlet.sends_from_outbox else None,
        settings.region if outlet.uses_regions else None,
        # Another token, key or certificate in the same file is put in force by a reload.
        tuple(_state(path) for path in outlet.files(section).values()),
    )


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced, or written; nothing where it is missing."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode


def preflight(settings: Settings) -> list[str]:
    """What would stop the journal or an outlet on this machine, a line each."""
    problems = []
    if settings.journal.file:
        path = Path(os.path.realpath(settings.journal.file))  # the lock lies beside the file itself
        folder = path.parent
        if not folder.is_dir():
            problems.append(f"[journal] file: the folder {folder} is missing: make it, or name another file")
        elif not os.access(folder, os.W_OK):
            problems.append(f"[journal] file: the folder {folder} cannot be written to by this user")
        elif path.is_dir() or is_special(path):
            problems.append(f"[journal] file: {path} is no file: name another")
        elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
            problems.append(f"[journal] file: {path} cannot be written to by this user")
        elif error := second_name(path):
            problems.append(f"[journal] file: {path} {error}")
    for name, outlet in registry.wanted(settings).items():
        problems += outlet.preflight(settings.outlets[name])
    return problems


def warnings(settings: Settings) -> list[str]:
    """What weakens an outlet without stopping it, a line each; where preflight has found nothing."""
    return [
        line
        for name, outlet in registry.wanted(settings).items()
        for line in outlet.warnings(settings.outlets[name])
    ]
