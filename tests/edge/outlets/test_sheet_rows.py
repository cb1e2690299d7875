"""Rows of sheets: drafts of new and changed ones, in the journal, over a restart, past the other entries."""

from pathlib import Path

import msgspec

from digitlens.core.sheet_rows import SeenSheet, SheetField
from digitlens.outlets.base import ListOutlet
from digitlens.outlets.dispatcher import EventDispatcher, OutletOpener
from digitlens.outlets.entries import Draft, Entry, matches
from digitlens.outlets.history import History
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.retained import RetainedState
from digitlens.outlets.sheet_rows import SheetRows


def seen(
    total: int | None, serial: int = 7, page: int = 1, state: str = "sure", name: str = "total"
) -> SeenSheet:
    field = SheetField(total, state, 0.98, "" if state == "sure" else "may also be 1")
    return SeenSheet("exam", serial, page, {name: field}, (1, 2, 3, 4), (640, 480), 5.0)


def taken(rows: SheetRows, sheet: SeenSheet) -> Draft:
    draft, _ = rows.take(sheet)
    assert draft is not None
    return draft


def test_the_same_serial_is_an_update() -> None:
    rows = SheetRows("exam")
    first = taken(rows, seen(40))
    assert (first.kind, first.number, first.text, first.before, first.reason) == (
        "sheet",
        7,
        "exam 7",
        "",
        "",
    )
    nothing, line = rows.take(seen(40))
    assert nothing is None
    assert line == "exam 7 was taken before, and says the same; lay the next one"
    draft, line = rows.take(seen(41, state="doubt"))
    assert draft is not None
    assert (draft.number, draft.before, draft.reason) == (7, "total 40", "to be looked at: total")
    assert line == "exam 7 taken again; it has changed; look at total; lay the next one"


def test_a_second_page_joins_its_row() -> None:
    rows = SheetRows("exam")
    taken(rows, seen(40))
    content = taken(rows, seen(3, page=2, name="mark")).sheet
    assert content is not None
    assert content.pages == (1, 2)
    assert {name: field.value for name, field in content.fields.items()} == {"total": 40, "mark": 3}


def test_sheets_without_a_serial_are_counted() -> None:
    rows = SheetRows("exam")
    assert taken(rows, seen(1, serial=0)).number == 1
    assert rows.take(seen(1, serial=0))[0] is None  # moved
    assert taken(rows, seen(2, serial=0)).number == 2
    assert taken(rows, seen(1, serial=0)).number == 3


def test_rows_go_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    outbox = Outbox(path, device="pi")
    outbox.follow("webhook")
    rows = SheetRows("exam")
    entries = outbox.add([taken(rows, seen(40)), taken(rows, seen(2, serial=0))])
    assert outbox.pending("webhook") == entries
    assert entries[0].sheet == taken(SheetRows("exam"), seen(40)).sheet
    outbox.close()
    history = History(path)
    kept = list(history.each(kind="sheet"))
    assert kept == entries
    assert list(history.each(containing='"value":40')) == entries[:1]
    assert matches(entries[0], containing='"value":40')
    history.close()
    again = SheetRows("exam")
    again.restore(kept)
    assert again.take(seen(40))[0] is None
    assert taken(again, seen(3, serial=0)).number == 2
    other = SheetRows("another form")
    other.restore(kept)
    assert taken(other, msgspec.structs.replace(seen(40), template="another form")).before == ""


def test_a_sheet_is_no_number_on_the_paper(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "journal.db", device="pi")
    outlet = ListOutlet()
    dispatcher = EventDispatcher(lambda event, size: [], outbox, clock=lambda: 1.8e9)
    dispatcher.change({"list": OutletOpener(1, lambda: outlet)})
    dispatcher.add_draft(taken(SheetRows("exam"), seen(40)))
    dispatcher.write()
    (entry,) = outlet.entries
    assert entry.time == 1.8e9  # a film's own time is none
    assert dispatcher.present == {}
    state = RetainedState("digitlens/pi", [], 2)
    state.changes()
    state.update([entry])
    assert state.changes() == {}
    assert msgspec.json.decode(msgspec.json.encode(entry), type=Entry) == entry
    dispatcher.close()
