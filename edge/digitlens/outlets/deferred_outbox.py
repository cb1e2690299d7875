"""An outbox whose file may not be there yet when the service starts."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from digitlens.config.settings import JournalSettings
from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Draft, Entry, Filters
from digitlens.outlets.outbox import Outbox

_log = logging.getLogger(__name__)


class DeferredOutbox:
    """An outbox that is opened as soon as that succeeds; until then a person must fix what prevents it."""

    def __init__(self, settings: JournalSettings, device: str) -> None:
        self._settings, self._device = settings, device
        self._file: Outbox | None = None
        try:
            self.file()
        except JournalError as error:
            _log.error("%s", error)

    @property
    def opened(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    def file(self) -> Outbox:
        """The file, opened now if it is not yet.

        Raises:
            JournalError: it cannot be opened.
        """
        if self._file is None:
            path = Path(self._settings.file)
            self._file = Outbox(path, self._settings.megabytes, self._device, _log.warning)
        return self._file

    def add(self, drafts: Sequence[Draft]) -> list[Entry]:
        """See EntryStore."""
        return self.file().add(drafts)

    def history(self, limit: int = 100, **filters: Unpack[Filters]) -> list[Entry]:
        """See History.entries; nothing, while there is no file."""
        return self._file.history(limit, **filters) if self._file is not None else []

    def counts(self) -> dict[str, dict[str, int]]:
        """How many entries are pending, evicted or dead letters, by outlet; keys as in /metrics."""
        if self._file is None:
            return {}
        figures = self._file.figures()
        return {"waiting": figures.waiting, "let_go": figures.let_go, "set_aside": figures.set_aside}

    def close(self) -> None:
        """See EntryStore."""
        if self._file is not None:
            self._file.close()
