"""The joint between the live loop and the outlets: events become entries, stored and then announced."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import NamedTuple, Protocol

import msgspec

from digitlens.core.backoff import Backoff
from digitlens.core.errors import DependencyError, DigitLensError
from digitlens.core.tracking import EARLIEST, Event
from digitlens.outlets.base import Outlet
from digitlens.outlets.closing import CLOSE_TIMEOUT, ClosingOutlets
from digitlens.outlets.entries import MAX_PRESENT, Draft, Entry

MAX_UNWRITTEN = 10_000
"""Drafts that wait in memory while the store cannot be written, at most."""
CLOCK_STEP = 60.0
"""The clock's step back that is bridged by repeating the newest time, at most, seconds.

After a larger step the clock is taken to have been wrong before.
"""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Pauses before a store or an outlet that failed is tried again, the last one repeated, seconds."""
LASTING = 300.0
"""Time after which an outlet that failed before counts as mended, seconds."""
CHANGE_TIMEOUT = 0.5
"""Time for which a change waits for outlets to close; later they are opened by `tend`; seconds."""

_log = logging.getLogger(__name__)


class EntryStore(Protocol):
    """Gives drafts their ids, and stores them."""

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Store all of the drafts.

        Raises:
            JournalError: the store cannot be written; none of the drafts is in it.
        """

    def tend(self) -> None:
        """Do what is due besides, in a few milliseconds; called between frames."""

    def close(self) -> None:
        """Close the store; safe to call twice."""


class NullStore:
    """Stores nothing; numbers the entries from the start of the process on."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._run = f"{int(time()):x}"
        self._count = 0

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See EntryStore; never fails."""
        entries = []
        for draft in drafts:
            self._count += 1
            id_ = f"{self._device}-{self._run}-{self._count}"
            entries.append(Entry(id=id_, device=self._device, **msgspec.structs.asdict(draft)))
        return entries

    def tend(self) -> None:
        """Nothing is due."""

    def close(self) -> None:
        """Nothing to close."""


class OutletOpener(NamedTuple):
    """How an outlet is opened; an opener with another `key` opens another outlet."""

    key: object
    open: Callable[[], Outlet]


Replacement = Callable[[], tuple[EntryStore, Mapping[str, OutletOpener]]]
"""Opens another store, and says how the outlets are opened that go with it."""


class EventDispatcher:
    """Takes the live loop's events; all calls come from its thread.

    No failure of the store or an outlet reaches the loop: it is logged once and retried with backoff. Drafts
    that cannot be written wait in memory, and are announced once they are stored.

    Args:
        apply: an event with its time since 1970, and the size of the picture -> drafts (Regions.apply).
        store: is closed with the dispatcher.
        clock: seconds since 1970.
        monotonic: seconds, for the pauses.
        close_timeout: time that outlets have to close, seconds; another of the same name waits for it.

    An outlet that fails, or whose thread has ended, is closed and opened anew.

    `present` holds the newest entry of each number that has not gone, by number, for an outlet that is
    opened later. `dropped` counts the drafts for which memory had no room, `reopened` the failures of each
    outlet.
    """

    def __init__(
        self,
        apply: Callable[[Event, tuple[int, int]], list[Draft]],
        store: EntryStore,
        clock: Callable[[], float] = time,
        monotonic: Callable[[], float] = monotonic,
        close_timeout: float = CLOSE_TIMEOUT,
    ) -> None:
        self.apply = apply
        self.store = store
        self.present: dict[int, Entry] = {}
        self.dropped = 0
        self.reopened: dict[str, int] = {}
        self._clock, self._monotonic = clock, monotonic
        self._unwritten: deque[Draft] = deque()
        self._writing = Backoff(PAUSES, clock=monotonic)
        self._openers: dict[str, OutletOpener] = {}
        self._outlets: dict[str, Outlet] = {}
        self._opening: dict[str, Backoff] = {}
        self._failing: dict[str, Backoff] = {}  # with pauses that grow until the outlet has lasted
        self._opened_at: dict[str, float] = {}
        self._close_timeout = close_timeout
        self._closing = ClosingOutlets(close_timeout)
        self._replacement: Replacement | None = None
        self._newest = 0.0

    def take(self, event: Event, size: tuple[int, int]) -> None:
        """Store and announce an event, whose boxes are in a picture of `size` (width, height)."""
        self.add(event, size)
        self.write()

    def add(self, event: Event, size: tuple[int, int]) -> None:
        """Keep an event until `write` stores and announces it, with the others of its frame at once."""
        self._unwritten.extend(
            self.apply(msgspec.structs.replace(event, time=self._time(self._clock_of(event))), size)
        )

    def add_draft(self, draft: Draft) -> None:
        """Keep a draft that is not of an event, such as a sheet's, until `write`."""
        now = self._time(draft.time if draft.time > EARLIEST else self._clock())
        self._unwritten.append(msgspec.structs.replace(draft, time=now))

    def write(self) -> None:
        """Store and announce the events that were added."""
        if self._unwritten and self._replacement is None and (not self._writing.said or self._writing.due):
            self._write()
        while len(self._unwritten) > MAX_UNWRITTEN:
            self._unwritten.popleft()
            self.dropped += 1
            if self.dropped == 1:
                _log.error(
                    "more than %d readings wait for the journal: the oldest are dropped", MAX_UNWRITTEN
                )

    def tend(self) -> None:
        """Retry what has failed, where its pause is over, and open what waits; called between frames."""
        for name, outlet in list(self._outlets.items()):
            if (error := outlet.failure) is not None:
                _log.error("outlet %s: its thread ended, and it is opened again", name, exc_info=error)
                self._failed(name)
        closing = self._closing.names()
        if self._replacement is not None and not closing:
            self._replace(self._replacement)
        for name, backoff in list(self._opening.items()):
            if backoff.due and name not in closing:
                self._open(name)
        self.write()
        self.store.tend()

    def change(self, openers: Mapping[str, OutletOpener]) -> None:
        """Replace the outlets: those with the same key stay open, the others are closed first.

        One that takes longer than CHANGE_TIMEOUT to close is replaced later, by `tend`.
        """
        for name in list(self._openers):
            if name not in openers or openers[name].key != self._openers[name].key:
                self._close(name)
                self._opening.pop(name, None)
                self._failing.pop(name, None)
                del self._openers[name]
        for name, opener in openers.items():
            if name not in self._openers:
                self._openers[name] = opener
                self._opening[name] = Backoff(PAUSES, clock=self._monotonic)
                self.reopened = {**self.reopened, name: self.reopened.get(name, 0)}
        self._closing.wait(CHANGE_TIMEOUT)
        self.tend()

    @property
    def replacing(self) -> bool:
        """Whether another store waits until the outlets of this one are closed."""
        return self._replacement is not None

    def replace_store(self, replacement: Replacement) -> None:
        """Close the outlets and the store, and then take the other ones; drafts wait until they are there."""
        self.write()
        self._replacement = replacement
        self.change({})

    def close(self) -> None:
        """Close the outlets, beside each other, and then the store; within `close_timeout`."""
        self.write()
        for name in list(self._outlets):
            self._close(name)
        self._closing.wait(self._close_timeout)
        if self._replacement is not None:
            self.store.close()
            self.store, _ = self._replacement()
        if self._unwritten:
            self._write()
        if self._unwritten:
            _log.error("%d readings could not be written into the journal and are lost", len(self._unwritten))
        self.store.close()

    def _replace(self, replacement: Replacement) -> None:
        self._replacement = None
        self.store.close()
        self._writing.reset()
        self.store, openers = replacement()
        self.change(openers)  # they follow the store before it is written

    def _clock_of(self, event: Event) -> float:
        return event.time if event.is_since_1970 else self._clock()

    def _time(self, now: float) -> float:
        """Seconds since 1970 that do not go back where a clock is only adjusted."""
        if now < self._newest - CLOCK_STEP:
            _log.warning("the clock went back by %.0f s", self._newest - now)
        elif now < self._newest:
            now = self._newest
        self._newest = now
        return now

    def _write(self) -> None:
        try:
            entries = self.store.add(list(self._unwritten))
        except DigitLensError as error:
            if self._writing.failed(str(error)):
                _log.error("%s; readings wait in memory", error)
            return
        self._unwritten.clear()
        if self._writing.said:
            self._writing.reset()
            _log.warning("the journal is written again")
        for entry in entries:
            if entry.kind == "sheet":
                continue
            self.present.pop(entry.number, None)
            if entry.kind != "gone":
                self.present[entry.number] = entry
        while len(self.present) > MAX_PRESENT:
            self.present.pop(next(iter(self.present)))
        for name, outlet in list(self._outlets.items()):
            try:
                outlet.announce(entries)
            except BrokenPipeError:  # the reader of our output has gone; the command ends
                raise
            except Exception:
                _log.exception("outlet %s failed, and is opened again", name)
                self._failed(name)

    def _failed(self, name: str) -> None:
        """Close an outlet that is at fault, and open it again after a pause."""
        self._close(name)
        self.reopened = {**self.reopened, name: self.reopened.get(name, 0) + 1}  # others read it meanwhile
        backoff = self._failing.setdefault(name, Backoff(PAUSES, clock=self._monotonic))
        if self._monotonic() - self._opened_at[name] > LASTING:
            backoff.reset()
        backoff.failed("its thread ended")
        self._opening[name] = backoff

    def _open(self, name: str) -> None:
        backoff = self._opening.pop(name)
        try:
            self._outlets[name] = self._openers[name].open()
            self._opened_at[name] = self._monotonic()
        except DependencyError as error:  # only an installation fixes it, and a restart after that
            _log.error("outlet %s: %s", name, error)
        except Exception as error:
            self._opening[name] = backoff
            if backoff.failed(str(error)):
                line = f"outlet {name}: {error}; trying again"
                _log.error(line, exc_info=None if isinstance(error, DigitLensError) else error)
        else:
            if backoff.said:
                _log.warning("outlet %s: open", name)

    def _close(self, name: str) -> None:
        outlet = self._outlets.pop(name, None)
        if outlet is not None:
            self._closing.add(name, outlet)
