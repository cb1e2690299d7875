"""Which glyphs are digits: the inputs, and what the shipped network says of drawn paper."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens import ModelError
from digitlens.config.parameters import DEFAULT
from digitlens.core.arrays import Floats, Gray
from digitlens.glyphs.lattice import Resolved
from digitlens.numbers.rejection import FEATURES, Rejection, digits_of, features, without
from digitlens.paper.page import Glyph, Page

LEAST = DEFAULT.reader.least_digit


def _row(count: int, height: int = 30) -> tuple[Resolved, Page]:
    """Upright strokes in a row, read as ones, and their page."""
    ink: Gray = np.zeros((3 * height, 40 * count + 40), np.uint8)
    glyphs = []
    for k in range(count):
        box = (20 + 40 * k, height, 6, height)
        ink[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = 255
        glyphs.append(Glyph(box, np.full((height, 6), 255, np.uint8)))
    probabilities: Floats = np.full((count, 10), 0.001, np.float32)
    probabilities[:, 1] = 0.9
    half = np.zeros((*(-(-side // 2) for side in ink.shape), 4), np.float32)
    half[cv2.resize(ink, half.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0] = (0.7, 0.1, 0.1, 0.1)
    lines = np.zeros(half.shape[:2], np.uint8)
    page = Page(ink, ink, ink.copy(), glyphs, lines=lines, probabilities=half)
    return Resolved(glyphs, probabilities, []), page


def _of(found: Floats, name: str) -> list[float]:
    return np.round(found[:, FEATURES.index(name)], 2).tolist()


def test_what_is_known_of_a_glyph() -> None:
    resolved, page = _row(3)
    found = features(resolved, page)
    assert found.shape == (3, len(FEATURES))
    assert np.isfinite(found).all()
    assert _of(found, "is 1") == [1, 1, 1]
    assert _of(found, "digit ink") == pytest.approx([0.7] * 3, abs=0.01)
    assert _of(found, "left gap") == pytest.approx([6.0, 34 / 30, 34 / 30], abs=0.01)
    assert _of(found, "right gap") == pytest.approx([34 / 30, 34 / 30, 6.0], abs=0.01)
    assert _of(found, "height to the row's") == [0, 0, 0]
    assert _of(found, "at the picture's edge") == [0, 0, 0]


def test_a_line_beside_a_glyph() -> None:
    resolved, page = _row(2)
    page.lines[:, 8] = 255
    found = features(resolved, page)
    assert _of(found, "line left") == [1, 0]
    assert _of(found, "line right") == [0, 0]


def test_many_glyphs_are_the_same_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved, page = _row(9)
    whole = features(resolved, page)
    monkeypatch.setattr("digitlens.numbers.rejection.PART", 4)
    np.testing.assert_array_equal(features(resolved, page), whole)


def test_nothing() -> None:
    resolved, page = _row(0)
    assert features(resolved, page).shape == (0, len(FEATURES))
    kept, same, chances = Rejection.load(LEAST)(resolved, page)
    assert (kept.glyphs, same, len(chances)) == ([], page, 0)


def test_what_is_rejected_becomes_other_writing() -> None:
    resolved, page = _row(3)
    kept, left = without(resolved, page, np.array([True, False, True]))
    gone = resolved.glyphs[1].box
    assert [glyph.box for glyph in kept.glyphs] == [resolved.glyphs[0].box, resolved.glyphs[2].box]
    assert left.others == [gone]
    assert [glyph.box for glyph in left.glyphs] == [glyph.box for glyph in kept.glyphs]
    x, y, width, height = gone
    assert not left.mask[y : y + height, x : x + width].any()
    assert not left.contrast[y : y + height, x : x + width].any()
    assert page.mask[y : y + height, x : x + width].all()  # the page before stays as it was
    x, y, width, height = kept.glyphs[0].box
    assert left.contrast[y : y + height, x : x + width].all()


def test_confidence_is_that_of_a_digit_and_of_its_value() -> None:
    resolved, _ = _row(2)
    digits = digits_of(resolved, np.array([1.0, 0.5]))
    assert [digit.value for digit in digits] == [1, 1]
    assert digits[0].confidence == pytest.approx(0.9 / 0.909, abs=1e-3)
    assert digits[1].confidence == pytest.approx(0.45 / 0.909, abs=1e-3)


def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nonesuch"):
        Rejection.load(LEAST, "nonesuch")
