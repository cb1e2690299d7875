"""digitlens serve, as systemd starts it: real processes, a real notification socket, real signals."""

import json
import os
import queue
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.edge.pages import write
from tests.edge.service.services import LONG, Serve, Systemd, config, ended

pytestmark = pytest.mark.slow

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]


@pytest.mark.parametrize(("number", "log"), [(signal.SIGTERM, "info"), (signal.SIGINT, "debug")])
def test_from_ready_to_stopping(
    any_systemd: Systemd, serve: Serve, sheet: Path, number: signal.Signals, log: str
) -> None:
    process = serve("--camera", sheet, "--rate", "20", "--json", "--log", log, **any_systemd.environment)
    assert any_systemd.expect("READY=1") == "READY=1\nSTATUS=0.0 frames/s, no number yet"
    any_systemd.expect("WATCHDOG=1")
    status = any_systemd.until(lambda message: "40716" in message)
    assert status.startswith("STATUS=")
    assert "frames/s, newest number 40716" in status
    any_systemd.expect("WATCHDOG=1")
    output, lines = ended(process, number)
    any_systemd.expect("STOPPING=1")
    assert any_systemd.received[-1] == "STOPPING=1"
    (entry,) = map(json.loads, output.splitlines())
    assert (entry["kind"], entry["text"], entry["size"]) == ("appeared", "40716", [410, 120])
    assert entry["time"] > 1e9
    # By default no reading is in the log, which systemd's journal keeps.
    assert any("number 1 appeared: 40716" in line for line in lines) == (log == "debug")
    assert any("40716" in line for line in lines) == (log == "debug")
    assert not [line for line in lines if "error" in line]


def test_ready_is_not_sent_before_a_frame_has_been_read(
    systemd: Systemd, serve: Serve, tmp_path: Path
) -> None:
    process = serve("--camera", tmp_path / "later.png", **systemd.environment)
    status = systemd.until(lambda message: "no camera" in message)
    assert status == f"STATUS=no camera: {tmp_path}/later.png: no such file or folder; opening it again"
    assert not {"READY=1", "WATCHDOG=1"} & {message.split("\n")[0] for message in systemd.received}
    assert "EXTEND_TIMEOUT_USEC=30000000" in systemd.received
    cv2.imwrite(str(tmp_path / "part.png"), np.full((200, 300), 255, np.uint8))
    (tmp_path / "part.png").rename(tmp_path / "later.png")
    systemd.expect("READY=1")
    _, lines = ended(process)
    assert [line for line in lines if line.endswith("later.png: open again")]


def test_a_lost_camera_does_not_ping_the_watchdog(
    systemd: Systemd, serve: Serve, tmp_path: Path, digits: Digits
) -> None:
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), write("27", digits))
    (tmp_path / "b.png").unlink()
    (tmp_path / "b.png").symlink_to("a.png")
    process = serve("--camera", tmp_path, "--rate", "20", "--hold", "10", **systemd.environment)
    systemd.expect("READY=1")
    (tmp_path / "a.png").rename(tmp_path / "elsewhere")  # neither can be opened now
    systemd.expect("WATCHDOG_USEC=600000000")
    lost = systemd.until(lambda message: "no camera" in message)
    assert "no such file" in lost
    count = len(systemd.received)
    (tmp_path / "elsewhere").rename(tmp_path / "a.png")
    assert systemd.expect("WATCHDOG_USEC=1000000")
    assert "WATCHDOG=1" not in systemd.received[count:]
    systemd.expect("WATCHDOG=1")
    ended(process)


def test_a_stopped_process_does_not_ping_the_watchdog(systemd: Systemd, serve: Serve, sheet: Path) -> None:
    process = serve("--camera", sheet, "--rate", "20", **systemd.environment)
    systemd.expect("READY=1")
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    systemd.patience = 1.5
    with pytest.raises(queue.Empty):
        systemd.expect("never")  # earlier messages are still queued, and then none follow
    process.send_signal(signal.SIGCONT)
    systemd.patience = LONG
    systemd.expect("WATCHDOG=1")
    ended(process)


