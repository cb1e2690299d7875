"""The MQTT messages in flight: published at QoS 1, and not acknowledged by the broker."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic

ACKNOWLEDGE_BATCH = 50
"""Entries whose acknowledgment moves the outbox's cursor at once, while more are in flight."""
ACKNOWLEDGE_DELAY = 0.5
"""Wait of an acknowledged entry for others before the outbox's cursor is moved, at most, seconds."""


class Inflight:
    """Moves the outbox's cursor in the order of the entries, whatever order their PUBACKs come in.

    Args:
        acknowledge: moves the cursor; takes ids of entries, in order.

    `progress` is the monotonic time of the last PUBACK, or of the last moment at which none was due.
    """

    def __init__(self, acknowledge: Callable[[Sequence[str]], None]) -> None:
        self.progress = 0.0
        self._acknowledge = acknowledge
        self._entries = OrderedDict[int, str]()  # message number -> id of the entry, in order
        self._others = set[int]()
        self._done = set[int]()  # entries with a PUBACK, behind one without
        self._batch: list[str] = []
        self._batch_begun = 0.0

    def __len__(self) -> int:
        return len(self._entries) + len(self._others)

    def begin(self) -> None:
        """A new connection: nothing is in flight on it."""
        self._entries.clear()
        self._others.clear()
        self._done.clear()
        self.flush()
        self.progress = monotonic()

    def add(self, number: int, id_: str = "") -> None:
        """A message has been published; `id_` is its entry's, empty for any other message."""
        if id_:
            self._entries[number] = id_
        else:
            self._others.add(number)

    def acknowledged(self, number: int) -> None:
        """The PUBACK of a message has come."""
        self.progress = monotonic()
        self._others.discard(number)
        if number in self._entries:
            self._done.add(number)

    def settle(self) -> None:
        """Move the cursor past the entries that were acknowledged, in batches."""
        now = monotonic()
        while self._entries and (first := next(iter(self._entries))) in self._done:
            self._done.discard(first)
            if not self._batch:
                self._batch_begun = now
            self._batch.append(self._entries.pop(first))
        full = len(self._batch) >= ACKNOWLEDGE_BATCH or now - self._batch_begun > ACKNOWLEDGE_DELAY
        if self._batch and (full or not self._entries):
            self.flush()
        if not self:
            self.progress = now

    def flush(self) -> None:
        """Move the cursor now."""
        if self._batch:
            self._acknowledge(self._batch)
            self._batch = []

    def flush_due(self, now: float) -> float | None:
        """Seconds until the batch must be flushed; None if it is empty."""
        return self._batch_begun + ACKNOWLEDGE_DELAY - now if self._batch else None
