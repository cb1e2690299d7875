"""What the live loop writes: recordings, and files that cannot be made."""

import json
from pathlib import Path

from digitlens import Reader
from digitlens.cameras.registry import open_camera
from digitlens.live.recording import Recorder
from digitlens.live.snapshots import Snapshots
from tests.edge.films import full_after
from tests.edge.live.test_loop import Frames, Pixels, Screen, noisy, run


def test_a_folder_that_cannot_be_made_is_a_line(reader: Reader, page: Pixels, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    snapshots = Snapshots(tmp_path / "file" / "sub")
    live, _, lines = run(Frames([page] * 5), reader, Screen({3: ["save", "stages"]}), snapshots=snapshots)
    assert live.frames == 5
    assert [line.split(": ")[1] for line in lines] == ["cannot be made"] * 2


def test_a_full_disk_while_recording_is_a_line_and_the_loop_goes_on(
    reader: Reader, page: Pixels, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    with full_after(100):
        live, events, lines = run(Frames([page] * 30), reader, observers=[recorder])
    assert live.frames == 30
    assert len(events) == 1
    (line,) = lines
    assert "File too large" in line


def test_a_recording_is_replayed_with_the_same_numbers(reader: Reader, page: Pixels, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    _, first, _ = run(Frames(noisy(page, 20)), reader, observers=[recorder])
    recorder.close()
    _, second, _ = run(open_camera(str(recorder.path), rate=0), reader)
    assert [(event.kind, event.text) for event in first] == [(event.kind, event.text) for event in second]
    lines = (tmp_path / "film.jsonl").read_text().splitlines()
    assert len(lines) == 20
    assert json.loads(lines[19])["numbers"][0]["text"] == "40716"
