"""Slices of a row crop, as the digit network takes them."""

import numpy as np
import pytest

from digitlens.config.parameters.rows import RowParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.rows.crop import CROP_HEIGHT, sheared
from digitlens.rows.recognizer import RowRecognizer
from digitlens.rows.slices import Slices, upright
from tests.edge.pages import write
from tests.edge.rows.row_pages import Digits, classifier, crop_of


@pytest.mark.parametrize("text", ["40716", "2358", "90"])
def test_slices_are_single_digits(text: str, digits: Digits) -> None:
    crop = crop_of(write(text, digits))
    signs = [sign for sign in RowRecognizer.load().read(crop).signs if sign.label < 10]
    assert "".join(str(sign.label) for sign in signs) == text
    counts: list[int] = []

    def classify(pictures: Gray) -> Floats:
        counts.append(len(pictures))
        return classifier().probabilities(pictures)

    slices = Slices(crop, classify)
    positions = [2 * sign.column + 1 for sign in signs]
    (probabilities,) = slices.probabilities([positions])
    assert "".join(map(str, probabilities.argmax(axis=1))) == text
    again, none = slices.probabilities([positions, []])
    assert counts == [len(text)]  # each slice is classified once
    np.testing.assert_array_equal(probabilities, again)
    assert none.shape == (0, 10)


def test_slices_beyond_the_edges_of_a_crop() -> None:
    """A picture without a pixel would crash OpenCV."""
    slices = Slices(
        np.zeros((CROP_HEIGHT, 30), np.uint8), lambda pictures: np.ones((len(pictures), 10), np.float32)
    )
    (one,) = slices.probabilities([[-90.0, -50.0, 0.0, 0.5, 29.5, 40.0, 90.0]])
    assert one.shape == (7, 10)


@pytest.mark.parametrize("slant", [-0.4, 0.4])
def test_writing_is_made_upright(slant: float, digits: Digits) -> None:
    slants = RowParameters().slants
    crop = crop_of(write("1111", digits))
    straight, back = upright(crop, slants), upright(sheared(crop, slant), slants)

    def columns(picture: Gray) -> int:
        return int(np.count_nonzero(picture.max(axis=0) > 100))

    assert columns(back) < columns(sheared(crop, slant)) - 4
    assert columns(back) == pytest.approx(columns(straight), abs=6)
