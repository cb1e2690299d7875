"""Items ahead of the readers: listing a bucket or a folder must not hold up reading."""

import threading
from collections import deque
from collections.abc import Iterator

from digitlens.batch.item import Failure, Item

AHEAD = 2_000
"""Items that are listed ahead."""
AHEAD_BYTES = 64 << 20
"""Content that items bring along, ahead, in bytes."""


class Feed:
    """Lists items in a thread of its own, a bounded number ahead.

    Args:
        items: to list; an exception in it is raised by `take`.
    """

    def __init__(self, items: Iterator[Item | Failure]) -> None:
        self._items = items
        self._ahead: deque[Item | Failure] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._list, name="list", daemon=True)
        self._thread.start()

    def _list(self) -> None:
        try:
            for one in self._items:
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._closed or (len(self._ahead) < AHEAD and self._bytes < AHEAD_BYTES)
                    )
                    if self._closed:
                        return
                    self._ahead.append(one)
                    self._bytes += _size(one)
        except BaseException as error:  # raised where it is waited for
            self._error = error
        finally:
            self._ended = True

    def take(self, most: int) -> list[Item | Failure]:
        """At most so many of the items that are listed and not taken; none if listing takes long.

        Raises:
            whatever listing raised, once what came before is taken.
        """
        with self._changed:
            taken = [self._ahead.popleft() for _ in range(min(most, len(self._ahead)))]
            self._bytes -= sum(map(_size, taken))
            self._changed.notify()
        if not taken and self._ended and not self._ahead and self._error is not None:
            raise self._error
        return taken

    @property
    def ended(self) -> bool:
        """Whether everything is listed and taken."""
        return self._ended and not self._ahead and self._error is None

    def close(self) -> None:
        """List no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()


def _size(one: Item | Failure) -> int:
    return len(one.data) if isinstance(one, Item) and one.data is not None else 0
