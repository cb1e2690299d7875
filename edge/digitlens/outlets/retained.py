"""What stands now, for those who come later: the newest state of each region and number, by topic."""

import threading
from collections.abc import Iterable

import msgspec

from digitlens.core.readings import Box
from digitlens.outlets.entries import STANDING, Entry


class TopicState(msgspec.Struct, frozen=True):
    """Of a region or a number. Nothing stands there where `text` is null or `present` false.

    `value` is a region's last number that kept its rules, `reason` the rule that `text` broke.
    """

    text: str | None = None
    confidence: float | None = None
    value: float | None = None
    reason: str = ""
    present: bool = False
    number: int | None = None
    time: float | None = None
    id: str = ""


class StandingNumber(msgspec.Struct, frozen=True):
    """A number in the list of all."""

    number: int
    text: str
    confidence: float
    box: Box
    size: tuple[int, int]
    region: str
    time: float


class RetainedState:
    """Follows entries as they are announced; may be used from several threads.

    A number outside the regions takes the first of the `places` that is free, and keeps it while it stands.
    """

    def __init__(self, root: str, regions: Iterable[str], places: int) -> None:
        self._lock = threading.Lock()
        self._regions = {name: f"{root}/region/{name}" for name in regions}
        self._places = [f"{root}/number/{place}" for place in range(1, places + 1)]
        self._list = f"{root}/numbers"
        self._standing: dict[int, StandingNumber] = {}
        self._taken: dict[int, str] = {}
        self._states = {topic: TopicState() for topic in (*self._regions.values(), *self._places)}
        self._news = dict.fromkeys(self.topics)

    @property
    def topics(self) -> tuple[str, ...]:
        """All that have a state."""
        return (*self._states, self._list)

    def restore(self, region: str, entry: Entry) -> None:
        """What was last said of a region before a restart."""
        self._states[self._regions[region]] = _state(entry, present=False)

    def take(self, entries: Iterable[Entry]) -> None:
        """They have been announced."""
        with self._lock:
            for entry in entries:
                if entry.region in self._regions:
                    self._tell(self._regions[entry.region], _state(entry, present=entry.kind != "gone"))
                    self._leave(entry.number)
                elif entry.kind == "gone":
                    self._leave(entry.number)
                else:
                    free = (place for place in self._places if place not in self._taken.values())
                    if (place := self._taken.get(entry.number) or next(free, None)) is not None:
                        self._taken[entry.number] = place
                        self._tell(place, _state(entry, present=True))
                self._standing.pop(entry.number, None)
                if entry.kind != "gone":
                    self._standing[entry.number] = StandingNumber(
                        entry.number, entry.text, entry.confidence, entry.box, entry.size, entry.region,
                        entry.time,
                    )  # fmt: skip
                    if len(self._standing) > STANDING:
                        self._leave(next(iter(self._standing)))
                        self._standing.pop(next(iter(self._standing)))
                self._news[self._list] = None

    def news(self) -> dict[str, bytes]:
        """The topics whose state is another than when they were last asked for, each with it."""
        with self._lock:
            topics, self._news = self._news, {}
            return {topic: self._payload(topic) for topic in topics}

    def again(self) -> None:
        """All of them are news once more."""
        with self._lock:
            self._news = dict.fromkeys(self.topics)

    def _payload(self, topic: str) -> bytes:
        if topic == self._list:
            return msgspec.json.encode(list(self._standing.values()))
        return msgspec.json.encode(self._states[topic])

    def _leave(self, number: int) -> None:
        place = self._taken.pop(number, None)
        if place is not None:
            self._tell(place, TopicState())

    def _tell(self, topic: str, state: TopicState) -> None:
        self._states[topic] = state
        self._news[topic] = None


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
