"""The stand-in for the Pi's camera; standins/picamera2.py says what it proves."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.edge.standins import FOLDER


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The stand-in, fresh; what hangs in it is let go at the end."""
    for name in ("picamera2", "libcamera"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(FOLDER))
    import picamera2

    yield picamera2
    picamera2.sensor.hangs.set()
    for name in ("picamera2", "libcamera"):
        sys.modules.pop(name, None)
