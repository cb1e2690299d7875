"""An outbox whose file may not be there yet when the service starts."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from digitlens.config.settings import JournalSettings
from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Draft, Entry, PagedFilter
from digitlens.outlets.outbox import Outbox

_log = logging.getLogger(__name__)


class DeferredOutbox:
    """An outbox that is opened as soon as it can be: a person has to fix whatever prevents that."""

    def __init__(self, settings: JournalSettings, device: str) -> None:
        self._settings, self._device = settings, device
        self._outbox: Outbox | None = None
        self.senders: frozenset[str] = frozenset()
        try:
            self.open()
        except JournalError as error:
            _log.error("%s", error)

    @property
    def opened(self) -> bool:
        """Whether the file is open."""
        return self._outbox is not None

    def open(self) -> Outbox:
        """The outbox, opened now if it is not yet.

        Raises:
            JournalError: it cannot be opened.
        """
        if self._outbox is None:
            path = Path(self._settings.file)
            self._outbox = Outbox(
                path, self._settings.megabytes, self._device, _log.warning, self._settings.keep_days
            )
        return self._outbox

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See Outbox."""
        return self.open().add(drafts)

    def tend(self) -> None:
        """See Outbox."""
        if self._outbox is not None:
            self._outbox.senders = self.senders
            self._outbox.tend()

    def history(self, limit: int = 100, **filters: Unpack[PagedFilter]) -> list[Entry]:
        """See History.entries; nothing, while no file is open."""
        return self._outbox.history(limit, **filters) if self._outbox is not None else []

    def stats(self) -> dict[str, dict[str, int]]:
        """How many entries are pending, evicted or dead letters, by outlet; see web.metrics.COUNTS."""
        if self._outbox is None:
            return {}
        stats = self._outbox.stats()
        return {"pending": stats.pending, "evicted": stats.evicted, "dead_letters": stats.dead_letters}

    def close(self) -> None:
        """See Outbox."""
        if self._outbox is not None:
            self._outbox.close()
