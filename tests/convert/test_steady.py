"""The benchmark of the tracker, on short sequences."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

from digitlens.core.readings import Digit, Number, Reading, number
from digitlens_convert import steady
from digitlens_convert.__main__ import main

pytestmark = pytest.mark.slow


def _readings(texts: list[str], count: int) -> list[Reading]:
    numbers: list[Number] = []
    for row, text in enumerate(texts):
        digits = [
            Digit(int(sign), 0.99, (100 + 40 * n, 100 + 90 * row, 28, 45)) for n, sign in enumerate(text)
        ]
        numbers.append(number(tuple(digits)))
    return [Reading("", frame / 30, (640, 480), tuple(numbers), {}) for frame in range(count)]


def test_the_command_writes_a_row_a_sequence(tmp_path: Path, mnist: Path) -> None:
    command = ["steady", "--frames", "10", "--count", "1", "--mnist", str(mnist), "--out", str(tmp_path)]
    assert main(command) == 0
    rows = json.loads((tmp_path / "steady.json").read_text())["sequences"]
    assert [row["frames"] for row in rows] == [10] * 5
    assert rows[0]["steady_after"] <= 10
    assert [row["wrong"] for row in rows] == [0] * 5
    assert "empty ruled" in (tmp_path / "steady.md").read_text()


def test_wrong_steady_numbers_are_counted() -> None:
    """A reader that is always wrong makes wrong steady numbers."""
    seen = _readings(["407", "12"], 20)
    right = steady.follow("right", seen, ["407", "12"])
    wrong = steady.follow("wrong", seen, ["497", "12"])
    assert (right["wrong"], right["misread"], right["not_steady"]) == (0, 0, 0)
    assert wrong["wrong"] == 20 - right["steady_after"] + 1
    assert (wrong["misread"], wrong["steady_after"]) == (20, None)
    assert "or never: 1." in steady.table([wrong | {"left_out": 0}])


def test_misreadings_come_at_their_rate() -> None:
    seen = _readings(["40716258"], 1000)
    worse = steady.misread(seen, 0.02, np.random.default_rng(1))
    changed = np.mean([after.numbers != before.numbers for before, after in zip(seen, worse, strict=True)])
    assert changed == pytest.approx(1 - 0.98**9 * 0.99, abs=0.04)
