"""The shipped row network."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from digitlens import ModelError
from digitlens.config.parameters.rows import RowParameters
from digitlens.models import cards
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import BLANK, WIDTHS, RowRecognizer, padded
from tests.edge.pages import touch, write
from tests.edge.rows.row_pages import Digits, crop_of


@pytest.fixture(scope="module")
def recognizer() -> RowRecognizer:
    return RowRecognizer.load()


@pytest.mark.parametrize("width", [1, 63, 64, 65, 200, 384, 900])
def test_padded_crops_have_few_widths(width: int) -> None:
    wide = padded(np.full((CROP_HEIGHT, width), 9, np.uint8))
    assert wide.shape == (CROP_HEIGHT, next((w for w in WIDTHS if w >= width), WIDTHS[-1]))
    assert np.all(wide[:, : min(width, WIDTHS[-1])] == 9)


def test_the_shipped_network_is_small_and_true_to_its_card(recognizer: RowRecognizer) -> None:
    assert recognizer.card.kind == "strips"
    assert recognizer.card.quantization == "int8"
    assert recognizer.card.bytes <= 1_500_000


def test_probabilities_of_each_column(recognizer: RowRecognizer, digits: Digits) -> None:
    columns = recognizer.columns(padded(crop_of(write("4071", digits))))
    assert columns.shape[1] == 13
    np.testing.assert_allclose(columns.sum(axis=1), 1, rtol=1e-5)


def test_the_penalty_makes_blank_less_probable(recognizer: RowRecognizer, digits: Digits) -> None:
    crop = padded(crop_of(write("4071", digits)))
    plain = RowRecognizer.load(parameters=RowParameters(blank_penalty=0.0)).columns(crop)
    assert np.all(recognizer.columns(crop)[:, BLANK] <= plain[:, BLANK])


@pytest.mark.parametrize(("text", "which"), [("4071", 7), ("58", 5), ("316924", 1)])
def test_it_reads_digits_that_touch(recognizer: RowRecognizer, digits: Digits, text: str, which: int) -> None:
    page = touch(text, digits, which, overlap=0)
    inked = np.flatnonzero((page < 150).any(axis=1))
    signs = recognizer.read(crop_of(np.ascontiguousarray(page[inked[0] - 8 : inked[-1] + 9]))).signs
    assert "".join(str(sign.label) for sign in signs if sign.label < 10) == text
    assert [sign.column for sign in signs] == sorted(sign.column for sign in signs)
    assert all(0 < sign.confidence <= 1 for sign in signs)


def test_one_interpreter_for_each_width_is_kept(recognizer: RowRecognizer, digits: Digits) -> None:
    narrow, wide = (padded(crop_of(write(text, digits))) for text in ("5", "31692440"))
    before = [recognizer.columns(crop) for crop in (narrow, wide, narrow)]
    networks = dict(recognizer._networks)
    after = [recognizer.columns(crop) for crop in (narrow, wide, narrow)]
    assert recognizer._networks == networks
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_does_not_read_row_crops(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not read row crops"):
        RowRecognizer.load("digits")
    for suffix in (".tflite", ".json"):
        shutil.copy(cards.find("numbers").with_suffix(suffix), tmp_path / f"numbers{suffix}")
    broken = tmp_path / "numbers.tflite"
    broken.write_bytes(broken.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="sha256"):
        RowRecognizer.load(broken)
