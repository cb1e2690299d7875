"""The 28 x 28 picture: MNIST's own rules."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from digitlens import Classifier
from digitlens.glyphs.normalize import normalize, to_mnist
from digitlens.paper.stroke_width import stroke_width


def test_mnist_stays_what_it_is(digits) -> None:
    """An MNIST digit that is normalized again hardly changes and is read as before."""
    x, y = digits
    again = to_mnist([SimpleNamespace(ink=image) for image in x])
    assert np.mean(np.all(again == x, axis=(1, 2))) > 0.5
    read = Classifier.load().probabilities(again).argmax(axis=1)
    assert np.mean(read == y) >= 0.975


@pytest.mark.parametrize("scale", [0.5, 3, 12])
def test_size_does_not_matter(digits, scale: float) -> None:
    x, y = digits
    inks = [cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for image in x[:300]]
    read = (
        Classifier.load().probabilities(to_mnist([SimpleNamespace(ink=ink) for ink in inks])).argmax(axis=1)
    )
    assert np.mean(read == y[:300]) >= 0.96


def test_fits_and_centers() -> None:
    ink = np.zeros((300, 200), np.uint8)
    cv2.rectangle(ink, (20, 40), (60, 280), 255, -1)
    picture = normalize(ink)
    _, _, width, height = cv2.boundingRect(picture)
    assert height == 20
    assert width < 5
    moments = cv2.moments(picture)
    assert abs(moments["m10"] / moments["m00"] - 14) <= 0.51
    assert abs(moments["m01"] / moments["m00"] - 14) <= 0.51
    assert picture.max() == 255


def test_a_hairline_does_not_fade() -> None:
    ink = np.zeros((400, 300), np.uint8)
    cv2.circle(ink, (150, 200), 120, (255,), 2)
    picture = normalize(ink)
    assert stroke_width(ink) == pytest.approx(3, abs=0.7)
    assert np.median(picture[picture > 20]) > 100


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 400)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    assert normalize(np.zeros(shape, np.uint8)).max() == 0
    assert normalize(np.full(shape, 255, np.uint8)).shape == (28, 28)


def test_no_glyphs() -> None:
    assert to_mnist([]).shape == (0, 28, 28)
