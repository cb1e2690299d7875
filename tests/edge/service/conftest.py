"""Processes of `digitlens serve`, and what they read."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.edge.pages import write
from tests.edge.service.services import Systemd

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@pytest.fixture(params=["path", "abstract"])
def any_systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@digitlens-test-{os.getpid()}"
    systemd = Systemd(address)
    yield systemd
    systemd.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(str(tmp_path / "notify"))
    yield systemd
    systemd.close()


@pytest.fixture
def sheet(tmp_path: Path, digits: Digits) -> Path:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), write("40716", digits))
    return path


@pytest.fixture
def serve() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "digitlens", "serve", *map(str, arguments)],
                env=inherited | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
