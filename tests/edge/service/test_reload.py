"""Reloading digitlens serve, by the signal and by the unit's commands."""

import json
import re
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


def two_sheets(folder: Path, digits: Digits) -> Path:
    """Pictures of 40716 and of 27, and settings that show the first."""
    for text in ("40716", "27"):
        cv2.imwrite(str(folder / f"{text}.png"), write(text, digits))
    return config(folder, f'[camera]\nsource = "{folder}/40716.png"\nrate = 20\n')


def test_a_reload_takes_what_has_changed_and_loses_no_frame(
    systemd: Systemd, serve: Serve, tmp_path: Path, sheet: Path
) -> None:
    """At rate 0 no machine is too slow: a frame is missing only where the camera was opened anew."""
    file = config(tmp_path, f'[camera]\nsource = "{sheet}"\nrate = 0\nhold = 1200\nrepeat = 1\n')
    process = serve("--config", file, "--json", **systemd.environment)
    systemd.expect("READY=1")
    config(tmp_path, file.read_text() + "[reader]\nthreads = 2\n[region.all]\ncorners = [0, 0, 1, 1]\n")
    process.send_signal(signal.SIGHUP)
    reloading = systemd.expect("RELOADING=1")
    assert reloading.split("\n")[1].startswith("MONOTONIC_USEC=")
    systemd.expect("READY=1")
    config(tmp_path, file.read_text() + "[camera]\n")
    process.send_signal(signal.SIGHUP)
    systemd.expect("RELOADING=1")
    ready = systemd.expect("READY=1")
    assert f"the settings stay as they were: {file}:" in ready
    output, errors = process.communicate(timeout=3 * LONG)  # the replay's end
    assert process.returncode == 0, errors
    systemd.expect("STOPPING=1")
    entries = list(map(json.loads, output.splitlines()))
    # The number is tracked on and reported once: in the region, unless it was steady before the reload.
    assert {(entry["kind"], entry["number"], entry["text"]) for entry in entries} == {
        ("appeared", 1, "40716")
    }
    assert len(entries) == 1
    assert len([line for line in errors.splitlines() if "error: " in line]) == 1
    assert "taken over" in errors
    assert "stopping after 1200 frames" in errors


def test_a_reload_changes_the_camera_and_a_wrong_one_leaves_it(
    systemd: Systemd, serve: Serve, tmp_path: Path, digits: Digits
) -> None:
    file = two_sheets(tmp_path, digits)
    process = serve("--config", file, "--json", **systemd.environment)
    systemd.until(lambda message: "40716" in message)
    config(tmp_path, '[camera]\nsource = "/nothing.png"\nrate = 20\n')
    process.send_signal(signal.SIGHUP)
    systemd.expect("RELOADING=1")
    assert "the camera's settings stay as they were: /nothing.png: no such file" in systemd.expect("READY=1")
    systemd.expect("WATCHDOG=1")
    config(tmp_path, f'[camera]\nsource = "{tmp_path}/27.png"\nrate = 20\n')
    process.send_signal(signal.SIGHUP)
    systemd.until(lambda message: "newest number 27" in message)
    assert "stay" not in systemd.received[-1]
    ended(process)


def reload_by_the_unit(root: Path, file: Path, pid: int) -> "subprocess.CompletedProcess[str]":
    """What systemd runs for `systemctl reload`: the unit's commands, until one fails."""
    unit = (root / "deploy" / "digitlens.service").read_text()
    done = None
    for command in re.findall("^ExecReload=(.*)$", unit, re.MULTILINE):
        for name, value in {
            "/opt/digitlens/current/bin/digitlens": f"{sys.executable} -m digitlens",
            "/etc/digitlens/config.toml": str(file),
            "$MAINPID": str(pid),
        }.items():
            command = command.replace(name, value)
        done = subprocess.run(command.split(), capture_output=True, text=True)
        if done.returncode:
            break
    assert done is not None
    return done


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("[reader]\nthreads = 0\n", "config.toml:5: [reader] threads: 0: must be"),
        ('[reader]\nmodel = "nothing"\n', "nothing: no such model"),
    ],
)
def test_systemctl_reload_fails_where_the_settings_are_wrong(
    systemd: Systemd, serve: Serve, tmp_path: Path, sheet: Path, root: Path, wrong: str, why: str
) -> None:
    right = f'[camera]\nsource = "{sheet}"\nrate = 20\n'
    file = config(tmp_path, right)
    process = serve("--config", file, **systemd.environment)
    systemd.expect("READY=1")
    config(tmp_path, right + wrong)
    done = reload_by_the_unit(root, file, process.pid)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert why in line
    config(tmp_path, right + "[region.all]\ncorners = [0, 0, 1, 1]\n")
    assert reload_by_the_unit(root, file, process.pid).returncode == 0
    systemd.expect("RELOADING=1")
    systemd.expect("READY=1")
    assert [message[:11] for message in systemd.received].count("RELOADING=1") == 1
    _, lines = ended(process)
    assert not [line for line in lines if "stay as they were" in line]


def test_a_reload_while_another_is_prepared_is_not_lost(
    systemd: Systemd, serve: Serve, tmp_path: Path, digits: Digits
) -> None:
    file = two_sheets(tmp_path, digits)
    process = serve("--config", file, **systemd.environment)
    systemd.expect("READY=1")
    config(tmp_path, file.read_text() + "[reader]\nthreads = 2\n")
    process.send_signal(signal.SIGHUP)
    systemd.expect("RELOADING=1")  # another reader is being made now
    config(tmp_path, f'[camera]\nsource = "{tmp_path}/27.png"\nrate = 20\n')
    process.send_signal(signal.SIGHUP)
    for state in ("READY=1", "RELOADING=1", "READY=1"):
        systemd.expect(state)
    systemd.until(lambda message: "newest number 27" in message)
    ended(process)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is in /proc")
def test_reloads_leave_no_reader_in_memory(
    systemd: Systemd, serve: Serve, tmp_path: Path, sheet: Path
) -> None:
    """A reader holds some 20 MiB once it has read, and ten reloads make ten."""
    file = config(tmp_path, f'[camera]\nsource = "{sheet}"\nrate = 20\n')
    process = serve("--config", file, **systemd.environment)
    systemd.expect("READY=1")
    systemd.expect("WATCHDOG=1")
    resident = []
    for count in range(10):
        config(tmp_path, f'[camera]\nsource = "{sheet}"\nrate = 20\n[reader]\nthreads = {1 + count % 2}\n')
        process.send_signal(signal.SIGHUP)
        systemd.expect("RELOADING=1")
        systemd.expect("READY=1")
        systemd.expect("WATCHDOG=1")  # of a frame that the new one has read
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024)
    assert resident[-1] - resident[0] < 50, resident
    ended(process)
