"""Ink: its contrast, its mask and its classes, from known classes and from the shipped network."""

import cv2
import numpy as np
import pytest

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.ink import Ink, find_ink, without_lines
from digitlens.paper.network import CLASSES, DIGIT, LINE, PAPER, STEP, WRITING, Logits
from tests.edge.ink import ink_of
from tests.edge.pages import put

Digits = tuple[Gray, Gray]
CHOSEN = PaperParameters()


def _known(gray: Gray, classes: Gray, scale: float = 0.1) -> Ink:
    """The ink of a picture whose classes (H, W) are known for certain."""
    half = cv2.resize(classes, None, fx=1 / STEP, fy=1 / STEP, interpolation=cv2.INTER_NEAREST)
    logits: Logits = np.full((*half.shape, CLASSES), -60, np.int16)
    np.put_along_axis(logits, half[..., np.newaxis].astype(np.intp), 60, axis=2)
    return find_ink(gray, logits, scale, CHOSEN.edge, CHOSEN.faintest)


def _bars(ink: int, paper: int) -> tuple[Gray, Gray]:
    """Two strokes of 6 pixels, the right one of other writing, and their classes; and a line below."""
    gray = np.full((120, 200), paper, np.uint8)
    classes = np.full(gray.shape, PAPER, np.uint8)
    for left, right, kind in ((50, 56, DIGIT), (120, 126, WRITING)):
        gray[30:90, left:right] = ink
        classes[30:90, left:right] = kind
    gray[98:102, 20:180] = ink
    classes[98:102, 20:180] = LINE
    return gray, classes


@pytest.mark.parametrize(("ink", "paper"), [(40, 220), (170, 220), (230, 40), (150, 60)])
def test_ink_dark_or_light_pale_or_full(ink: int, paper: int) -> None:
    gray, classes = _bars(ink, paper)
    found = _known(gray, classes)
    stroke = found.contrast[40:80, 52:54]
    depth = 1 - ink / paper if ink < paper else 1 - (255 - ink) / (255 - paper)
    assert stroke.mean() == pytest.approx(255 * depth, abs=12)
    assert found.contrast[classes == PAPER].mean() < 8
    assert np.mean(found.mask[classes != PAPER] == 255) > 0.95
    assert np.mean(found.mask[:, 60:115][:95] == 0) > 0.99
    for kind in (DIGIT, WRITING, LINE):
        assert np.mean(found.kinds[classes == kind] == kind) > 0.9


def test_lines_are_left_out_and_the_rest_stays() -> None:
    gray, classes = _bars(40, 220)
    found = _known(gray, classes)
    left = without_lines(found)
    assert not left[98:102, 20:180].any()
    np.testing.assert_array_equal(left[:95], found.mask[:95])


def test_contrast_follows_the_light() -> None:
    """From full light to a quarter, and across a shadow's hard edge: the same contrast everywhere."""
    gray, classes = _bars(60, 220)
    light = np.linspace(1, 0.4, gray.shape[1])
    light[90:] *= 0.6
    found = _known((gray * light).astype(np.uint8), classes)
    left, right = (found.contrast[40:80, columns].mean() for columns in (slice(52, 54), slice(122, 124)))
    assert left == pytest.approx(right, rel=0.1)
    assert np.mean(found.mask[classes == PAPER] == 255) < 0.02


def test_pale_writing_stays_whole_beside_dark() -> None:
    """Each has its own edge."""
    gray = np.full((300, 900), 220, np.uint8)
    classes = np.full(gray.shape, PAPER, np.uint8)
    for x, ink in [(60 + 30 * k, 30) for k in range(8)] + [(500, 185), (800, 185)]:
        gray[100:170, x : x + 4] = ink
        classes[100:170, x : x + 4] = DIGIT
    mask = _known(gray, classes).mask
    for x in (60, 270, 500, 800):
        assert np.mean(mask[102:168, x : x + 4] == 255) > 0.95


def test_probabilities_are_those_of_ink() -> None:
    gray, classes = _bars(40, 220)
    found = _known(gray, classes, scale=0.01)  # 1.2 nats between one class and the others
    assert found.probabilities.shape == (60, 100, 4)
    total = found.probabilities.sum(axis=2)
    assert set(np.unique(total.round(4))) == {0.0, 1.0}
    assert found.probabilities[30, 26] == pytest.approx([0.525, 0.158, 0.158, 0.158], abs=0.01)
    assert not total[5].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (33, 2), (97, 101)])
@pytest.mark.parametrize("kind", [PAPER, DIGIT])
def test_any_shape(shape: tuple[int, int], kind: int) -> None:
    logits: Logits = np.zeros((-(-shape[0] // STEP), -(-shape[1] // STEP), CLASSES), np.int16)
    logits[..., kind] = 50
    gray = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    found = find_ink(gray, logits, 0.1, CHOSEN.edge, CHOSEN.faintest)
    for picture in (found.contrast, found.level, found.mask, found.kinds):
        assert picture.shape == shape
        assert picture.dtype == np.uint8


def test_an_empty_sheet_has_no_ink() -> None:
    blank = ink_of(np.full((480, 640), 200, np.uint8))
    assert not blank.mask.any()
    assert not blank.contrast.any()


@pytest.mark.parametrize(
    ("noise", "shade", "blackboard"), [(0, 0, False), (1.5, 0.4, False), (6, 0.2, False), (1, 0.3, True)]
)
def test_the_ink_of_a_sheet_is_that_of_its_digits(
    digits: Digits, noise: float, shade: float, blackboard: bool
) -> None:
    """Two numbers on a sheet; in its margins there is none."""
    sheet = np.full((480, 640), 225, np.uint8)
    boxes = [put(sheet, "3519", digits, 200, 220), put(sheet, "27", digits, 260, 340)]
    light = np.linspace(1, 1 - shade, sheet.shape[1])
    grain = np.random.default_rng(3).normal(0, 1, sheet.shape) * noise
    gray: Gray = (sheet * light + grain).clip(0, 255).astype(np.uint8)
    found = ink_of(cv2.bitwise_not(gray).astype(np.uint8) if blackboard else gray)
    assert np.mean(found.mask[sheet < 100] == 255) > 0.97
    for x, y, width, height in boxes:
        found.mask[y - 4 : y + height + 4, x - 4 : x + width + 4] = 0
    assert np.count_nonzero(found.mask) < 20
