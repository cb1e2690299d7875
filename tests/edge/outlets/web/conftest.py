"""A sheet to be read, and pages without a camera."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.outlet import WebOutlet
from tests.edge.outlets.web.viewing import LONG, TOKEN
from tests.edge.pages import write

Pixels = npt.NDArray[np.uint8]
PATIENT = ServerLimits(receive_timeout=2 * LONG)
"""Closes no connection because a busy machine is slow, but for other reasons alone."""


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory, digits: tuple[Pixels, Pixels]) -> Path:
    path = tmp_path_factory.mktemp("sheet") / "sheet.png"
    cv2.imwrite(str(path), write("40716", digits))
    return path


@pytest.fixture
def web() -> Iterator[WebOutlet]:
    one = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"), limits=PATIENT)
    yield one
    one.close()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def guarded(lines: list[str]) -> Iterator[WebOutlet]:
    one = WebOutlet(
        "0.0.0.0:0", LatestFrame(), LoopStats("usb:0"), token=TOKEN, say=lines.append, limits=PATIENT
    )
    yield one
    one.close()
