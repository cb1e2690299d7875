"""digitlens log: what was read, from the journal; also while a service writes it."""

import argparse
import csv
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from digitlens.commands.terminal import Renamed, positive, say
from digitlens.config import settings_file
from digitlens.core.confidence import percent
from digitlens.core.errors import JournalError
from digitlens.core.paths import printable
from digitlens.outlets.deletion import damaged_copies, delete
from digitlens.outlets.entries import Entry, EntryFilter, matches
from digitlens.outlets.history import DeadLetter, History, number_of
from digitlens.outlets.outbox_file import forget, send_again

LAST = 100
"""Lines of a table without --last."""
POLL_INTERVAL = 1.0
"""Time between two looks for new entries, seconds."""
COLUMNS = (
    "id", "time", "device", "kind", "number", "text", "confidence", "region", "value", "reason", "before",
    "x", "y", "width", "height", "picture_width", "picture_height",
)  # fmt: skip
_DEAD_LETTER_COLUMNS = ("outlet", "refused", "answer")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_options(log: argparse.ArgumentParser) -> None:
    """The options of digitlens log."""
    log.set_defaults(run=run)
    place = log.add_mutually_exclusive_group()
    place.add_argument("--journal", type=Path, metavar="FILE", help="the journal's file")
    place.add_argument(
        "--config", type=Path, default=settings_file.DEFAULT, metavar="FILE",
        help="the settings that name it (default: %(default)s)",
    )  # fmt: skip
    when = "2026-03-01, '2026-03-01 14:30', 14:30 today, or 30m, 2h, 7d ago"
    log.add_argument("--since", type=_when, metavar="TIME", help=f"only from then on: {when}")
    log.add_argument("--until", type=_when, metavar="TIME", help="only until then")
    log.add_argument("--region", default="", metavar="NAME", help="only what stands there")
    log.add_argument("--number", default="", metavar="TEXT", help="only what has these digits in it")
    log.add_argument(
        "--kind", default="", choices=("appeared", "changed", "gone", "sheet"), help="only these"
    )
    log.add_argument(
        "--last", type=positive, metavar="N",
        help=f"only the newest N (default: {LAST} in a table, else all)",
    )  # fmt: skip
    log.add_argument(
        "--dead-letters", action="store_true", help="the entries that the webhook's receiver has refused"
    )
    log.add_argument("--set-aside", action=Renamed, to="--dead-letters", dest="dead_letters", nargs=0)
    form = log.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="for spreadsheets")
    form.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    log.add_argument(
        "--forget", metavar="REGION",
        help="print nothing, but forget the region's last value: its rules begin anew, as for a new meter",
    )  # fmt: skip
    log.add_argument(
        "--send-again", action="store_true",
        help="print nothing, but have the service send dead letters that match again, within a minute",
    )  # fmt: skip
    log.add_argument(
        "--delete", action="store_true",
        help="print nothing, but delete the entries that match; all of them: --delete --until 0s",
    )  # fmt: skip
    log.add_argument("--follow", action="store_true", help="wait for new ones, until Ctrl-C")


def run(options: argparse.Namespace) -> int:
    """Print the entries that match, oldest first."""
    path = options.journal or _configured(options.config)
    history = History(path)
    try:
        if options.forget:
            _forget(history, options.forget)
            return 0
        wanted: EntryFilter = {
            "since": options.since, "until": options.until, "containing": options.number,
            "region": options.region, "kind": options.kind,
        }  # fmt: skip
        if options.delete:
            _delete(path, wanted)
            return 0
        if options.send_again:
            _send_again(history, options, wanted)
            return 0
        if options.dead_letters:
            _print_dead_letters(history, options, wanted)
            return 0
        show = _printer(options, ())
        newest = _newest(history)

        def row(id_: str) -> int:
            return number_of(id_, history.outbox_id) or 0

        last = options.last or (None if options.csv or options.json else LAST)
        found: Iterable[Entry] = (
            history.each(**wanted) if last is None else reversed(history.entries(last, **wanted))
        )
        count = 0
        for entry in found:
            if options.follow and row(entry.id) > row(newest):
                break  # entries that arrive while we print follow below
            show(entry)
            count += 1
        if not count and not options.follow:
            say(f"{path}: nothing there that fits")
        if count == last == LAST and options.last is None:
            say(f"the newest {LAST}; --last N shows more, --csv and --json all")
        if options.follow:
            for entry in _followed(history, newest):
                if matches(entry, **wanted):
                    show(entry)
    finally:
        history.close()
    return 0


def _forget(history: History, region: str) -> None:
    good = history.good(region)
    if good is None:
        raise JournalError(f"{history.path}: no value of a region {region}")
    forget(history.path, region)
    restart = "sudo systemctl restart digitlens"
    say(f"{region}: {good[0]:.15g} is forgotten when the service starts next: {restart}")


