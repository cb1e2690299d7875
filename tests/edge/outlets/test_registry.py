"""Outlets are found by their entry points: one that another package brings needs no line of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.outlets import registry
from digitlens.outlets.base import Outlet

ROOT = Path(__file__).parents[3]
BELL = """
from typing import Annotated

import msgspec

from digitlens.outlets.base import Option, Outlet


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: Annotated[str, msgspec.Meta(description="The file that each reading adds a line to.")] = ""


class Bell(Outlet):
    name, Settings, switch = "bell", Settings, "file"
    options = (Option("--bell", "file", "ring there", "FILE"),)

    @classmethod
    def open(cls, settings, context):
        one = cls()
        one.file, one.device = settings.file, context.device
        return one

    def announce(self, entries):
        with open(self.file, "a") as file:
            file.writelines(f"{self.device} {entry.kind} {entry.text}\\n" for entry in entries)
"""
"""An outlet as another package would have it."""


def install(folder: Path, source: str, target: str) -> dict[str, str]:
    """Put a package with one outlet where Python looks for packages; the environment to run in."""
    (folder / "bell.py").write_text(source)
    about = folder / "bell-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bell\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text(f"[digitlens.outlets]\nbell = {target}\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def digitlens(environment: dict[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "digitlens", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


@pytest.mark.slow
def test_an_outlet_from_outside_is_an_option_a_section_and_gets_the_readings(tmp_path: Path) -> None:
    environment = install(tmp_path, BELL, "bell:Bell")
    assert len(BELL.strip().splitlines()) <= 30
    assert "--bell FILE" in digitlens(environment, "serve", "--help").stdout
    assert "[bell]" in digitlens(environment, "serve", "--example").stdout
    sheet = ROOT / "examples" / "sheet.jpg"
    config = tmp_path / "config.toml"
    config.write_text(
        f'name = "hall"\n[camera]\nsource = "{sheet}"\nrate = 0\nhold = 60\nrepeat = 1\n'
        f'[bell]\nfile = "{tmp_path}/b"\n'
    )
    doctor = digitlens(environment, "doctor", "--config", config, "--json")
    assert json.loads(doctor.stdout)["outlets"]["said"] == "bell"
    done = digitlens(environment, "serve", "--config", config)
    assert done.returncode == 0, done.stderr
    assert "hall appeared 7653" in (tmp_path / "b").read_text()
    config.write_text("[bell]\nfle = 3")
    refused = digitlens(environment, "serve", "--config", config)
    assert refused.returncode == 78
    assert "[bell] fle: no such setting; did you mean file?" in refused.stderr


@pytest.mark.parametrize(
    ("target", "reason"),
    [("bell:Missing", "bell does not load"), ("json:JSONDecoder", "is no Outlet of that name")],
)
def test_a_broken_outlet_from_outside_is_one_line(tmp_path: Path, target: str, reason: str) -> None:
    done = digitlens(install(tmp_path, BELL, target), "serve", "--check")
    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_shipped_outlets_have_all_that_the_registry_needs() -> None:
    found = registry.outlets()
    assert list(found) == ["lines", "mqtt", "web", "webhook"]
    for outlet in found.values():
        assert issubclass(outlet, Outlet)
        assert outlet.switch in outlet.Settings().__struct_fields__
        assert not getattr(outlet.Settings(), outlet.switch)  # off until it is asked for
        assert not outlet.is_on(outlet.Settings())
