"""The health report that MQTT publishes: the live loop's statistics and the machine's temperature."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from digitlens.live.stats import StatsSnapshot

THERMOMETER = Path("/sys/class/thermal/thermal_zone0/temp")
"""The processor's temperature, in thousandths of a degree Celsius; not every machine has one."""


def report(stats: Callable[[], StatsSnapshot], pending: int) -> bytes:
    """A JSON object of the statistics without the stages' times, the pending readings and the temperature."""
    fields = {
        name: value for name, value in msgspec.structs.asdict(stats()).items() if not isinstance(value, dict)
    }
    fields["waiting"] = pending  # the key that dashboards and Home Assistant read
    with suppress(OSError, ValueError):
        fields["temperature"] = int(THERMOMETER.read_text()) / 1000
    return msgspec.json.encode(fields)
