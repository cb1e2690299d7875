"""Events -> entries in the journal -> the outlets: the one place where they are joined to the live loop."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import NamedTuple, Protocol

import msgspec

from digitlens.core.errors import DependencyError, DigitLensError
from digitlens.core.tracking import Event
from digitlens.outlets.base import Outlet
from digitlens.outlets.entries import STANDING, Draft, Entry

MOST = 10_000
"""Drafts that wait in memory while the journal cannot be written to."""
STEP = 60.0
"""Seconds by which a clock may go back and be waited for; beyond, it had been wrong before."""
SINCE_1970 = 1e9
"""Seconds: a time below is no camera's, but a replay's own."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before what could not be opened or written is tried again; the last again and again."""

_log = logging.getLogger(__name__)


class EntryStore(Protocol):
    """Gives drafts their ids, and keeps them."""

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Keep them.

        Raises:
            JournalError: they cannot be written; none of them has been.
        """

    def close(self) -> None:
        """Close its file; again does nothing."""


class NullStore:
    """No journal: entries are numbered from the start of the process on, and kept nowhere."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._run = f"{int(time()):x}"
        self._count = 0

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See Journal; never fails."""
        entries = []
        for draft in drafts:
            self._count += 1
            id_ = f"{self._device}-{self._run}-{self._count}"
            entries.append(Entry(id=id_, device=self._device, **msgspec.structs.asdict(draft)))
        return entries

    def close(self) -> None:
        """Nothing to close."""


class OutletOpener(NamedTuple):
    """How an outlet is opened; one with another `key` is another outlet."""

    key: object
    open: Callable[[], Outlet]


class _Trial:
    """When something that failed is due again, and whether its fault is news."""

    def __init__(self) -> None:
        self.said = ""
        self._count = 0
        self._due = 0.0

    @property
    def due(self) -> bool:
        return monotonic() >= self._due

    def failed(self, why: str) -> bool:
        pause = PAUSES[min(self._count, len(PAUSES) - 1)]
        self._count += 1
        self._due = monotonic() + pause
        news, self.said = why != self.said, why
        return news


class EventDispatcher:
    """Takes the live loop's events; all calls come from its thread.

    No fault of a journal or an outlet reaches the loop: it is logged once, and mended by trying again, at
    growing pauses. What could not be written waits in memory, and is announced when it has been.

    Args:
        apply: an event, its time since 1970, and the size of the picture -> drafts (Regions.apply).
        journal: opened with it; it is closed with the desk.

    `standing` are the newest entries of the numbers that have not gone, by number: for an outlet that is
    opened later, or anew, and tells what stands now.
    """

    def __init__(
        self,
        apply: Callable[[Event, tuple[int, int]], list[Draft]],
        journal: EntryStore,
        clock: Callable[[], float] = time,
    ) -> None:
        self.apply = apply
        self.journal = journal
        self.standing: dict[int, Entry] = {}
        self.dropped = 0
        self._clock = clock
        self._waiting: deque[Draft] = deque()
        self._writing = _Trial()
        self._openers: dict[str, OutletOpener] = {}
        self._outlets: dict[str, Outlet] = {}
        self._opening: dict[str, _Trial] = {}
        self._newest = 0.0

    def take(self, event: Event, size: tuple[int, int]) -> None:
        """Keep and announce what has happened; the event's boxes are in a picture of `size`."""
        self._waiting.extend(self.apply(msgspec.structs.replace(event, time=self._time(event.time)), size))
        if not self._writing.said or self._writing.due:
            self._write()
        while len(self._waiting) > MOST:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped == 1:
                _log.error("more than %d readings wait for the journal: the oldest are let go", MOST)

    def tend(self) -> None:
        """Try again what has failed, if it is due; called between frames."""
        if self._writing.said and self._writing.due and self._waiting:
            self._write()
        for name, trial in list(self._opening.items()):
            if trial.due:
                self._open(name)

    def change(self, openers: Mapping[str, OutletOpener]) -> None:
        """Have these outlets from now on: those with the same key stay open, the others are closed first."""
        for name in list(self._openers):
            if name not in openers or openers[name].key != self._openers[name].key:
                self._close(name)
                self._opening.pop(name, None)
                del self._openers[name]
        for name, opener in openers.items():
            if name not in self._openers:
                self._openers[name] = opener
                self._opening[name] = _Trial()
                self._open(name)

    def close_journal(self) -> None:
        """Close the journal, to put another into `journal`; what could not be written waits for that."""
        if self._waiting:
            self._write()
        self.journal.close()
        self._writing = _Trial()

    def close(self) -> None:
        """Close the outlets, and then the journal."""
        if self._waiting:
            self._write()
        if self._waiting:
            _log.error("%d readings could not be written into the journal and are lost", len(self._waiting))
        for name in list(self._outlets):
            self._close(name)
        self.journal.close()

    def _time(self, told: float) -> float:
        """Seconds since 1970 that do not go back where a clock is only put right."""
        now = told if told > SINCE_1970 else self._clock()
        if now < self._newest - STEP:
            _log.warning("the clock went back by %.0f s", self._newest - now)
        elif now < self._newest:
            now = self._newest
        self._newest = now
        return now

    def _write(self) -> None:
        try:
            entries = self.journal.add(list(self._waiting))
        except DigitLensError as error:
            if self._writing.failed(str(error)):
                _log.error("%s; readings wait in memory", error)
            return
        self._waiting.clear()
        if self._writing.said:
            self._writing = _Trial()
            _log.warning("the journal is written again")
        for entry in entries:
            self.standing.pop(entry.number, None)
            if entry.kind != "gone":
                self.standing[entry.number] = entry
        while len(self.standing) > STANDING:
            self.standing.pop(next(iter(self.standing)))
        for name, outlet in list(self._outlets.items()):
            try:
                outlet.announce(entries)
            except BrokenPipeError:  # whoever read our output has gone; the command ends
                raise
            except Exception:
                _log.exception("outlet %s failed, and is opened again", name)
                self._close(name)
                self._opening[name] = _Trial()
                self._opening[name].failed("")

    def _open(self, name: str) -> None:
        trial = self._opening.pop(name)
        try:
            self._outlets[name] = self._openers[name].open()
        except DependencyError as error:  # no time mends it
            _log.error("outlet %s: %s", name, error)
        except Exception as error:
            self._opening[name] = trial
            if trial.failed(str(error)):
                where = f"outlet {name}: {error}; trying again"
                _log.error(where, exc_info=None if isinstance(error, DigitLensError) else error)
        else:
            if trial.said:
                _log.warning("outlet %s: open", name)

    def _close(self, name: str) -> None:
        outlet = self._outlets.pop(name, None)
        if outlet is None:
            return
        try:
            outlet.close()
        except Exception:
            _log.exception("outlet %s did not close", name)
