"""Folders that fill: each file once, and none that still grows."""

import os
import threading
from pathlib import Path

import pytest

from digitlens.batch.follow import follow
from digitlens.batch.item import Item
from digitlens.batch.sources import items
from digitlens.core.errors import BatchError
from tests.edge.batch.archive import picture


class Looks(threading.Event):
    """Stop after so many looks; each runs what happens between two of them, and takes no time."""

    def __init__(self, *between: object) -> None:
        super().__init__()
        self._between = list(between)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._between:
            self.set()
            return True
        self._between.pop(0)()  # type: ignore[operator]
        return False


def test_a_file_is_read_once_it_has_stopped_growing(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    first = picture(folder / "a.png", 1)
    content = first.read_bytes()
    late = folder / "in" / "b.png"
    late.parent.mkdir()
    looks: list[list[str]] = []

    def grow(length: int) -> None:
        looks.append(list(found))
        late.write_bytes(content[:length])

    found: list[str] = []
    stop = Looks(
        lambda: grow(20), lambda: grow(40), lambda: grow(len(content)), lambda: looks.append(list(found))
    )
    for one in follow([str(folder)], stop, settle=0.0):
        assert isinstance(one, Item)
        found.append(Path(one.id).name)
    assert looks == [[], ["a.png"], ["a.png"], ["a.png"]]
    assert found == ["a.png", "b.png"]


def test_ids_are_those_of_a_run_without_follow(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    for name in ("a.png", "in/b.png"):
        os.utime(picture(folder / name, 1), (0, 0))  # old: read at once
    assert [one.id for one in follow([str(folder)], Looks())] == [one.id for one in items([str(folder)])]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="not a folder; --follow watches folders"):
        follow([str(tmp_path / "no")], Looks())
