"""What an outlet is: the protocol that each kind of outlet keeps, and one that keeps a list."""

from collections.abc import Sequence
from typing import Protocol

from digitlens.outlets.entries import Entry


class Outlet(Protocol):
    """Hands entries on; all calls come from the live loop's thread and return at once.

    What an outlet hands to others it takes from the journal, in a thread of its own, and marks there when it
    has been acknowledged. `announce` only says that there is something new: it is in the journal by then.
    """

    name: str

    def announce(self, entries: Sequence[Entry]) -> None:
        """These entries have been written to the journal."""

    def close(self) -> None:
        """End the thread, after what is under way; again does nothing."""


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
