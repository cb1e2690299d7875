"""Backoff: growing pauses between tries of what has failed."""

import random
from collections.abc import Callable, Sequence
from time import monotonic


class Backoff:
    """Says how long to wait before the next try, and whether an error is a new one.

    Args:
        pauses: seconds before each try, at least one; the last one repeats.
        jitter: the fraction by which a pause is longer or shorter, by chance, so that many devices do not
            try at the same moment.
        clock: monotonic seconds.

    `said` is the error last reported to `failed`, empty once `reset` was called.
    """

    def __init__(
        self, pauses: Sequence[float], jitter: float = 0.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self.said = ""
        self.tries = 0
        self._pauses, self._jitter, self._clock = pauses, jitter, clock
        self._due = 0.0

    @property
    def due(self) -> bool:
        """Whether the pause of the last failure is over."""
        return self._clock() >= self._due

    def pause(self) -> float:
        """Count a try and return the seconds to wait before it."""
        seconds = self._pauses[min(self.tries, len(self._pauses) - 1)]
        self.tries += 1
        return seconds * random.uniform(1 - self._jitter, 1 + self._jitter) if self._jitter else seconds

    def failed(self, error: str) -> bool:
        """Note a failure and start its pause; True if it is another error than the one before."""
        self._due = self._clock() + self.pause()
        is_new, self.said = error != self.said, error
        return is_new

    def reset(self) -> None:
        """What failed works again: the next failure begins with the first pause."""
        self.said, self.tries, self._due = "", 0, 0.0
