"""Settings -> the journal, the regions and the outlets; each is imported when it is opened."""

import socket
import sys
from collections.abc import Callable

from digitlens.latest import Latest
from digitlens.outlets import Draft, Outlet
from digitlens.outlets.desk import Desk, Journal, Opener, Unkept
from digitlens.outlets.lines import Lines
from digitlens.settings import Settings
from digitlens.track import Event
from digitlens.vitals import Vitals

Apply = Callable[[Event, tuple[int, int]], list[Draft]]


def device(settings: Settings) -> str:
    """The device's name in topics and ids: letters, digits, - and _."""
    name = settings.name or socket.gethostname().partition(".")[0]
    return (
        "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name) or "pi"
    )


class Outlets:
    """Opens what the settings ask for.

    Args:
        vitals, latest: are looked at by the outlets' threads.
        lines: entries go to stdout, too, as JSON.
    """

    def __init__(self, vitals: Vitals, latest: Latest, lines: bool = False) -> None:
        self._vitals, self._latest, self._lines = vitals, latest, lines
        self._journal: Journal = Unkept("")

    def regions(self, settings: Settings) -> Apply:
        """What makes drafts of events."""
        return _drafts

    def journal(self, settings: Settings) -> Journal:
        """The journal, open."""
        self._journal = Unkept(device(settings))
        return self._journal

    def openers(self, settings: Settings) -> dict[str, Opener]:
        """How each outlet is opened that the settings ask for."""
        openers: dict[str, Opener] = {}
        if self._lines:
            openers["lines"] = Opener((), self._open_lines)
        return openers

    def change(self, before: Settings, now: Settings, desk: Desk) -> None:
        """Rebuild what differs between two settings, and nothing else."""
        if now.region != before.region:
            desk.apply = self.regions(now)
        if now.journal != before.journal or device(now) != device(before):
            desk.change_journal(self.journal(now))
        desk.change(self.openers(now))

    def _open_lines(self) -> Outlet:
        return Lines(sys.stdout.buffer)


def _drafts(event: Event, size: tuple[int, int]) -> list[Draft]:
    return [
        Draft(
            time=event.time, kind=event.kind, number=event.id, text=event.text, confidence=event.confidence,
            box=event.box, size=size, before=event.before,
        )
    ]  # fmt: skip
