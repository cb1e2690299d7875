"""The outbox on a real disk: order, cursors, limits, and how it recovers when the disk or the file fails."""

import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from digitlens.core.errors import JournalError
from digitlens.outlets.entries import Entry
from digitlens.outlets.history import History
from digitlens.outlets.outbox import Outbox
from tests.edge.outlets.brokers import draft


def texts(entries: list[Entry]) -> list[str]:
    return [entry.text for entry in entries]


def test_ids_are_the_same_at_each_query_and_never_reused(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    first = outbox.add([draft(1), draft(2, region="water", value=12.5)])
    assert outbox.pending("mqtt") == first == list(reversed(outbox.history()))
    assert first[1].region == "water"
    assert first[1].value == 12.5
    outbox.close()
    again = open_outbox(device="other name")
    again.follow("mqtt")
    assert again.pending("mqtt") == first
    assert again.add([draft(3)])[0].id not in {entry.id for entry in first}


def test_cursors_outlive_the_process_and_go_by_order(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    entries = outbox.add([draft(count) for count in range(10)])
    assert outbox.pending("mqtt", 3) == entries[:3]
    assert outbox.pending("mqtt", 3, after=entries[2].id) == entries[3:6]
    outbox.acknowledge("mqtt", [entries[0].id, entries[3].id])
    assert outbox.pending_count("mqtt") == 6
    outbox.close()
    outbox = open_outbox()
    outbox.follow("mqtt")
    assert outbox.pending("mqtt") == entries[4:]
    outbox.acknowledge("mqtt", ["pi-strange-9", "", "nonsense", entries[1].id, f"{entries[0].id}0000"])
    assert outbox.pending("mqtt") == entries[4:]


def test_a_new_outlet_begins_with_the_next_reading(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.add([draft(1)])
    outbox.follow("webhook")
    assert outbox.pending("webhook") == []
    assert texts(outbox.add([draft(2)])) == texts(outbox.pending("webhook")) == ["2"]


def test_entries_are_ordered_by_row_whatever_the_clock_does(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    outbox.add([msgspec.structs.replace(draft(1), time=2e9)])
    outbox.add([msgspec.structs.replace(draft(2), time=1e9)])
    assert texts(outbox.pending("mqtt")) == ["1", "2"]
    assert texts(outbox.history()) == ["2", "1"]


def test_at_its_limit_the_oldest_are_evicted_and_counted_where_they_are_pending(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    outbox = open_outbox(1)
    outbox.follow("mqtt")
    for start in range(0, 8000, 1000):
        added = outbox.add([draft(count) for count in range(start, start + 1000)])
        outbox.acknowledge("mqtt", [added[-1].id])
    assert lines == []  # all had been acknowledged
    outbox.follow("webhook")
    for start in range(8000, 28000, 1000):
        outbox.add([draft(count) for count in range(start, start + 1000)])
    stats = outbox.stats()
    assert stats.evicted["mqtt"] == stats.evicted["webhook"] > 0
    assert stats.bytes <= 1_000_000
    assert (
        sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_500_000
    )  # with its log, emptied at 1 MB
    pending = stats.pending["mqtt"]
    assert pending + stats.evicted["mqtt"] == 20_000
    assert texts(outbox.pending("mqtt", 1)) == [str(28_000 - pending)]
    assert len(lines) == 2  # once for each outlet, not for each eviction
    assert "full at 1 MB" in lines[0]
    outbox.close()
    outbox = open_outbox(1)
    outbox.follow("mqtt")
    assert outbox.stats().evicted["mqtt"] == stats.evicted["mqtt"]


def test_a_refused_entry_is_a_dead_letter(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.follow("webhook")
    entries = outbox.add([draft(1), draft(2), draft(3)])
    outbox.refuse("webhook", entries[0].id, "422 Unprocessable Entity")
    assert outbox.pending("webhook") == entries[1:]
    (letter,) = outbox.dead_letters()
    assert (letter.outlet, letter.entry, letter.reason) == ("webhook", entries[0], "422 Unprocessable Entity")
    assert outbox.stats().dead_letters == {"webhook": 1}


def test_history_is_filtered_and_paged(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    entries = outbox.add([draft(count, region="water" if count % 2 else "") for count in range(20)])
    assert outbox.history(3) == entries[:16:-1]
    assert outbox.history(3, before=entries[17].id) == entries[16:13:-1]
    assert texts(outbox.history(region="water", containing="1")) == ["19", "17", "15", "13", "11", "1"]
    assert texts(outbox.history(since=1.7e9 + 18)) == ["19", "18"]
    assert texts(outbox.history(until=1.7e9)) == ["0"]
    assert outbox.history(kind="gone") == outbox.history(region="' OR 1 --") == outbox.history(0) == []
    assert outbox.latest("water") == entries[19]
    assert outbox.latest("other") is None


def test_the_last_good_value_of_a_region_is_found(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox()
    outbox.add([draft(1, region="water", value=1.5), draft(2, region="gas", value=7.0)])
    broken = msgspec.structs.replace(draft(3, region="water", value=1.5), reason="digits: 1, not 2")
    outbox.add([broken])
    assert outbox.good(["water", "gas", "none"]) == {"water": (1.5, 1.7e9 + 1), "gas": (7.0, 1.7e9 + 2)}


def test_only_one_process_has_it(open_outbox: Callable[..., Outbox], tmp_path: Path) -> None:
    outbox = open_outbox()
    program = (
        "import sys; from pathlib import Path; from digitlens.outlets.outbox import Outbox\n"
        "from digitlens.core.errors import JournalError\n"
        "try: Outbox(Path(sys.argv[1]))\n"
        "except JournalError as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "journal.db"], capture_output=True, text=True, check=True
    )
    assert found.stdout == f"{outbox.path}: in use by another digitlens; end that one, or name another file\n"
    history = History(outbox.path)  # reading is for everyone
    entries = outbox.add([draft(1)])
    assert history.entries() == entries
    history.close()


@pytest.mark.parametrize("damage", ["header", "middle", "emptied", "no tables"])
def test_a_damaged_file_is_renamed_and_a_new_one_begun(
    damage: str, open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    old = outbox.add([draft(count) for count in range(3000)])
    outbox.close()
    path = tmp_path / "journal.db"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:100] = b"\xff" * 100
    elif damage == "middle":
        content[8192:40960] = os.urandom(32768)
    elif damage == "emptied":
        content = bytearray(len(content))
    else:
        content = content.replace(b"TABLE entry", b"TABLE other")
    path.write_bytes(content)
    outbox = open_outbox()
    outbox.follow("mqtt")
    assert len(lines) == 1
    assert "is damaged; kept as" in lines[0]
    (kept,) = (one for one in tmp_path.iterdir() if ".damaged-" in one.name and one.name.endswith("Z"))
    assert kept.read_bytes() == content
    new = outbox.add([draft(1)])
    assert outbox.pending("mqtt") == new
    assert new[0].id not in {entry.id for entry in old}


def test_a_file_damaged_while_it_is_open_is_found_out_at_the_next_write_or_read(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    for start in range(0, 5000, 500):
        outbox.add([draft(count) for count in range(start, start + 500)])
    (tmp_path / "journal.db-wal").write_bytes(b"")
    with (tmp_path / "journal.db").open("r+b") as file:
        file.write(b"\xff" * 65536)
    # The writer may have pages in memory and not notice; the reader does, at the latest then.
    outbox.add([draft(1)])
    outbox.pending("mqtt", 5000)
    added = outbox.add([draft(2)])
    assert texts(added) == ["2"]
    assert outbox.pending("mqtt")[-1:] == added
    assert len([line for line in lines if "is damaged; kept as" in line]) == 1


def test_a_file_that_is_taken_away_is_begun_anew(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    outbox.add([draft(1)])
    (tmp_path / "journal.db").unlink()
    added = outbox.add([draft(2)])
    assert lines == [f"{outbox.path}: was taken away; a new journal is begun"]
    assert outbox.pending("mqtt") == added
    outbox.close()
    assert open_outbox().history() == added


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of the process simulates a full disk")
def test_a_full_disk_refuses_all_drafts_of_a_call_and_takes_later_ones(
    open_outbox: Callable[..., Outbox], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    before = outbox.add([draft(count) for count in range(100)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        with pytest.raises(JournalError, match="disk"):
            outbox.add([draft(count) for count in range(2000)])
        assert outbox.pending("mqtt", 5000) == before
        outbox.acknowledge("mqtt", [before[-1].id])  # a cursor that cannot be written is kept in memory
        assert outbox.pending_count("mqtt") == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = outbox.add([draft(100)])
    assert texts(after) == ["100"]
    assert outbox.pending("mqtt") == after


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of the process simulates a full disk")
def test_a_disk_that_is_full_at_the_start_is_tried_again(
    open_outbox: Callable[..., Outbox], lines: list[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        outbox = open_outbox()
        outbox.follow("mqtt")
        assert len(lines) == 1
        with pytest.raises(JournalError, match="disk"):
            outbox.add([draft(1)])
        assert outbox.pending("mqtt") == outbox.history() == []
        assert outbox.pending_count("mqtt") == outbox.stats().bytes == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    added = outbox.add([draft(2)])
    assert outbox.pending("mqtt") == added


def test_files_that_are_no_journals_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    base = sqlite3.connect(other)
    base.execute("CREATE TABLE precious (x)")
    base.close()
    content = other.read_bytes()
    with pytest.raises(JournalError, match="is a database, and not a journal of digitlens"):
        Outbox(other)
    assert other.read_bytes() == content
    with pytest.raises(JournalError, match="its folder is missing"):
        Outbox(tmp_path / "no" / "journal.db")
    with pytest.raises(JournalError, match="is a folder"):
        Outbox(tmp_path)
    newer = tmp_path / "newer.db"
    Outbox(newer).close()
    base = sqlite3.connect(newer)
    base.execute("PRAGMA user_version = 2")
    base.close()
    with pytest.raises(JournalError, match="of format 2, this digitlens knows 1; update it"):
        Outbox(newer)


def test_rows_that_hold_no_entry_are_skipped_and_counted(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.follow("mqtt")
    entries = outbox.add([draft(count) for count in range(5)])
    base = sqlite3.connect(tmp_path / "journal.db")
    base.execute("UPDATE entry SET kind = 'strange' WHERE number IN (1, 2)")
    base.execute("UPDATE entry SET time = 9e999, text = x'ff' WHERE number = 5")
    base.commit()
    base.close()
    assert outbox.pending("mqtt", 2) == entries[2:4]
    outbox.acknowledge("mqtt", [entries[3].id])
    assert outbox.pending("mqtt") == []
    assert outbox.pending_count("mqtt") == 0
    assert outbox.stats().unreadable == 3
    assert len(lines) == 2


def test_many_threads_read_while_one_writes(open_outbox: Callable[..., Outbox]) -> None:
    outbox = open_outbox(1)
    outbox.follow("mqtt")
    over = threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        try:
            while not over.is_set():
                outbox.history(50, containing="7")
                outbox.stats()
                pending = outbox.pending("mqtt", 50)
                numbers = [int(entry.id.rpartition("-")[2]) for entry in pending]
                assert numbers == sorted(numbers)
                outbox.acknowledge("mqtt", [entry.id for entry in pending])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 6000, 20):
        outbox.add([draft(count) for count in range(start, start + 20)])
    over.set()
    for thread in threads:
        thread.join()
    assert not failed
