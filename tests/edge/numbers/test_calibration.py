"""The probability that a number is right: its inputs, and what the Reader does with it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens import Reader
from digitlens.core.arrays import Gray
from digitlens.core.readings import Digit, number
from digitlens.glyphs.lattice import Resolved
from digitlens.numbers.attempt import Attempt
from digitlens.numbers.calibration import FEATURES, Calibration, features
from digitlens.paper.network import DIGIT, LINE, STEP, WRITING
from digitlens.paper.page import Page
from digitlens.paper.witness import Witness

SIZE = 200, 400
NOTHING: Gray = np.zeros(SIZE, np.uint8)


def _attempt() -> Attempt:
    """The numbers 12, both digits of 0.9, and 7 on one page."""
    twelve = number(tuple(Digit(k + 1, 0.9, (60 + 30 * k, 40, 20, 40)) for k in range(2)))
    seven = number((Digit(7, 0.5, (300, 100, 20, 40)),))
    nothing = Resolved([], np.zeros((0, 10), np.float32), [])
    return Attempt(
        NOTHING, Page(NOTHING, NOTHING, NOTHING), nothing, (twelve, seven), (twelve, seven), (), {}
    )


def _witness() -> Witness:
    """Digits' ink where 12 stands, a line through 7, and other writing behind it."""
    logits = np.zeros((SIZE[0] // STEP, SIZE[1] // STEP, 5), np.int16)
    logits[..., 0] = 100
    inked = (((60, 40, 50, 40), DIGIT), ((300, 100, 20, 40), LINE), ((322, 100, 10, 40), WRITING))
    for (x, y, width, height), kind in inked:
        logits[y // STEP : (y + height) // STEP, x // STEP : (x + width) // STEP, kind] = 200
    return Witness(logits, 0.1)


def _of(name: str) -> list[float]:
    found = features(_attempt(), _witness(), 1.0)
    return np.round(found[:, FEATURES.index(name)], 2).tolist()


def _example(root: Path) -> Gray:
    return np.asarray(cv2.imread(str(root / "examples" / "sheet.jpg"), cv2.IMREAD_GRAYSCALE), np.uint8)


def test_what_is_known_of_a_number() -> None:
    found = features(_attempt(), _witness(), 1.0)
    assert found.shape == (2, len(FEATURES))
    assert np.isfinite(found).all()
    assert _of("digits") == pytest.approx([np.log(2), 0], abs=0.01)
    assert _of("log-odds of the confidence") == pytest.approx([np.log(0.81 / 0.19), 0], abs=0.01)
    assert _of("fraction of ones") == [0.5, 0]
    assert _of("widest gap") == [0.25, 0]
    assert _of("numbers of the page") == pytest.approx([np.log(3)] * 2, abs=0.01)


def test_what_the_network_sees_of_its_ink() -> None:
    assert _of("digit ink") == pytest.approx([1, 0], abs=0.01)
    assert _of("line ink") == [0, 1]
    assert _of("other ink beside") == pytest.approx([0, 10 / 40], abs=0.06)


def test_numbers_with_a_low_probability_are_left_out() -> None:
    attempt, witness = _attempt(), _witness()
    every = Calibration.load(0.0)(attempt, witness, 1.0)
    assert [found.text for found in every.numbers] == ["12", "7"]
    chances = [found.confidence for found in every.numbers]
    assert chances[1] < chances[0]
    some = Calibration.load(sum(chances) / 2)(attempt, witness, 1.0)
    assert [found.text for found in some.numbers] == [found.text for found in some.seen] == ["12"]
    assert [found.confidence for found in some.numbers] == chances[:1]


def test_the_reader_leaves_out_what_is_less_probable_than_asked(root: Path) -> None:
    page = _example(root)
    every = Reader(least_confidence=0.0).read(page).numbers
    least = sorted(found.confidence for found in every)[len(every) // 2]
    some = Reader(least_confidence=least).read(page).numbers
    assert [found.text for found in some] == [found.text for found in every if found.confidence >= least]
    assert 0 < len(some) < len(every)


def test_without_calibration_a_confidence_is_that_of_the_digits(root: Path) -> None:
    for found in Reader(calibrated=False, front="rules").read(_example(root)).numbers:
        assert found.confidence == pytest.approx(np.prod([digit.confidence for digit in found.digits]))
