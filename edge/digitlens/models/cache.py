"""Values computed for this frame and the one before, so that what has not changed is not computed again."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)


class TwoFrameCache(Generic[Key, Value]):
    """Values by their inputs; a value that one full frame did not ask for is dropped.

    Args:
        limit: values kept of one frame; further ones are computed and not kept.
    """

    def __init__(self, limit: int = 2000) -> None:
        self._limit = limit
        self._now: dict[Key, Value] = {}
        self._before: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._now) + len(self._before)

    def next_frame(self) -> None:
        """Begin the next frame."""
        self._before, self._now = self._now, {}

    def all(self, keys: list[Key], make: Callable[[list[int]], list[Value]]) -> list[Value]:
        """The value of each key; `make` is called once, with the places of the keys that are not cached."""
        for key in keys:
            if key in self._before and key not in self._now:
                self._now[key] = self._before[key]
        missing = [place for place, key in enumerate(keys) if key not in self._now]
        made = dict(zip(missing, make(missing), strict=True)) if missing else {}
        values = [made[place] if place in made else self._now[key] for place, key in enumerate(keys)]
        for place, value in made.items():
            if len(self._now) < self._limit:
                self._now[keys[place]] = value
        return values
