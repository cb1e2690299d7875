"""Is a picture still the one that was read?"""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.config.parameters.tracking import ChangeParameters
from digitlens.live.changes import ChangeDetector
from tests.edge.pages import write

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]
SIZE = (360, 640)


def noisy(page: Pixels, random: np.random.Generator, grain: float) -> Pixels:
    return (page + random.normal(0, grain, page.shape)).round().clip(0, 255).astype(np.uint8)


def settled(page: Pixels, random: np.random.Generator, grain: float) -> ChangeDetector:
    """A detector that has seen this page for a second, and whose page was read."""
    detector = ChangeDetector()
    for _ in range(30):
        detector.changed(noisy(page, random, grain))
    detector.keep()
    return detector


@pytest.fixture
def page(digits: Digits) -> Pixels:
    sheet = np.full(SIZE, 200, np.uint8)
    strip = write("40716", digits, paper=200)
    sheet[20 : 20 + strip.shape[0], 20 : 20 + strip.shape[1]] = strip
    return sheet


@pytest.mark.parametrize("grain", [0.0, 0.3, 1.0, 3.0, 8.0])
def test_noise_is_no_change(page: Pixels, grain: float) -> None:
    random = np.random.default_rng(1)
    detector = settled(page, random, grain)
    assert not any(detector.changed(noisy(page, random, grain)) for _ in range(100))


def test_the_noise_of_motion_jpeg(page: Pixels, digits: Digits) -> None:
    """Its blocks' means are integer levels."""
    random = np.random.default_rng(8)

    def coded(picture: Pixels) -> Pixels:
        return cv2.imdecode(cv2.imencode(".jpg", picture)[1], cv2.IMREAD_GRAYSCALE).astype(np.uint8)

    detector = ChangeDetector()
    for _ in range(30):
        detector.changed(coded(noisy(page, random, 3.0)))
    detector.keep()
    assert not any(detector.changed(coded(noisy(page, random, 3.0))) for _ in range(100))
    written = page.copy()
    strip = write("7", digits, size=20, ink=170, paper=200)
    written[250 : 250 + strip.shape[0], 300 : 300 + strip.shape[1]] = strip
    assert detector.changed(coded(noisy(written, random, 3.0)))


@pytest.mark.parametrize(("grain", "contrast"), [(0.0, 15), (1.0, 15), (3.0, 25), (8.0, 60)])
def test_a_new_faint_digit_is_seen(page: Pixels, digits: Digits, grain: float, contrast: int) -> None:
    """Twenty pixels high: its strokes are hardly two wide."""
    random = np.random.default_rng(2)
    detector = settled(page, random, grain)
    written = page.copy()
    strip = write("7", digits, size=20, ink=200 - contrast, paper=200)
    written[250 : 250 + strip.shape[0], 300 : 300 + strip.shape[1]] = strip
    assert detector.changed(noisy(written, random, grain))


def test_slow_changes_add_up(page: Pixels, digits: Digits) -> None:
    """Compared with the frame before, none of these would be seen."""
    random = np.random.default_rng(3)
    detector = settled(page, random, 1.0)
    strip = write("7", digits, paper=200).astype(np.float32)
    seen = []
    for step in range(100):
        written = page.astype(np.float32)
        spot = written[200 : 200 + strip.shape[0], 300 : 300 + strip.shape[1]]
        spot += (strip - 200) * (step / 100)
        seen.append(detector.changed(noisy(written.astype(np.uint8), random, 1.0)))
    assert not seen[0]
    assert all(seen[20:])


def test_a_moving_picture_does_not_pass_for_noise(page: Pixels) -> None:
    random = np.random.default_rng(4)
    detector = ChangeDetector()
    for step in range(60):
        moved = np.roll(page, step % 7, axis=1)
        seen = detector.changed(noisy(moved, random, 2.0))
        detector.keep()
        assert seen
    assert detector.noise < 1


def test_a_camera_that_gives_each_frame_twice(page: Pixels) -> None:
    random = np.random.default_rng(5)
    detector = settled(page, random, 3.0)
    for _ in range(50):
        frame = noisy(page, random, 3.0)
        assert not detector.changed(frame)
        assert not detector.changed(frame)


def test_another_size_and_a_tiny_picture(page: Pixels) -> None:
    detector = settled(page, np.random.default_rng(6), 0.0)
    assert detector.changed(cv2.resize(page, None, fx=0.5, fy=0.5).astype(np.uint8))
    dot = np.zeros((1, 1), np.uint8)
    assert detector.changed(dot)
    detector.keep()
    assert not detector.changed(dot)
    assert detector.changed(dot + np.uint8(9))


def test_the_picture_may_have_a_stride(page: Pixels) -> None:
    wide = np.zeros((page.shape[0], page.shape[1] + 37), np.uint8)
    wide[:, : page.shape[1]] = page
    detector = settled(page, np.random.default_rng(7), 0.0)
    assert not detector.changed(wide[:, : page.shape[1]])


def test_the_parameters_decide_on_the_least_difference(page: Pixels) -> None:
    for least, changed in ((1.5, True), (5.0, False)):
        detector = ChangeDetector(ChangeParameters(min_difference=least))
        detector.changed(page)
        detector.keep()
        assert detector.changed(page + np.uint8(3)) == changed
