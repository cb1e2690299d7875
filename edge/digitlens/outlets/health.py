"""How the camera and the machine do, as MQTT tells it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from digitlens.live.stats import StatsSnapshot

THERMOMETER = Path("/sys/class/thermal/thermal_zone0/temp")
"""The processor's, in thousandths of a degree Celsius; not every machine has one."""


def report(vitals: Callable[[], StatsSnapshot], waiting: int) -> bytes:
    """The vitals but for the stages' times, the readings that wait, and the temperature if there is one."""
    told = {
        name: value for name, value in msgspec.structs.asdict(vitals()).items() if not isinstance(value, dict)
    }
    told["waiting"] = waiting
    with suppress(OSError, ValueError):
        told["temperature"] = int(THERMOMETER.read_text()) / 1000
    return msgspec.json.encode(told)
