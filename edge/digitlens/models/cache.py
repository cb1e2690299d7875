"""What was worked out for this picture and the one before: what has not changed is not read again."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)

MOST = 2000
"""Values of one picture at the most."""


class TwoFrameCache(Generic[Key, Value]):
    """Values by what they were made of; those that a whole picture has not asked for are forgotten."""

    def __init__(self) -> None:
        self._now: dict[Key, Value] = {}
        self._before: dict[Key, Value] = {}

    def turn(self) -> None:
        """The next picture begins."""
        self._before, self._now = self._now, {}

    def all(self, keys: list[Key], make: Callable[[list[int]], list[Value]]) -> list[Value]:
        """The value of each key; `make` is asked, once, for those at the places that are not known."""
        for key in keys:
            if key in self._before and key not in self._now:
                self._now[key] = self._before[key]
        missing = [place for place, key in enumerate(keys) if key not in self._now]
        made = dict(zip(missing, make(missing), strict=True)) if missing else {}
        values = [made[place] if place in made else self._now[key] for place, key in enumerate(keys)]
        for place, value in made.items():
            if len(self._now) < MOST:
                self._now[keys[place]] = value
        return values
