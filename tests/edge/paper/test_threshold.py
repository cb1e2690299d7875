"""The notebook's adaptive threshold, for the models that know no other signs."""

import cv2
import numpy as np
import pytest

from digitlens import Classifier, Reader
from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.threshold import threshold_page
from tests.edge.pages import ink_box, write

Digits = tuple[Gray, Gray]


@pytest.mark.parametrize("name", ["seed", "svm"])
def test_models_that_know_no_other_signs_read_by_it(
    digits: Digits, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the network `ink`, which they do not load."""
    monkeypatch.setattr("digitlens.reader.InkNetwork.load", lambda *_: pytest.fail("loads the network"))
    reader = Reader(Classifier.load(name))
    assert [number.text for number in reader.read(write("0123456789", digits)).numbers] == ["0123456789"]
    assert reader.read(np.full((300, 400), 200, np.uint8)).numbers == ()


def test_each_digit_is_a_glyph(digits: Digits) -> None:
    gray = write("40716", digits)
    page = threshold_page(gray)
    assert len(page.glyphs) == 5
    left, top, width, height = ink_box(gray)
    for glyph in page.glyphs:
        x, y, w, h = glyph.box
        assert left - 4 <= x < x + w <= left + width + 4
        assert top - 4 <= y < y + h <= top + height + 4
        assert glyph.ink.shape == (h, w)
        assert set(np.unique(glyph.ink)) <= {0, 255}
    assert np.mean(page.mask[gray < 100] == 255) > 0.85
    assert (page.dots, page.others) == ([], [])


def test_it_follows_the_light(digits: Digits) -> None:
    gray = write("40716", digits)
    light = np.linspace(1, 0.25, gray.shape[1])
    assert len(threshold_page((gray * light).astype(np.uint8)).glyphs) == 5


def test_specks_and_lines_are_no_glyphs(digits: Digits) -> None:
    gray = write("4071", digits)
    cv2.line(gray, (0, 8), (gray.shape[1], 8), (40,), 2)
    for x in range(15, gray.shape[1], 40):
        cv2.circle(gray, (x, 112), 1, (60,), -1)
    assert len(threshold_page(gray).glyphs) == 4


def test_gravel_is_cut_short() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 400)).astype(np.uint8)
    coarse = np.asarray(cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert len(threshold_page(coarse, PaperParameters(most_glyphs=40)).glyphs) == 40


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (5, 5), (6, 6), (30, 2), (64, 64)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_empty_pages_of_every_shape(shape: tuple[int, int], level: int) -> None:
    page = threshold_page(np.full(shape, level, np.uint8))
    assert page.glyphs == []
    assert page.contrast.shape == page.mask.shape == shape
