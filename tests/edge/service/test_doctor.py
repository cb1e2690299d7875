"""digitlens doctor: checks over a tree of made-up machine files, and the command as a user starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.config.settings import CameraSettings, JournalSettings, ReaderSettings, Settings
from digitlens.models import cards
from digitlens.outlets.mqtt_settings import MqttSettings
from digitlens.outlets.web.settings import WebSettings
from digitlens.service import doctor, machine


def put(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


NEEDED = ("settings", "python", "interpreter", "model", "ink", "rows", "numbers", "sheets", "camera")
"""Checks that are ok wherever the tests run."""
MEMORY = "MemTotal:         948000 kB\nMemFree:  30000 kB\nMemAvailable: {} kB\n"


@pytest.mark.parametrize(
    ("available", "state", "message"),
    [(500_000, "ok", "488 of 925 MiB"), (90_000, "fix", "87 of 925 MiB are free: end other programs")],
)
def test_memory(tmp_path: Path, available: int, state: str, message: str) -> None:
    found = machine.memory(put(tmp_path, proc__meminfo=MEMORY.format(available)))
    assert (found.state, found.message[: len(message)]) == (state, message)
    assert machine.memory(tmp_path / "nothing").state == "unknown"


def test_temperature(tmp_path: Path) -> None:
    assert machine.temperature(tmp_path).state == "unknown"
    put(tmp_path, sys__class__thermal__thermal_zone0__temp="48312\n")
    assert machine.temperature(tmp_path) == machine.Finding("temperature", "ok", "48 °C")
    put(tmp_path, sys__class__thermal__thermal_zone1__temp="82000\n")
    found = machine.temperature(tmp_path)
    assert (found.state, found.message[:14]) == ("fix", "82 °C: cool it")


def program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    path.chmod(0o755)


def path_of(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("says", "state", "message"),
    [
        ("throttled=0x0", "ok", "none"),
        ("throttled=0x50005", "fix", "the voltage is too low now"),
        ("throttled=0x10000", "fix", "the voltage has been too low since the start"),
        ("VCHI initialization failed", "unknown", "VCHI initialization failed"),
    ],
)
def test_throttling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, state: str, message: str
) -> None:
    program(tmp_path / "bin", "vcgencmd", says)
    path_of(monkeypatch, tmp_path / "bin")
    found = machine.throttling()
    assert (found.state, found.message[: len(message)]) == (state, message)


def test_groups(tmp_path: Path) -> None:
    user = "maker"
    passwd = f"root:x:0:0::/root:/bin/sh\n{user}:x:{os.getuid()}:1000::/home/maker:/bin/sh\n"
    if os.getuid() == 0:
        passwd = f"{user}:x:0:1000::/home/maker:/bin/sh\n"
    put(tmp_path, etc__passwd=passwd, etc__group="video:x:44:maker,other\nrender:x:105:\n")
    found = machine.groups(tmp_path)
    assert (found.state, found.message) == ("fix", "maker is not in render: sudo usermod -aG render maker")
    put(tmp_path, etc__group="video:x:44:maker\nrender:x:105:maker\n")
    assert machine.groups(tmp_path).state == "ok"
    # Where the service is installed, its user counts, and what its unit gives it.
    unit = {"etc__systemd__system__digitlens.service": "[Service]\nSupplementaryGroups=video\n"}
    put(tmp_path, **unit)
    assert machine.groups(tmp_path).message == "no user digitlens: run install.sh again"
    put(tmp_path, etc__passwd=f"{passwd}digitlens:x:990:990::/:/bin/false\n")
    assert machine.groups(tmp_path).message.startswith("digitlens is not in render: ")


def test_screen(tmp_path: Path) -> None:
    assert "needs none" in machine.screen(tmp_path, {}).message
    put(tmp_path, dev__dri__card1="")
    assert machine.screen(tmp_path, {}).message == "card1, no desktop: --display drm"
    assert "WAYLAND_DISPLAY=wayland-1" in machine.screen(tmp_path, {"WAYLAND_DISPLAY": "wayland-1"}).message


@pytest.mark.parametrize(("says", "state"), [("yes", "ok"), ("no", "fix"), ("?", "unknown")])
def test_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, state: str) -> None:
    program(tmp_path / "bin", "timedatectl", says)
    path_of(monkeypatch, tmp_path / "bin")
    assert machine.clock(tmp_path, 2026).state == state
    assert machine.clock(tmp_path, 1970).message.startswith("it shows the year 1970: ")
    put(tmp_path, run__systemd__timesync__synchronized="")
    assert machine.clock(tmp_path, 2026).state == "ok"


@pytest.mark.parametrize(
    ("says", "state", "message"),
    [
        (
            "LoadState=loaded\nActiveState=active\nSubState=running\nStatusText=9 frames/s\nNRestarts=2",
            "ok",
            "active (running), 9 frames/s, restarted 2 times",
        ),
        (
            "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nStatusText=",
            "fix",
            "failed (failed), exit-code: journalctl -u digitlens.service -n 20 says why",
        ),
        ("LoadState=loaded\nActiveState=inactive\nSubState=dead", "fix", "inactive (dead): sudo systemctl"),
        ("LoadState=not-found\nActiveState=inactive", "unknown", "digitlens.service is not installed"),
    ],
)
def test_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, state: str, message: str) -> None:
    program(tmp_path / "bin", "systemctl", says)
    path_of(monkeypatch, tmp_path / "bin")
    found = machine.unit()
    assert (found.state, found.message[: len(message)]) == (state, message)


def test_disk(tmp_path: Path) -> None:
    journal = JournalSettings(file=str(tmp_path / "journal.db"), megabytes=1)
    assert machine.disk(Settings(journal=journal), tmp_path).state == "ok"
    missing = Settings(journal=JournalSettings(file=str(tmp_path / "no" / "journal.db")))
    assert "is missing: make it" in machine.disk(missing, tmp_path).message
    huge = Settings(journal=JournalSettings(file=journal.file, megabytes=10**9))
    assert machine.disk(huge, tmp_path).state == "fix"


def test_camera(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), np.full((120, 160), 200, np.uint8))
    unknown = machine.Finding("unit", "unknown", "no systemd")
    there = doctor.camera(Settings(camera=CameraSettings(source=str(path))), unknown)
    assert (there.state, there.message) == ("ok", f"{path} gives frames of 160 x 120")
    missing = doctor.camera(Settings(camera=CameraSettings(source="usb:63")), unknown)
    assert missing.state == "fix"
    assert missing.message.startswith("usb:63: no such camera")
    running = machine.Finding("unit", "ok", "active (running)")
    assert doctor.camera(Settings(camera=CameraSettings(source="usb:63")), running).state == "ok"


def test_model_and_outlets(tmp_path: Path) -> None:
    assert doctor.model(ReaderSettings().model).message.startswith("digits, int8, 99.")
    assert doctor.model("nothing").state == "fix"
    assert doctor.model("ink").message.startswith(str(cards.find("ink")))
    assert doctor.ink() == machine.Finding("ink", "ok", "ink, int8")
    assert doctor.numbers() == machine.Finding("numbers", "ok", "rejection, pairs, plausibility")
    assert doctor.rows() == machine.Finding("rows", "ok", "numbers, hypotheses")
    assert doctor.sheets() == machine.Finding("sheets", "ok", "cell_digits, cells, marks")
    secret = tmp_path / "token"
    settings = Settings(outlets={"web": WebSettings(listen="127.0.0.1:8099", token_file=str(secret))})
    assert (
        doctor.outlets(settings).message
        == f"[web] token_file: {secret} cannot be read: No such file or directory"
    )
    secret.write_text("x" * 40)
    assert doctor.outlets(settings).message.endswith(
        f"others than its group can reach it: chmod 640 {secret}"
    )
    secret.chmod(0o640)
    assert doctor.outlets(settings) == machine.Finding("outlets", "ok", "web")
    unused = Settings(outlets={"mqtt": MqttSettings(password_file="/nothing")})  # noqa: S106  # a path
    assert doctor.outlets(unused).state == "ok"


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), np.full((120, 160), 200, np.uint8))
    config = tmp_path / "config.toml"
    config.write_text(f'[camera]\nsource = "{path}"\n')
    command = [sys.executable, "-m", "digitlens", "doctor", "--config", str(config)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert {found[name]["state"] for name in NEEDED} == {"ok"}
    assert done.returncode == any(one["state"] == "fix" for one in found.values())
    config.write_text("[camera]\nsorce = 3\n")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("settings:"))
    assert line == f"settings:     fix:     {config}:2: [camera] sorce: no such setting; did you mean source?"
    assert len(done.stdout.splitlines()) == 19
