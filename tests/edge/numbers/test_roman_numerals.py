"""Columns headed I II III: no numbers, but ones elsewhere are."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def _headed(heads: list[int], rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Heads of so many bars each, over the rows of a page."""
    sheet = np.full((rows.shape[0] + 120, rows.shape[1]), 255, np.uint8)
    sheet[120:] = rows
    for k, bars in enumerate(heads):
        for bar in range(bars):
            x = 60 + 130 * k + 20 * bar
            cv2.line(sheet, (x + bar, 50), (x, 88), (60,), 4, cv2.LINE_AA)
    return sheet


@pytest.mark.parametrize("heads", [[1, 2, 3], [1, 2, 3, 1, 2, 3]])
def test_numerals_at_the_head_are_no_numbers(reader: Reader, digits: Digits, heads: list[int]) -> None:
    rows = write("472  50", digits)
    read = [number.text for number in reader.read(_headed(heads, rows)).numbers]
    assert read == [number.text for number in reader.read(rows).numbers]


@pytest.mark.parametrize("heads", [[1, 2], [1, 3], [2, 1, 1], [3, 1, 2]])
def test_bars_that_do_not_count_up_are_ones(reader: Reader, digits: Digits, heads: list[int]) -> None:
    rows = write("472  50", digits)
    read = [number.text for number in reader.read(_headed(heads, rows)).numbers]
    assert read[: len(heads)] == ["1" * bars for bars in heads]
