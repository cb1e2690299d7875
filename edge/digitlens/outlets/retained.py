"""The state of the paper as retained messages: the newest of each region and number, by topic."""

import threading
from collections.abc import Iterable

import msgspec

from digitlens.core.readings import Box
from digitlens.outlets.entries import MAX_PRESENT, Entry


class TopicState(msgspec.Struct, frozen=True):
    """The state of a region or a number. Nothing is there where `text` is null or `present` false.

    `value` is a region's last number that kept its rules, `reason` the rules that `text` breaks.
    """

    text: str | None = None
    confidence: float | None = None
    value: float | None = None
    reason: str = ""
    present: bool = False
    number: int | None = None
    time: float | None = None
    id: str = ""


class PresentNumber(msgspec.Struct, frozen=True):
    """A number in the list of all present ones."""

    number: int
    text: str
    confidence: float
    box: Box
    size: tuple[int, int]
    region: str
    time: float


class RetainedState:
    """Follows entries as they are announced; may be used from several threads.

    Args:
        root: what all topics begin with.
        regions: the names of the regions, a topic each.
        slots: topics for numbers outside the regions. A number takes the first free slot, and keeps it while
            it is present.
    """

    def __init__(self, root: str, regions: Iterable[str], slots: int) -> None:
        self._lock = threading.Lock()
        self._regions = {name: f"{root}/region/{name}" for name in regions}
        self._slots = [f"{root}/number/{slot}" for slot in range(1, slots + 1)]
        self._list = f"{root}/numbers"
        self._present: dict[int, PresentNumber] = {}
        self._taken: dict[int, str] = {}
        self._states = {topic: TopicState() for topic in (*self._regions.values(), *self._slots)}
        self._changed = dict.fromkeys(self.topics)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics that have a state."""
        return (*self._states, self._list)

    def restore(self, region: str, entry: Entry) -> None:
        """Take the last entry of a region from before a restart; its number is not present."""
        self._states[self._regions[region]] = _state(entry, present=False)

    def update(self, entries: Iterable[Entry]) -> None:
        """Apply entries that have been announced."""
        with self._lock:
            for entry in entries:
                if entry.kind == "sheet":  # it is no state of the paper that could be retained
                    continue
                if entry.region in self._regions:
                    self._set(self._regions[entry.region], _state(entry, present=entry.kind != "gone"))
                    self._free(entry.number)
                elif entry.kind == "gone":
                    self._free(entry.number)
                else:
                    free = (slot for slot in self._slots if slot not in self._taken.values())
                    if (slot := self._taken.get(entry.number) or next(free, None)) is not None:
                        self._taken[entry.number] = slot
                        self._set(slot, _state(entry, present=True))
                self._present.pop(entry.number, None)
                if entry.kind != "gone":
                    self._present[entry.number] = PresentNumber(
                        entry.number, entry.text, entry.confidence, entry.box, entry.size, entry.region,
                        entry.time,
                    )  # fmt: skip
                    if len(self._present) > MAX_PRESENT:
                        self._free(next(iter(self._present)))
                        self._present.pop(next(iter(self._present)))
                self._changed[self._list] = None

    def changes(self) -> dict[str, bytes]:
        """Topic -> payload of each state that has changed since the last call."""
        with self._lock:
            topics, self._changed = self._changed, {}
            return {topic: self._payload(topic) for topic in topics}

    def resend(self) -> None:
        """Count every state as changed, for a new connection."""
        with self._lock:
            self._changed = dict.fromkeys(self.topics)

    def _payload(self, topic: str) -> bytes:
        if topic == self._list:
            return msgspec.json.encode(list(self._present.values()))
        return msgspec.json.encode(self._states[topic])

    def _free(self, number: int) -> None:
        slot = self._taken.pop(number, None)
        if slot is not None:
            self._set(slot, TopicState())

    def _set(self, topic: str, state: TopicState) -> None:
        self._states[topic] = state
        self._changed[topic] = None


def _state(entry: Entry, present: bool) -> TopicState:
    return TopicState(
        text=entry.text,
        confidence=entry.confidence,
        value=entry.value,
        reason=entry.reason,
        present=present,
        number=entry.number,
        time=entry.time,
        id=entry.id,
    )
