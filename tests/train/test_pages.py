"""Synthetic pages: seeded, with a ground truth that the reader finds again."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

from digitlens import Reader
from digitlens.core.alignment import edit_distance
from digitlens_train import page_photos, synthetic
from digitlens_train.__main__ import main

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", synthetic.KINDS)
def test_pages_are_seeded(kind: synthetic.Kind, digits) -> None:
    pictures = list(digits[0]), digits[1]
    letters = list(digits[0][:50])
    first, again, other = (
        synthetic.page(kind, pictures, letters, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert first[0].shape != other[0].shape or np.any(first[0] != other[0])
    assert first[0].dtype == np.uint8
    assert first[0].shape[:2][::-1] in synthetic.SIZES
    if kind == "numbers":
        assert all(row.isdigit() for row in first[1])
    else:
        assert first[1] == []


def test_the_truth_is_on_the_page(digits, reader: Reader) -> None:
    """Most digits of twelve pages in any hand are found again, in their order."""
    pictures = list(digits[0]), digits[1]
    errors = total = 0
    for seed in range(12):
        page, rows = synthetic.page("numbers", pictures, [], np.random.default_rng((9, seed)))
        read = "".join(number.text for number in reader.read(page).numbers)
        errors += edit_distance("".join(rows), read)
        total += len("".join(rows))
    assert total > 60
    assert errors < 0.3 * total


def test_an_empty_table_has_no_digits(digits, reader: Reader) -> None:
    pictures = list(digits[0]), digits[1]
    read = [
        reader.read(synthetic.page("table", pictures, [], np.random.default_rng((4, seed)))[0]).numbers
        for seed in range(8)
    ]
    assert sum(bool(numbers) for numbers in read) <= 1


@pytest.mark.parametrize("kind", ["plain", "ruled", "squared", "table"])
def test_a_sheet_has_its_lines(kind: page_photos.Kind) -> None:
    sheet = page_photos.sheet((300, 200), kind, 30, np.random.default_rng(2))
    assert sheet.shape == (200, 300, 3)
    columns = np.count_nonzero(np.ptp(sheet[..., 0], axis=0) > 0)
    rows = np.count_nonzero(np.ptp(sheet[..., 0], axis=1) > 0)
    assert (columns > 0) == (kind != "plain")
    assert (rows > 0) == (kind in ("squared", "table"))


def test_a_folder_for_the_benchmark(tmp_path: Path, mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pages"
    arguments = ["pages", "--kind", "numbers", "--count", "2", "--out", str(out), "--mnist", str(mnist)]
    assert main(arguments) == 0
    labels = json.loads((out / "labels.json").read_text())
    assert sorted(labels) == ["numbers_0000.png", "numbers_0001.png"]
    assert all(cv2.imread(str(out / name)) is not None for name in labels)
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err
