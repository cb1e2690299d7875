"""Which camera is opened, the one line where there is none, and a driver of another package."""

import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.cameras.registry import open_camera
from digitlens.core.errors import CameraError
from tests.edge.packages import install


def bad(tmp_path: Path, kind: str) -> str:
    if kind == "missing":
        return str(tmp_path / "missing.avi")
    if kind == "empty":
        return str(tmp_path)
    return kind


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "no such file"),
        ("empty", "no pictures in this folder"),
        ("usb:9", "usb:9: no such camera"),
        ("usb:x", "take usb:N"),
        ("picamera", "picamera2 is not installed"),
    ],
)
def test_a_camera_that_is_not_there_is_one_line(tmp_path: Path, kind: str, said: str) -> None:
    with pytest.raises(CameraError, match=said) as caught:
        open_camera(bad(tmp_path, kind))
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("wrong", [{"rotation": 45}, {"flip": "sideways"}])
def test_an_impossible_orientation_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(CameraError, match="take a rotation of 0, 90, 180, 270"):
        open_camera(str(tmp_path), **wrong)  # type: ignore[arg-type]


def test_nothing_of_a_camera_is_loaded_until_it_is_opened() -> None:
    program = "import sys, digitlens.cameras; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"digitlens.cameras.v4l2", "digitlens.cameras.replay", "picamera2"} & set(run.stdout.split())


CAMERA = """
import numpy as np
from digitlens.core.frames import Frame

class Gradient:
    name, dropped, preview = "gradient", 0, None

    def __init__(self, size):
        self.gray = np.full(size[::-1], 77, np.uint8)

    def newest(self, timeout):
        return Frame(self.gray, self.gray, 0.0, 0.0)

    def close(self):
        pass

class Driver:
    automatic, is_replay = None, False

    def matches(self, spec):
        return spec.startswith("gradient:")

    def open(self, spec, options):
        return Gradient(options.size)

DRIVER = Driver()
"""
USE_CAMERA = """
from digitlens.cameras.registry import is_replay, open_camera
camera = open_camera("gradient:1", size=(64, 48))
print(camera.name, camera.newest(1.0).gray.shape, is_replay("gradient:1"), is_replay("film.avi"))
"""


def test_a_camera_of_another_package_is_used(tmp_path: Path) -> None:
    environment = install(tmp_path, "digitlens.cameras", "gradient", CAMERA)
    run = subprocess.run(
        [sys.executable, "-c", USE_CAMERA], capture_output=True, text=True, env=environment, check=True
    )
    assert (run.stdout, run.stderr) == ("gradient (48, 64) False True\n", "")


def test_a_driver_that_cannot_be_imported_is_a_line_and_the_others_work(tmp_path: Path) -> None:
    environment = install(tmp_path, "digitlens.cameras", "broken", "import a_library_that_is_not_there\n")
    program = "from digitlens.cameras.registry import is_replay; print(is_replay('film.avi'))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout == "True\n"
    (line,) = run.stderr.splitlines()
    assert line.startswith("the camera driver broken cannot be imported: No module named")


def test_no_driver_at_all_is_one_line() -> None:
    for spec in ("auto", "film.avi"):
        with pytest.raises(CameraError, match="no camera driver is installed"):
            open_camera(spec, drivers=())