def _delete(path: Path, wanted: EntryFilter) -> None:
    if not any(value not in (None, "") for value in wanted.values()):
        raise JournalError(f"{path}: --delete which? Say so with --until, --region, ...; all: --until 0s")
    deleted = delete(Path(os.path.realpath(path)), **wanted)
    unsent = f"; {deleted.unsent} of them had not been sent to all outlets" if deleted.unsent else ""
    say(f"{path}: {deleted.entries} entries deleted{unsent}")
    if not deleted.complete:
        say(f"{path}-wal: may still hold them for some minutes: another program reads the journal")
    for copy in damaged_copies(Path(os.path.realpath(path))):
        say(f"{copy}: a damaged journal that was kept, and holds readings, too: delete it by hand")


def _configured(config: Path) -> Path:
    from digitlens.outlets import registry  # with all outlets, whose sections the file may have

    file = registry.load_settings(config).journal.file
    if not file:
        raise JournalError(f"{config}: keeps no journal ([journal] file); name one with --journal")
    return Path(file)


def _newest(history: History) -> str:
    found = history.entries(1)
    return found[0].id if found else ""


def _followed(history: History, id_: str) -> Iterator[Entry]:
    """Entries written from now on. If the journal's file is replaced, the new one is read from its start."""
    path = history.path
    node = path.stat().st_ino
    try:
        while True:
            sys.stdout.flush()
            entries = history.after(id_)
            yield from entries
            if entries:
                id_ = entries[-1].id
                continue
            time.sleep(POLL_INTERVAL)
            try:
                if path.stat().st_ino != node:
                    again = History(path)
                    history.close()
                    history, id_, node = again, "", path.stat().st_ino
            except (OSError, JournalError):  # between the old one and the new
                continue
    finally:
        history.close()


def _dead_letters(history: History, options: argparse.Namespace, wanted: EntryFilter) -> list[DeadLetter]:
    found = [
        letter for letter in history.dead_letters(options.last or 2**31) if matches(letter.entry, **wanted)
    ]
    if not found:
        say(f"{history.path}: no dead letters")
    return found


def _send_again(history: History, options: argparse.Namespace, wanted: EntryFilter) -> None:
    found = _dead_letters(history, options, wanted)
    if found:
        numbers = [number_of(letter.entry.id, history.outbox_id) or 0 for letter in found]
        send_again(history.path, zip([letter.outlet for letter in found], numbers, strict=True))
        say(f"{len(found)} to be sent again; the service does within a minute")


def _print_dead_letters(history: History, options: argparse.Namespace, wanted: EntryFilter) -> None:
    found = _dead_letters(history, options, wanted)
    show = _printer(options, _DEAD_LETTER_COLUMNS)
    for letter in reversed(found):
        show(letter.entry, letter)


def _printer(options: argparse.Namespace, more: tuple[str, ...]) -> Callable[..., None]:
    """The function that prints an entry, or a dead letter."""
    if options.json:
        return _as_json
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow((*COLUMNS, *more))

        def row(entry: Entry, letter: DeadLetter | None = None) -> None:
            more_cells = () if letter is None else (letter.outlet, _iso(letter.time), letter.reason)
            writer.writerow([safe(cell) for cell in (*_cells(entry), *more_cells)])

        return row
    return _as_line


def _as_json(entry: Entry, letter: DeadLetter | None = None) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(entry if letter is None else letter) + b"\n")
    sys.stdout.buffer.flush()


def _as_line(entry: Entry, letter: DeadLetter | None = None) -> None:
    value = "" if entry.value is None else f"{entry.value:.15g}"
    line = (
        f"{_iso(entry.time, ' ')[:19]}   {entry.kind:<8}   {entry.text:<12}   "
        f"{percent(entry.confidence):>5}   {entry.region:<12}   {value:<12}"
    )
    notes = [f"before: {entry.before}"] if entry.before else []
    notes += [entry.reason] if entry.reason else []
    if entry.sheet is not None:
        written = {name: field.value for name, field in entry.sheet.fields.items() if field.state != "empty"}
        notes.append(
            ", ".join(f"{name} {'-' if value is None else value}" for name, value in written.items())
        )
    notes += (
        [f"{letter.outlet}: {letter.reason}, {_iso(letter.time, ' ')[:19]}"] if letter is not None else []
    )
    line = f"{line}   {'; '.join(notes)}".rstrip()
    # The text of a damaged file must not disturb the terminal.
    sys.stdout.write(printable(line) + "\n")


def _cells(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.id, _iso(entry.time), entry.device, entry.kind, entry.number, entry.text,
        f"{entry.confidence:.4f}", entry.region, "" if entry.value is None else f"{entry.value:.15g}",
        entry.reason, entry.before, *entry.box, *entry.size,
    )  # fmt: skip


def safe(cell: object) -> object:
    """A cell that a spreadsheet takes for text and not for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _iso(seconds: float, between: str = "T") -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(between, "milliseconds")
    except (ValueError, OverflowError, OSError):  # from a clock that was not set, or a damaged row
        return f"{seconds:.3f} s"


def _when(text: str) -> float:
    """A time as people write it -> seconds since 1970."""
    now = datetime.now(UTC).astimezone()
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", text.strip()):
        return (now - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})).timestamp()
    if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text.strip()):
        text = f"{now:%Y-%m-%d} {text.strip().zfill(5 if text.count(':') == 1 else 8)}"
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: take 2026-03-01, '2026-03-01 14:30', 14:30, or 30m, 2h, 7d"
        ) from None
