"""Outlets that are being closed, each in a thread of its own, so that a silent receiver holds up nobody."""

import logging
import threading
from time import monotonic

from digitlens.outlets.base import Outlet

CLOSE_TIMEOUT = 4.0
"""Time that outlets have to close, all of them at once, seconds; less than a unit's TimeoutStopSec."""

_log = logging.getLogger(__name__)


class ClosingOutlets:
    """Closes outlets beside each other; called from one thread.

    Args:
        timeout: time after which an outlet is no longer waited for, seconds.
    """

    def __init__(self, timeout: float = CLOSE_TIMEOUT) -> None:
        self._timeout = timeout
        self._threads: dict[str, tuple[threading.Thread, float]] = {}

    def add(self, name: str, outlet: Outlet) -> None:
        """Begin to close an outlet."""
        thread = threading.Thread(target=_close, args=(name, outlet), name=f"close {name}", daemon=True)
        self._threads[name] = thread, monotonic() + self._timeout
        thread.start()

    def names(self) -> set[str]:
        """The outlets that are still waited for."""
        now = monotonic()
        for name, (thread, until) in list(self._threads.items()):
            if not thread.is_alive() or now >= until:
                if thread.is_alive():
                    _log.warning("outlet %s does not close, and is no longer waited for", name)
                del self._threads[name]
        return set(self._threads)

    def wait(self, seconds: float) -> None:
        """Wait so long, at most, until no outlet is waited for any more."""
        end = monotonic() + seconds
        for thread, until in self._threads.values():
            thread.join(max(0.0, min(end, until) - monotonic()))


def _close(name: str, outlet: Outlet) -> None:
    try:
        outlet.close()
    except Exception:
        _log.exception("outlet %s did not close", name)
