"""Sheets under a live camera -> drafts of rows, lines for people, and a sound."""

from collections.abc import Callable
from pathlib import Path

from digitlens.config.parameters.sheet_watch import SheetWatchParameters
from digitlens.core.sheet_rows import SeenSheet
from digitlens.models.classifier import Classifier
from digitlens.outlets.entries import Draft, Entry
from digitlens.outlets.sheet_rows import SheetRows
from digitlens.service.beep import Beep
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.template import load
from digitlens.sheets.watch import SheetWatch


class SheetTaking:
    """Takes the sheets of a form that a live loop sees.

    Attributes:
        watch: the loop's reader.
    """

    def __init__(
        self,
        template: Path,
        classifier: Classifier,
        beep: bool = False,
        parameters: SheetWatchParameters | None = None,
    ) -> None:
        self._parameters = parameters or SheetWatchParameters()
        reader = SheetReader.load(load(template), classifier)
        self.watch = SheetWatch(reader, self._taken, parameters=self._parameters)
        self._rows = SheetRows(reader.form.template.name, self._parameters)
        self._beep = Beep() if beep else None
        self._keep: Callable[[Draft], None] = lambda draft: None
        self._before: Callable[[int], list[Entry] | None] | None = None

    def connect(
        self,
        keep: Callable[[Draft], None],
        before: Callable[[int], list[Entry] | None],
        say: Callable[[str], None],
    ) -> None:
        """Hand on what is taken.

        Args:
            keep: takes each new row, and each that has changed.
            before: so many of the newest rows from before this start, the oldest first; None: not yet known.
            say: takes each line for people.
        """
        self._keep, self._before, self.watch.say = keep, before, say

    def _taken(self, seen: SeenSheet) -> str:
        if self._before is not None and (entries := self._before(self._parameters.most_sheets)) is not None:
            self._rows.restore(entries)
            self._before = None
        draft, line = self._rows.take(seen)
        if draft is not None:
            self._keep(draft)
        if self._beep is not None:
            self._beep()
        return line
