"""Readings are deleted by age or on command, and are not found in the files any more."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")

from digitlens.commands.main import main
from digitlens.outlets.deletion import DAY, INTERVAL, ROWS, Aging
from digitlens.outlets.outbox import Outbox
from tests.edge.outlets.brokers import WatchedOutbox, draft

NOW = 1.7e9


def old(count: int, days: float):
    return msgspec.structs.replace(draft(count, f"secret{count}"), time=NOW - days * DAY)


@pytest.fixture
def aged(tmp_path: Path) -> Callable[[Outbox], None]:
    """Ages an outbox: its entries that are older than 30 days now."""
    now = [0.0]

    def age(one: Outbox) -> None:
        one._aging = Aging(one.path, 30, lambda line: None, lambda: NOW, lambda: now[0])
        now[0] += INTERVAL
        while one._aging.due:
            one.tend()

    return age


def texts(one: Outbox) -> list[str]:
    return [entry.text for entry in reversed(one.history(5000))]


def in_files(path: Path, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_old_entries_are_deleted_once_they_are_sent(tmp_path: Path, aged: Callable[[Outbox], None]) -> None:
    one = Outbox(tmp_path / "journal.db", 4, "pi")
    one.follow("mqtt")
    one.follow("webhook")
    entries = one.add([old(count, 31 if count % 2 else 29) for count in range(2 * ROWS + 10)])
    one.refuse("mqtt", entries[1].id, "400 Bad Request")
    one.acknowledge("mqtt", [entries[-1].id])
    aged(one)
    assert len(texts(one)) == 2 * ROWS + 10  # the webhook has still to send them
    one.acknowledge("webhook", [entries[ROWS].id])
    aged(one)
    kept = [entry.text for count, entry in enumerate(entries) if count > ROWS or count % 2 == 0]
    assert texts(one) == kept
    assert one.dead_letters() == []
    one.senders = frozenset(("webhook",))
    one.acknowledge("webhook", [entries[-1].id])
    aged(one)
    assert texts(one) == [entry.text for entry in entries[::2]]
    one.close()
    assert not in_files(one.path, '"secret1"')
    assert not in_files(one.path, "secret1001")
    assert in_files(one.path, "secret1000")


def test_entries_are_kept_for_an_outlet_that_is_not_open(
    tmp_path: Path, aged: Callable[[Outbox], None]
) -> None:
    one = Outbox(tmp_path / "journal.db", 1, "pi")
    one.follow("mqtt")
    one.add([old(1, 31)])
    one.close()
    one = Outbox(tmp_path / "journal.db", 1, "pi")
    one.senders = frozenset(("mqtt",))  # its password cannot be read now
    aged(one)
    assert texts(one) == ["secret1"]
    one.senders = frozenset()  # the settings have it no more
    aged(one)
    assert texts(one) == []
    one.close()


def test_damaged_copies_grow_old_too(tmp_path: Path, aged: Callable[[Outbox], None]) -> None:
    one = Outbox(tmp_path / "journal.db", 1, "pi")
    for name, days in (("20200101T000000Z", 31), ("20200101T000000Z-wal", 31), ("20200102T000000Z", 29)):
        file = tmp_path / f"journal.db.damaged-{name}"
        file.touch()
        os.utime(file, (NOW - days * DAY,) * 2)
    aged(one)
    one.close()
    assert [file.name for file in tmp_path.glob("*damaged*")] == ["journal.db.damaged-20200102T000000Z"]


def test_what_is_deleted_on_command_is_in_no_file_and_is_not_waited_for(
    watched: WatchedOutbox, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.follow("mqtt")
    path = str(watched.path)
    watched.add([draft(count, f"secret{count}", region="water" if count == 2 else "") for count in range(4)])
    (watched.path.parent / f"{watched.path.name}.damaged-20200102T000000Z").touch()
    assert main(["log", "--journal", path, "--delete"]) == 1
    assert "--delete which?" in capfd.readouterr().err
    assert main(["log", "--journal", path, "--delete", "--region", "water"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    said, copy = err.splitlines()
    assert said == f"digitlens: {path}: 1 entries deleted; 1 of them had not been sent to all outlets"
    assert "a damaged journal that was kept, and holds readings, too" in copy
    assert not in_files(watched.path, "secret2")
    assert in_files(watched.path, "secret3")
    assert [entry.text for entry in watched.pending("mqtt")] == ["secret0", "secret1", "secret3"]
    assert main(["log", "--journal", path, "--delete", "--until", "0s"]) == 0
    assert not in_files(watched.path, "secret")
    assert watched.pending("mqtt") == []
    assert watched.pending_count("mqtt") == 0  # nothing waits any more
    (entry,) = watched.add([draft(9)])
    assert entry.id.endswith("-5")  # no id is used twice
    assert watched.pending("mqtt") == [entry]
