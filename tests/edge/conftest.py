"""The stand-in for the Pi's camera (standins/picamera2.py says what it proves), and MQTT outlets."""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.edge.cameras.standins import FOLDER

if TYPE_CHECKING:  # paho-mqtt is optional
    from digitlens.live.stats import LoopStats
    from digitlens.outlets.entries import Entry
    from digitlens.outlets.mqtt import MqttOutlet
    from tests.edge.outlets.brokers import WatchedOutbox


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A fresh stand-in; calls that hang in it are released at the end."""
    for name in ("picamera2", "libcamera"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(FOLDER))
    picamera2 = import_module("picamera2")
    yield picamera2
    picamera2.sensor.hangs.set()
    for name in ("picamera2", "libcamera"):
        sys.modules.pop(name, None)


@pytest.fixture
def mqtt_outlet(watched: "WatchedOutbox") -> "Iterator[Callable[..., MqttOutlet]]":
    """Opens MQTT outlets for a port of this machine, which do not wait long before they try again."""
    from digitlens.outlets.mqtt import MqttOutlet
    from digitlens.outlets.mqtt_settings import MqttSettings, MqttTiming

    brief = MqttTiming(pauses=(0.05, 0.1), birth_spread=0.05)
    opened = []

    def opening(
        port: int,
        regions: object = None,
        stats: "LoopStats | None" = None,
        present: "Callable[[], Iterable[Entry]]" = tuple,
        timing: MqttTiming = brief,
        **settings: object,
    ) -> "MqttOutlet":
        parsed = MqttSettings(broker="127.0.0.1", port=port, **settings)  # type: ignore[arg-type]
        snapshot = stats.snapshot if stats is not None else None
        opened.append(
            MqttOutlet(parsed, "pi", watched, regions, snapshot, watched.lines.put, list(present()), timing)  # type: ignore[arg-type]
        )
        return opened[-1]

    yield opening
    for one in opened:
        one.close()
