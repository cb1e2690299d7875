"""Settings -> the journal, the regions and the outlets; each is imported when it is opened."""

import logging
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import time

from digitlens.errors import JournalError
from digitlens.latest import Latest
from digitlens.outlets import Draft, Entry, Outlet
from digitlens.outlets.desk import Desk, Journal, Opener, Unkept
from digitlens.outlets.journal import Journal as JournalFile
from digitlens.outlets.lines import Lines
from digitlens.regions import Regions
from digitlens.settings import JournalSettings, Settings
from digitlens.vitals import Vitals

_log = logging.getLogger(__name__)


def device(settings: Settings) -> str:
    """The device's name in topics and ids: letters, digits, - and _."""
    name = settings.name or socket.gethostname().partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name) or "pi"
    )


class Late:
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

    def close(self) -> None:
        """See Journal."""
        if self._file is not None:
            self._file.close()


class Outlets:
    """Opens what the settings ask for.

    Args:
        vitals, latest: are looked at by the outlets' threads.
        lines: entries go to stdout, too, as JSON.
    """

    def __init__(self, vitals: Vitals, latest: Latest, lines: bool = False) -> None:
        self._vitals, self._latest, self._lines = vitals, latest, lines
        self._journal: Journal = Unkept("")
        self._regions = Regions({})

    def begin(self, settings: Settings) -> Desk:
        """The desk, with its journal, the regions' last good values from there, and the outlets."""
        journal = self._begin_journal(settings)
        self._begin_regions(settings)
        desk = Desk(self._regions.apply, journal)
        desk.change(self.openers(settings))
        return desk

    @property
    def kept(self) -> JournalFile:
        """The journal's file, for the outlets that send from it.

        Raises:
            JournalError: there is none, or it cannot be opened yet.
        """
        if isinstance(self._journal, Late):
            return self._journal.file()
        raise JournalError("nothing is kept: name a file in [journal], for what is sent is sent from there")

    def openers(self, settings: Settings) -> dict[str, Opener]:
        """How each outlet is opened that the settings ask for."""
        openers: dict[str, Opener] = {}
        if self._lines:
            openers["lines"] = Opener((), self._open_lines)
        if settings.mqtt.broker:
            key = settings.mqtt, settings.region, settings.journal, device(settings)
            openers["mqtt"] = Opener(key, partial(self._open_mqtt, settings))
        return openers

    def change(self, before: Settings, now: Settings, desk: Desk) -> None:
        """Rebuild what differs between two settings, and nothing else."""
        if now.journal != before.journal or device(now) != device(before):
            desk.change({})  # they send from the journal before
            desk.close_journal()
            desk.journal = self._begin_journal(now)
        if now.region != before.region:
            self._begin_regions(now)
            desk.apply = self._regions.apply
        desk.change(self.openers(now))

    def _begin_journal(self, settings: Settings) -> Journal:
        name = device(settings)
        self._journal = Late(settings.journal, name) if settings.journal.file else Unkept(name)
        return self._journal

    def _begin_regions(self, settings: Settings) -> None:
        """The values in force stay in force: those of the journal, or of the regions before."""
        good = {name: (value, time()) for name, value in self._regions.values.items() if value is not None}
        if isinstance(self._journal, Late) and self._journal.opened:
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
            _log.warning,
        )

    def _open_lines(self) -> Outlet:
        return Lines(sys.stdout.buffer)
