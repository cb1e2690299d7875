"""Which display is opened, the one line where it cannot be, and a driver of another package."""

import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.core.errors import DisplayError
from digitlens.displays.registry import open_display
from tests.edge.packages import install


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("drm", "no preview of its own"), ("qt", "no preview of its own"), ("tft", "there is auto")],
)
def test_a_display_that_cannot_be_opened_is_named(wanted: str, says: str) -> None:
    with pytest.raises(DisplayError, match=f"{wanted}.*{says}"):
        open_display(wanted)


def test_none_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert open_display("none").name == "none"
    assert capsys.readouterr().err == "digitlens: display none; as asked\n"


DISPLAY = """
class Lamp:
    name, about = "lamp", "green"

    def show(self, image, numbers, size, status):
        return ["quit"]

    def follow(self, preview):
        pass

    def close(self):
        pass

class Driver:
    order = -1

    def open(self, options):
        return Lamp()

DRIVER = Driver()
"""
USE_DISPLAY = """
import numpy as np
from digitlens.displays.registry import display_drivers, open_display
print(*display_drivers())
for wanted in ("auto", "lamp"):
    print(open_display(wanted).show(np.zeros((2, 2), np.uint8), (), (2, 2), ""))
"""


def test_a_display_of_another_package_is_used(tmp_path: Path) -> None:
    environment = install(tmp_path, "digitlens.displays", "lamp", DISPLAY)
    run = subprocess.run(
        [sys.executable, "-c", USE_DISPLAY], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout.splitlines() == ["lamp drm qt sdl none", "['quit']", "['quit']"]
    lines = ["display lamp (green); the best there is", "display lamp (green); as asked"]
    assert run.stderr.splitlines() == [f"digitlens: {line}" for line in lines]


def test_a_display_of_another_package_is_an_option_of_the_command(tmp_path: Path) -> None:
    environment = install(tmp_path, "digitlens.displays", "lamp", DISPLAY)
    run = subprocess.run(
        [sys.executable, "-m", "digitlens", "live", "--help"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert "{auto,lamp,drm,qt,sdl,none}" in run.stdout
