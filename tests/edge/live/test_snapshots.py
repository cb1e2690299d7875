"""Snapshots: named so that nothing is overwritten, and a folder that cannot be made."""

import json
from pathlib import Path

import pytest

from digitlens.core.errors import PictureError
from digitlens.live.snapshots import Snapshots
from tests.edge.live.test_recording import plain, reading


def test_snapshots_never_overwrite(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "new")
    paths = [snapshots.save(plain(0), reading(turn), ()) for turn in (1.0, 2.0)]
    assert [path.name for path in paths] == ["digitlens_0001.png", "digitlens_0002.png"]
    assert [json.loads(path.with_suffix(".json").read_text())["time"] for path in paths] == [1.0, 2.0]


def test_snapshots_follow_no_symlink(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "new")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "digitlens_0001.png").symlink_to(tmp_path / "other.png")
    (tmp_path / "new" / "digitlens_0002.json").symlink_to(tmp_path / "other.json")
    with pytest.raises(PictureError, match=r"digitlens_0002\.json: cannot be written: File exists"):
        snapshots.save(plain(0), reading(1.0), ())
    assert snapshots.save(plain(0), reading(2.0), ()).name == "digitlens_0003.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


def test_a_folder_for_snapshots_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PictureError, match="cannot be made"):
        Snapshots(tmp_path / "file" / "sub").save(plain(0), reading(0.0), ())
