"""What the live benchmark takes."""

from typing import Any

import pytest

from digitlens.live.benchmark import Benchmark, LogHistogram


def test_the_meter_in_figures() -> None:
    meter = Benchmark()
    for turn in range(2000):
        meter("segment", 1 + turn % 10)
        meter("total", 10.0)
    figures: dict[str, Any] = meter.figures()
    assert figures["frames"] == 2000
    assert figures["milliseconds"]["total"] == {
        "median": pytest.approx(10, rel=0.01),
        "p99": pytest.approx(10, rel=0.01),
    }
    assert figures["milliseconds"]["segment"]["median"] == pytest.approx(5, rel=0.01)
    assert figures["milliseconds"]["segment"]["p99"] == pytest.approx(10, rel=0.01)


def test_a_spread_of_nothing_and_of_zeros() -> None:
    spread = LogHistogram()
    assert spread.quantile(0.5) == 0
    spread.add(0)
    assert spread.quantile(0.99) < 0.001
