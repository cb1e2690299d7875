"""The protocol that every outlet keeps, and an outlet that keeps a list."""

from collections.abc import Sequence
from typing import Protocol

from digitlens.outlets.entries import Entry


class Outlet(Protocol):
    """Hands entries on; all calls come from the live loop's thread and return at once.

    An outlet that sends over a network has a thread of its own. It takes entries from the outbox and moves
    its cursor there once they are acknowledged; `announce` only says that the outbox holds new ones.
    """

    name: str

    def announce(self, entries: Sequence[Entry]) -> None:
        """These entries have been written to the outbox."""

    def close(self) -> None:
        """Finish what is in flight and end the thread; safe to call twice."""


class ListOutlet:
    """Keeps what is announced, for programs and tests."""

    name = "list"

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet."""
        self.entries.extend(entries)

    def close(self) -> None:
        """Nothing to end."""
