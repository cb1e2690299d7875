"""Sheets that a camera has seen -> rows: a draft for each new one, and for each that has changed."""

from collections import OrderedDict
from collections.abc import Iterable

from digitlens.config.parameters.sheet_watch import SheetWatchParameters
from digitlens.core.sheet_rows import SeenSheet, SheetContent, SheetField
from digitlens.outlets.entries import Draft, Entry

MOST_NAMED = 5
"""Fields that a line for people names, at most."""
STATES = ("rule", "unreadable", "doubt")
"""States of a field that needs a look, the gravest first."""


class SheetRows:
    """The rows of one form; a sheet is known by its serial number.

    Sheets without one are numbered as they come; one that says just what the one before it says is that same
    sheet, moved.
    """

    def __init__(self, template: str, parameters: SheetWatchParameters | None = None) -> None:
        self._template = template
        self._most = (parameters or SheetWatchParameters()).most_sheets
        self._rows: OrderedDict[int, SheetContent] = OrderedDict()
        self._unnumbered = 0

    def restore(self, entries: Iterable[Entry]) -> None:
        """Go on after a restart, from the journal's entries of the kind "sheet", the oldest first."""
        for entry in entries:
            if entry.sheet is not None and entry.sheet.template == self._template:
                self._put(entry.number, entry.sheet)

    def take(self, seen: SeenSheet) -> tuple[Draft | None, str]:
        """The draft of a sheet, and a line for people; None if it says what it said before."""
        number, before = self._row(seen)
        fields = {**(before.fields if before is not None else {}), **seen.fields}
        pages = sorted({seen.page, *(before.pages if before is not None else ())})
        content = SheetContent(self._template, seen.serial, tuple(pages), state(fields), fields)
        name = f"{self._template} {number}"
        if before is not None and _values(before) == _values(content) and before.pages == content.pages:
            return None, f"{name} was taken before, and says the same; lay the next one"
        self._put(number, content)
        changed = _changed(before, content)
        doubtful = [one for one, field in fields.items() if field.state in STATES]
        reason = f"to be looked at: {', '.join(doubtful)}" if doubtful else ""
        draft = Draft(
            time=seen.time,
            kind="sheet",
            number=number,
            text=name,
            confidence=min((field.confidence for field in fields.values()), default=1.0),
            box=seen.box,
            size=seen.size,
            before=changed,
            reason=reason,
            sheet=content,
        )
        return draft, _line(name, doubtful, before is not None, changed)

    def _row(self, seen: SeenSheet) -> tuple[int, SheetContent | None]:
        if seen.serial:
            return seen.serial, self._rows.get(seen.serial)
        last = self._rows.get(self._unnumbered)
        if last is not None:
            same = all(last.fields.get(name) is not None for name in seen.fields)
            if not same or {name: one.value for name, one in seen.fields.items()} == {
                name: last.fields[name].value for name in seen.fields
            }:
                return self._unnumbered, last  # another page of it, or the same page moved
        self._unnumbered += 1
        return self._unnumbered, None

    def _put(self, number: int, content: SheetContent) -> None:
        self._rows[number] = content
        self._rows.move_to_end(number)
        if not content.serial:
            self._unnumbered = max(self._unnumbered, number)
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)


def state(fields: dict[str, SheetField]) -> str:
    """What a sheet most needs a look for: rule, unreadable or doubt; else sure."""
    found = {field.state for field in fields.values()}
    return next((one for one in STATES if one in found), "sure")


def _values(content: SheetContent) -> dict[str, tuple[object, str]]:
    return {name: (field.value, field.state) for name, field in content.fields.items()}


def _changed(before: SheetContent | None, now: SheetContent) -> str:
    """The fields that were different, with what was in them."""
    if before is None:
        return ""
    return ", ".join(
        f"{name} {'-' if field.value is None else field.value}"
        for name, field in before.fields.items()
        if field.value != now.fields[name].value
    )


def _line(name: str, doubtful: list[str], again: bool, changed: str) -> str:
    """For the screen and for logs, which are to hold no values."""
    line = f"{name} taken{' again' if again else ''}"
    if changed:
        line += "; it has changed"
    if doubtful:
        more = f" and {len(doubtful) - MOST_NAMED} more" if len(doubtful) > MOST_NAMED else ""
        line += f"; look at {', '.join(doubtful[:MOST_NAMED])}{more}"
    return f"{line}; lay the next one"
