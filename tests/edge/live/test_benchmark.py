"""The figures of the live benchmark."""

from typing import Any

import pytest

from digitlens.live.benchmark import Benchmark, LogHistogram


def test_the_figures() -> None:
    benchmark = Benchmark()
    for turn in range(2000):
        benchmark.stage("glyphs", 1 + turn % 10)
        benchmark.stage("total", 10.0)
    figures: dict[str, Any] = benchmark.figures()
    assert figures["frames"] == 2000
    assert figures["milliseconds"]["total"] == {
        "median": pytest.approx(10, rel=0.01),
        "p99": pytest.approx(10, rel=0.01),
    }
    assert figures["milliseconds"]["glyphs"]["median"] == pytest.approx(5, rel=0.01)
    assert figures["milliseconds"]["glyphs"]["p99"] == pytest.approx(10, rel=0.01)


def test_a_histogram_of_nothing_and_of_zeros() -> None:
    times = LogHistogram()
    assert times.quantile(0.5) == 0
    times.add(0)
    assert times.quantile(0.99) < 0.001
