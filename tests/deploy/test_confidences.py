"""The check of confidences: which numbers of a row and of a page are right, and the calibration error."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra train")

from digitlens.core.readings import Digit, Number, number
from digitlens_convert.papers import Truth


@pytest.fixture(scope="module")
def check(root: Path) -> Iterator[ModuleType]:
    sys.path.insert(0, str(root / "deploy" / "checks" / "readings"))
    yield import_module("confidences")
    sys.path.pop(0)


def _number(text: str, confidence: float = 0.9) -> Number:
    return number(tuple(Digit(int(sign), confidence, (20 * k, 0, 18, 30)) for k, sign in enumerate(text)))


@pytest.mark.parametrize(
    ("read", "written", "right"),
    [
        (["1500"], "1500", [True]),
        (["500"], "1500", [False]),
        (["12", "34"], "1234", [True, True]),
        (["12", "4"], "1234", [False, False]),
        (["12", "99", "34"], "1234", [True, False, True]),
        (["7"], "", [False]),
        ([], "12", []),
    ],
)
def test_numbers_of_a_row(check: ModuleType, read: list[str], written: str, right: list[bool]) -> None:
    assert check.of_row([_number(text) for text in read], written) == right


def test_numbers_of_a_page_count_once_and_print_not_at_all(check: ModuleType) -> None:
    read = [_number("12", 0.9), _number("12", 0.8), _number("7", 0.7), _number("99", 0.6)]
    found = check.of_page(read, Truth(numbers=["12", "5"], printed=["99"]))
    assert [right for _, right in found] == [True, False, False]


def test_the_error_of_a_calibration(check: ModuleType) -> None:
    right = np.array([True, True, True, False])
    assert check.error(np.full(4, 0.75), right) == pytest.approx(0)
    assert check.error(np.full(4, 0.95), right) == pytest.approx(0.2)
