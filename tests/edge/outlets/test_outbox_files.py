"""The outbox's files: moved, replaced, linked and damaged ones, and who may open them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digitlens.core.errors import JournalError
from digitlens.outlets.history import History
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.outbox_file import MAX_DAMAGED, SUFFIXES
from tests.edge.outlets.brokers import draft


def stored(path: Path) -> list[str]:
    history = History(path)
    texts = [entry.text for entry in history.each()]
    history.close()
    return texts


@pytest.mark.parametrize("order", [("-wal", ""), ("", "-wal")])
def test_a_backup_moved_into_place_keeps_what_only_its_log_has(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path, order: tuple[str, str]
) -> None:
    outbox = open_outbox()
    outbox.add([draft(count) for count in range(10)])
    outbox.close()
    outbox = open_outbox()
    outbox.add([draft(count) for count in range(10, 53)])
    for suffix in order:
        shutil.copy(tmp_path / f"journal.db{suffix}", tmp_path / f"backup.db{suffix}")
    (other,) = outbox.add([draft(99)])
    for suffix in order:
        (tmp_path / f"backup.db{suffix}").rename(tmp_path / f"journal.db{suffix}")
    (entry,) = outbox.add([draft(53)])
    assert entry.id != other.id
    assert stored(tmp_path / "journal.db") == [str(count) for count in range(54)]
    assert lines == [f"{outbox.path}: was replaced; the file in its place is continued"]


def test_a_backup_without_a_log_does_not_get_that_of_the_file_before(
    open_outbox: Callable[..., Outbox], tmp_path: Path
) -> None:
    outbox = open_outbox()
    outbox.add([draft(0)])
    outbox.close()
    shutil.copy(tmp_path / "journal.db", tmp_path / "backup.db")
    outbox = open_outbox()
    outbox.follow("mqtt")
    (other,) = outbox.add([draft(99)])
    outbox.acknowledge("mqtt", [other.id])
    (tmp_path / "backup.db").rename(tmp_path / "journal.db")
    (entry,) = outbox.add([draft(1)])
    assert entry.id != other.id
    assert outbox.pending("mqtt") == [entry]
    assert stored(tmp_path / "journal.db") == ["0", "1"]


def test_a_file_moved_away_takes_its_log_along(open_outbox: Callable[..., Outbox], tmp_path: Path) -> None:
    outbox = open_outbox()
    outbox.add([draft(count) for count in range(5)])
    (tmp_path / "journal.db").rename(tmp_path / "moved.db")
    outbox.add([draft(5)])
    assert stored(tmp_path / "moved.db") == ["0", "1", "2", "3", "4"]
    assert stored(tmp_path / "journal.db") == ["5"]


def test_a_symlink_is_the_file_that_it_leads_to(open_outbox: Callable[..., Outbox], tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("journal.db")
    (tmp_path / "folder").symlink_to(".")
    outbox = open_outbox(name="link.db")
    assert outbox.path == tmp_path / "journal.db"
    for name in ("journal.db", "link.db", "folder/link.db"):
        with pytest.raises(JournalError, match=r"journal\.db: in use by another digitlens"):
            open_outbox(name=name)
    outbox.close()
    (tmp_path / "journal.db").write_bytes(b"\xff" * 100_000)
    open_outbox(name="link.db").add([draft(1)])
    assert (tmp_path / "link.db").is_symlink()
    assert stored(tmp_path / "link.db") == ["1"]


def test_a_file_of_two_names_is_refused(open_outbox: Callable[..., Outbox], tmp_path: Path) -> None:
    open_outbox().close()
    os.link(tmp_path / "journal.db", tmp_path / "other.db")
    for name in ("journal.db", "other.db"):
        with pytest.raises(JournalError, match=rf"{name}: has a second name \(a hard link\)"):
            open_outbox(name=name)
    (tmp_path / "other.db").unlink()
    open_outbox()


def test_of_damaged_files_the_largest_and_the_newest_are_kept(
    open_outbox: Callable[..., Outbox], lines: list[str], tmp_path: Path
) -> None:
    path, other = tmp_path / "journal.db", tmp_path / "journal.db.damaged-by-me"
    other.touch()
    sizes = [9_000, 1_000, 8_000, 2_000, 7_000, 3_000]
    for size in sizes:
        path.write_bytes(b"\xff" * size)
        open_outbox().close()
    kept = [file.stat().st_size for file in tmp_path.glob("*.damaged-2*")]
    assert sorted(kept) == [3_000, 7_000, 8_000, 9_000]
    assert len(kept) == MAX_DAMAGED
    assert other.exists()
    assert len([line for line in lines if "deleted; of damaged journals 4 are kept" in line]) == 2


def test_only_the_owner_may_open_the_files(open_outbox: Callable[..., Outbox], tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").touch(0o666)
    before = os.umask(0o022)
    try:
        open_outbox().add([draft(1)])
    finally:
        os.umask(before)
    modes = {name: (tmp_path / f"journal.db{name}").stat().st_mode & 0o777 for name in (*SUFFIXES, ".lock")}
    assert modes == dict.fromkeys(modes, 0o600)
