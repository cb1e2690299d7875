"""Recordings: written, replayed, and a disk that is full."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reading
from digitlens.cameras.registry import open_camera
from digitlens.core.errors import RecordError
from digitlens.live.recording import Recorder
from tests.edge.films import full_after

Pixels = npt.NDArray[np.uint8]


def plain(level: int) -> Pixels:
    return np.full((48, 64, 3), level, np.uint8)


def reading(time: float) -> Reading:
    return Reading("test", time, (64, 48), (), {"total": 1.0})


def played(path: Path) -> list[tuple[float, int]]:
    camera = open_camera(str(path), rate=0)
    frames = []
    while (frame := camera.newest(1.0)) is not None:
        assert frame.image.shape == (48, 64, 3)
        frames.append((round(frame.time, 3), round(int(frame.gray[0, 0]) / 10) * 10))
    return frames


def test_a_recording_is_played_at_its_own_rate(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    for turn in range(5):
        recorder.add(plain(turn * 50), reading(7.0 + turn / 8))
    recorder.close()
    recorder.close()
    assert played(recorder.path) == [(turn / 8, turn * 50) for turn in range(5)]
    lines = (tmp_path / "film.jsonl").read_text().splitlines()
    assert [json.loads(line)["time"] for line in lines] == [7.0 + turn / 8 for turn in range(5)]


def test_a_recording_without_its_end_is_played(tmp_path: Path) -> None:
    """As after the power has gone."""
    recorder = Recorder(tmp_path / "film.avi")
    for turn in range(5):
        recorder.add(plain(turn * 50), reading(turn / 8))
    assert [level for _, level in played(recorder.path)] == [0, 50, 100, 150, 200]
    recorder.close()


def test_gray_and_other_sizes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    recorder.add(plain(0), reading(0.0))
    recorder.add(plain(100)[..., 0], reading(0.1))
    recorder.add(np.full((10, 10, 3), 200, np.uint8), reading(0.2))
    recorder.close()
    assert [level for _, level in played(recorder.path)] == [0, 100, 200]


@pytest.mark.parametrize("frames", [0, 1])
def test_a_full_disk(tmp_path: Path, frames: int) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    for turn in range(frames):
        recorder.add(plain(0), reading(turn))
    with (
        full_after(max(100, recorder.path.stat().st_size)),
        pytest.raises(RecordError, match=r"film\.avi: .*File too large"),
    ):
        recorder.add(plain(0), reading(9.0))
    recorder.close()


def test_what_could_not_be_played_is_not_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    with pytest.raises(RecordError, match=r"film\.avi: frames of 4097 x 4097 are too large to be read again"):
        recorder.add(np.zeros((4097, 4097), np.uint8), reading(0.0))
    recorder.close()
    largest = Recorder(tmp_path / "largest.avi")
    largest.add(np.zeros((4096, 4096), np.uint8), reading(0.0))
    largest.close()
    found = open_camera(str(largest.path), rate=0).newest(1.0)
    assert found is not None
    assert found.gray.shape == (4096, 4096)


@pytest.mark.parametrize("suffix", [".avi", ".jsonl"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_nothing_is_recorded_over(tmp_path: Path, suffix: str, kind: str) -> None:
    path, other = tmp_path / f"film{suffix}", tmp_path / "other"
    if kind == "file":
        path.write_bytes(b"precious")
    else:
        path.symlink_to(other)
    if kind == "link":
        other.write_bytes(b"precious")
    with pytest.raises(RecordError, match=rf"film\{suffix}: is there already; name another film"):
        Recorder(tmp_path / "film.avi")
    if kind == "dangling":
        assert not other.exists()
    else:
        assert path.read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == (2 if kind == "link" else 1)


@pytest.mark.parametrize(("name", "said"), [("film.mp4", r"name it .*film\.avi"), ("no/film.avi", "No such")])
def test_a_path_that_cannot_be_recorded_to(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        Recorder(tmp_path / name)
