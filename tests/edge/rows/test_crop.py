"""A row's crop, and the view from the picture into it and back."""

import cv2
import numpy as np
import pytest

from digitlens.rows.crop import CROP_HEIGHT, crop_row
from digitlens.rows.view import RowView
from tests.edge.pages import write
from tests.edge.rows.row_pages import Digits, crop_of


def test_a_crop_has_the_rows_aspect_and_full_black_ink(digits: Digits) -> None:
    page = write("4071", digits, ink=170)
    crop = crop_of(page)
    assert crop.shape == (CROP_HEIGHT, round(page.shape[1] * CROP_HEIGHT / page.shape[0]))
    assert crop.max() == 255
    assert np.median(crop) < 20


def test_beyond_the_picture_is_paper() -> None:
    contrast = np.full((20, 40), 200, np.uint8)
    crop = crop_row(contrast, -20, 40, -30, 70)
    assert not crop[:8].any()
    assert not crop[-8:].any()
    assert not crop[:, :12].any()
    assert crop[CROP_HEIGHT // 2, crop.shape[1] // 2] == 255


def test_empty_paper_stays_pale() -> None:
    noise = np.random.default_rng(3).integers(0, 6, (40, 200), dtype=np.uint8)
    assert crop_row(noise, 0, 40, 0, 200).max() < 60


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_a_view_leads_into_the_crop_and_back(slope: float) -> None:
    mask = np.zeros((200, 400), np.uint8)
    box = 180, 90 + round(slope * -10), 20, 40
    cv2.rectangle(mask, box[:2], (box[0] + box[2] - 1, box[1] + box[3] - 1), (255,), -1)
    view = RowView(60, 340, 80, 140, slope, 200)
    across = view.crop_x(box)
    assert view.crop(mask)[CROP_HEIGHT // 2, round(across)] > 200
    found = view.ink_box(across / 2 - 4, across / 2 + 4, mask)
    assert found[0] == pytest.approx(box[0], abs=2)
    assert found[2] == pytest.approx(box[2], abs=3)
    assert found[3] == pytest.approx(box[3], abs=2)
