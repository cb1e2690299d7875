"""What the live benchmark takes."""

import pytest

from digitlens.live.benchmark import Benchmark, LogHistogram


def test_the_meter_in_figures() -> None:
    meter = Benchmark()
    for turn in range(2000):
        meter("glyphs", 1 + turn % 10)
        meter("total", 10.0)
    figures = meter.figures()
    assert figures["frames"] == 2000
    assert figures["milliseconds"]["total"] == {
        "median": pytest.approx(10, rel=0.01),
        "p99": pytest.approx(10, rel=0.01),
    }  # type: ignore[index]
    assert figures["milliseconds"]["glyphs"]["median"] == pytest.approx(5, rel=0.01)  # type: ignore[index]
    assert figures["milliseconds"]["glyphs"]["p99"] == pytest.approx(10, rel=0.01)  # type: ignore[index]


def test_a_spread_of_nothing_and_of_zeros() -> None:
    spread = LogHistogram()
    assert spread.quantile(0.5) == 0
    spread.add(0)
    assert spread.quantile(0.99) < 0.001