@pytest.mark.parametrize(
    ("text", "arguments", "status", "message"),
    [
        ("[camera]\nrotation = 3", [], 78, "config.toml:2: [camera] rotation: 3: must be one of"),
        ('[reader]\nmodel = "nothing"', [], 78, "nothing: no such model"),
        ("", ["--rate", "-1"], 78, "[camera] rate: -1.0: must be"),
        (
            "[reader]\nturn = 45",
            ["--check"],
            78,
            "config.toml:2: [reader] turn: 45: must be one of 0, 90, 180",
        ),
        ("", ["--turn", "45"], 78, '[reader] turn: 45: must be one of 0, 90, 180, 270, "auto"'),
        ("", ["--turn", "up"], 78, '[reader] turn: "up": must be one of 0, 90, 180, 270, "auto"'),
        ('[camera]\nsource = "/nothing.png"\nrepeat = 1', [], 1, "/nothing.png: no such file"),
    ],
)
def test_wrong_settings_are_one_line_and_a_status(
    serve: Serve, tmp_path: Path, text: str, arguments: list[str], status: int, message: str
) -> None:
    process = serve("--config", config(tmp_path, text), *arguments)
    output, errors = process.communicate(timeout=LONG)
    assert (process.returncode, output) == (status, "")
    (line,) = errors.splitlines()
    assert message in line


def test_a_model_that_does_not_fit_its_card(serve: Serve, tmp_path: Path, root: Path) -> None:
    for name in ("digits.tflite", "digits.json"):
        (tmp_path / name).write_bytes((root / "edge" / "digitlens" / "models" / name).read_bytes())
    with (tmp_path / "digits.tflite").open("r+b") as file:
        file.write(b"x")
    process = serve("--model", tmp_path / "digits.tflite")
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 78
    (line,) = errors.splitlines()
    assert "do not fit its card" in line


def test_check_says_ok_or_why_not(serve: Serve, tmp_path: Path) -> None:
    file = config(tmp_path, "[camera]\nrate = 5")
    process = serve("--config", file, "--check")
    assert process.communicate(timeout=LONG) == (f"{file}: ok\n", "")
    assert process.returncode == 0
    process = serve("--config", config(tmp_path, "[camera]\nrat = 5"), "--check")
    output, errors = process.communicate(timeout=LONG)
    assert (process.returncode, output) == (78, "")
    assert f"{file}:2: [camera] rat: no such setting; did you mean rate?" in errors


@pytest.mark.parametrize(
    ("text", "arguments"),
    [("[reader]\nturn = 180\nprinted = true", []), ("[reader]\nturn = 0", ["--turn", "180", "--printed"])],
)
def test_the_turn_of_the_page_reaches_the_reader(
    serve: Serve, tmp_path: Path, digits: Digits, text: str, arguments: list[str]
) -> None:
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), np.ascontiguousarray(np.rot90(write("40716", digits), 2)))
    replay = ["--camera", path, "--repeat", "1", "--rate", "0", "--json"]
    process = serve("--config", config(tmp_path, text), *replay, *arguments)
    output, errors = process.communicate(timeout=2 * LONG)
    assert process.returncode == 0, errors
    (entry,) = map(json.loads, output.splitlines())
    assert (entry["kind"], entry["text"]) == ("appeared", "40716")


def test_under_the_journal_lines_begin_with_their_priority(sheet: Path, tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        done = subprocess.run(
            [sys.executable, "-m", "digitlens", "serve", "--camera", sheet, "--repeat", "1", "--rate", "0"],
            env=os.environ | {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
            stderr=stream,
            timeout=LONG,
            check=True,
        )
        assert done.returncode == 0
        stream.seek(0)
        lines = stream.read().splitlines()
    assert lines[0] == f"<6>ready: {sheet} gives frames, and the first has been read"
    assert all(line.startswith("<6>") for line in lines)


def test_a_reader_of_the_entries_that_leaves(serve: Serve, tmp_path: Path, digits: Digits) -> None:
    for name, text in (("a", "40716"), ("b", "27")):
        cv2.imwrite(str(tmp_path / f"{name}.png"), write(text, digits))
    process = serve("--camera", tmp_path, "--hold", "40", "--rate", "0", "--json")
    assert process.stdout is not None
    assert "40716" in process.stdout.readline()
    process.stdout.close()
    assert process.wait(LONG) == 1
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stdout = None
