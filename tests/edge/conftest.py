"""The stand-in for the Pi's camera (see standins/picamera2.py), and MQTT outlets."""

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
    from tests.edge.outlets.brokers import Watched


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
def mqtt_outlet(watched: "Watched", monkeypatch: pytest.MonkeyPatch) -> "Iterator[Callable[..., MqttOutlet]]":
    """Opens MQTT outlets for a port of this machine; they retry soon."""
    from digitlens.config.settings import MqttSettings
    from digitlens.outlets import mqtt

    monkeypatch.setattr(mqtt, "PAUSES", (0.05, 0.1))
    monkeypatch.setattr(mqtt, "SPREAD", 0.05)
    opened = []

    def opening(
        port: int,
        regions: object = None,
        vitals: "LoopStats | None" = None,
        standing: "Callable[[], Iterable[Entry]]" = tuple,
        **settings: object,
    ) -> "MqttOutlet":
        mqtt_settings = MqttSettings(broker="127.0.0.1", port=port, **settings)  # type: ignore[arg-type]
        look = vitals.snapshot if vitals is not None else None
        opened.append(
            mqtt.MqttOutlet(mqtt_settings, "pi", watched, regions, look, watched.lines.put, list(standing()))  # type: ignore[arg-type]
        )
        return opened[-1]

    yield opening
    for one in opened:
        one.close()
