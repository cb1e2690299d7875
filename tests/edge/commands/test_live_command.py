"""digitlens live, as a user starts it: real processes, files and signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reading
from digitlens.cameras.registry import open_camera
from digitlens.live.recording import Recorder
from tests.edge.pages import write

pytestmark = pytest.mark.slow

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]
LONG = 120.0


@pytest.fixture
def page(digits: Digits) -> Pixels:
    return write("40716", digits)


def live(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "digitlens", "live", "--display", "none", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LONG,
    )


@pytest.fixture
def sheet(tmp_path: Path, page: Pixels) -> Path:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), page)
    return path


def test_the_events_as_json(sheet: Path) -> None:
    done = live("--camera", sheet, "--hold", "30", "--rate", "0", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (event,) = map(json.loads, done.stdout.splitlines())
    assert list(event) == ["kind", "id", "time", "text", "confidence", "box", "before"]
    assert (event["kind"], event["text"]) == ("appeared", "40716")


def test_the_events_for_people(sheet: Path) -> None:
    done = live("--camera", sheet, "--hold", "30", "--rate", "0", "--rotation", "180", "--flip", "both")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[2:] == ["appeared", "40716", "99", "%"]


@pytest.mark.parametrize("turn", ["270", "auto"])
def test_a_turned_sheet_is_one_number(tmp_path: Path, page: Pixels, turn: str) -> None:
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), np.ascontiguousarray(np.rot90(page)))
    done = live("--camera", path, "--hold", "30", "--rate", "0", "--json", "--turn", turn, "--printed")
    assert (done.returncode, done.stderr) == (0, "")
    (event,) = map(json.loads, done.stdout.splitlines())
    assert (event["kind"], event["text"]) == ("appeared", "40716")
    _, _, width, height = event["box"]
    assert height > 3 * width


def test_the_benchmark_ends_with_one_object(sheet: Path) -> None:
    done = live("--camera", sheet, "--hold", "20", "--benchmark")
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout.splitlines()[-1])
    assert list(figures) == ["fast", "paced"]
    assert figures["fast"]["frames"] == 20
    assert figures["paced"]["frames"] + figures["paced"]["dropped"] == 20
    assert figures["paced"]["frames_per_second"] < 35
    assert set(figures["fast"]["milliseconds"]) >= {"camera", "glyphs", "rows", "numbers", "track", "total"}
    for run in figures.values():
        assert 0 < run["cpu"] <= os.cpu_count()
        assert 20 < run["memory_peak"] < 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--camera", "usb:9"], "usb:9: no such camera"),
        (["--camera", "missing.avi"], "missing.avi: no such file"),
        (["--camera", "auto", "--benchmark"], "only files can be replayed"),
        (["--camera", "picamera"], "picamera2 is not installed"),
        (["--camera", "{sheet}", "--record", "film.mp4"], "name it film.avi"),
        (["--camera", "{sheet}", "--model", "nothing"], "nothing"),
    ],
)
def test_an_unavailable_camera_or_model_is_one_line(sheet: Path, arguments: list[str], message: str) -> None:
    done = live(*[argument.format(sheet=sheet) for argument in arguments])
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("digitlens: ")
    assert message in line


def test_a_film_is_not_recorded_over_itself(tmp_path: Path, page: Pixels) -> None:
    recorder = Recorder(tmp_path / "film.avi")
    recorder.add(page, Reading("test", 0.0, (1, 1), (), {}))
    recorder.close()
    before = recorder.path.read_bytes()
    done = live("--camera", recorder.path, "--record", recorder.path)
    assert done.returncode == 1
    assert "is being replayed" in done.stderr
    assert recorder.path.read_bytes() == before
    (tmp_path / "other.jsonl").write_text("precious")
    done = live("--camera", recorder.path, "--record", tmp_path / "other.avi")
    assert done.returncode == 1
    assert done.stderr == (
        f"digitlens: {tmp_path}/other.jsonl: is there already; name another film with --record, or move it\n"
    )
    assert (tmp_path / "other.jsonl").read_text() == "precious"
    assert not (tmp_path / "other.avi").exists()


def test_a_file_that_is_gone_in_the_middle_of_a_replay(tmp_path: Path, page: Pixels) -> None:
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), page)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:100])
    done = live("--camera", tmp_path, "--hold", "20", "--rate", "0")
    assert done.returncode == 1
    assert "40716" in done.stdout
    (line,) = done.stderr.splitlines()
    assert "b.png" in line


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "digitlens", "live", "--display", "none", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("rate", ["0", "0.5"])
def test_a_signal_in_the_middle_of_a_frame(
    tmp_path: Path, sheet: Path, number: signal.Signals, rate: str
) -> None:
    """Rate 0: always in the middle of one. A frame in two seconds: always in the middle of the wait."""
    film = tmp_path / "film.avi"
    other = started("--camera", sheet, "--repeat", "0", "--rate", rate, "--record", film)
    _until(lambda: film.exists() and film.stat().st_size > 1000, other)
    other.send_signal(number)
    output, errors = other.communicate(timeout=LONG)
    assert (other.returncode, errors) == (0, "")
    lines = film.with_suffix(".jsonl").read_text().splitlines()
    assert output.count("40716") <= 1
    frames = open_camera(str(film), rate=0)
    count = 0
    while frames.newest(LONG) is not None:
        count += 1
    assert count == len(lines) > 0  # the last frame is complete, and the film has its index


def test_a_reader_of_the_events_that_leaves(tmp_path: Path, digits: Digits) -> None:
    for name, text in (("a", "40716"), ("b", "27")):
        cv2.imwrite(str(tmp_path / f"{name}.png"), write(text, digits))
    other = started("--camera", tmp_path, "--hold", "40", "--repeat", "0", "--rate", "0")
    assert other.stdout is not None
    assert "40716" in other.stdout.readline()
    other.stdout.close()
    assert other.wait(LONG) == 1
    assert other.stderr is not None
    assert other.stderr.read() == ""
    other.stderr.close()


def _until(true: Callable[[], bool], other: subprocess.Popen[str]) -> None:
    begin = monotonic()
    while not true():
        assert other.poll() is None, other.communicate()
        assert monotonic() - begin < LONG
