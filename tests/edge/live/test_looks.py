"""Looks, not frames, are evidence: of a still picture there is one, however often it is read."""

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.config.parameters.tracking import LookParameters, TrackingParameters
from digitlens.core.readings import Digit, Reading, number
from digitlens.live.looks import Looks, gained, noise_variance
from digitlens.live.tracker import Tracker
from digitlens.reader import Reader
from tests.edge.pages import write

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]
GAIN = TrackingParameters(
    looks=LookParameters(
        counted_looks=3.0,
        gain=1.0,
        digit_shift=0.0,
        number_gain=0.0,
        number_shift=0.0,
        length=0.0,
        disagreement=4.0,
    )
)
"""Parameters by which many looks add much."""


def sheet(digits: Digits) -> Gray:
    return np.pad(write("4071", digits), 60, mode="edge")


def noisy(picture: Gray, seed: int, deviation: float = 5) -> Gray:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def moved(picture: Gray, across: float, down: float, blur: float = 0) -> Gray:
    height, width = picture.shape
    shift = np.array([[1, 0, across], [0, 1, down]])
    view = cv2.warpAffine(picture, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(view, (0, 0), blur) if blur else view, np.uint8)


def doubtful(reading: Reading, confidence: float = 0.8) -> Reading:
    """The reading with less confidence than a number of its digits has, as the network's front gives it."""
    (found,) = reading.numbers
    found = msgspec.structs.replace(found, confidence=confidence)
    return msgspec.structs.replace(reading, numbers=(found,))


def confidence(tracker: Tracker) -> float:
    (found,) = tracker.numbers
    assert found.steady
    return found.number.confidence


def looks(tracker: Tracker) -> list[float]:
    (found,) = tracker.evidence().values()
    return list(found.counts)


@pytest.mark.parametrize("deviation", [0, 5, 12])
def test_a_still_picture_keeps_its_confidence(reader: Reader, digits: Digits, deviation: float) -> None:
    """Also under a sensor's noise, by which boxes jump a pixel."""
    tracker = Tracker(GAIN)
    page = sheet(digits)
    for frame in range(40):
        gray = noisy(page, frame, deviation)
        reading = doubtful(reader.read(gray, time=frame / 30))
        tracker.update(reading, gray)
    assert confidence(tracker) == pytest.approx(0.8, abs=0.02)
    assert max(looks(tracker)) < 1.5


def test_a_crop_that_moved_by_whole_pixels_is_no_new_look(digits: Digits) -> None:
    """But it is in motion, where a reading is right less often than it says; at rest that is forgotten."""
    parameters = LookParameters(memory=1.0)
    one = Looks(parameters)
    for frame in range(12):
        across, down = 3 * frame, 2 * frame
        box = np.array([70 + across, 90 + down, 50, 60], np.float64)
        one.take(4, 0.9, frame / 30, np.roll(sheet(digits), (down, across), (0, 1)), box, 0.0)
    assert one.count == 1.0
    assert one.counted == parameters.counted_looks
    assert one.log_odds(4) == pytest.approx(gained(np.log(9), one.counted, parameters))
    for frame in range(12, 60):
        one.take(4, 0.9, frame / 30, np.roll(sheet(digits), (down, across), (0, 1)), box, 0.0)
    assert one.counted == 1.0
    assert one.log_odds(4) == pytest.approx(np.log(9))


def test_other_looks_add_to_the_confidence(reader: Reader, digits: Digits) -> None:
    tracker = Tracker(GAIN)
    page = sheet(digits)
    for frame in range(20):
        gray = noisy(moved(page, 2.3 * np.sin(frame), 1.7 * np.cos(frame), 1 + np.sin(frame / 2)), frame, 3)
        tracker.update(doubtful(reader.read(gray, time=frame / 30)), gray)
    assert min(looks(tracker)) > 1.2
    (found,) = tracker.evidence().values()
    assert all(odds > 3 for odds in found.odds)
    assert confidence(tracker) > 0.8


def test_frames_that_read_another_number_lower_it(digits: Digits) -> None:
    """Of a still picture that is read now so, now so, neither reading has its full confidence."""

    def seen(frame: int, text: str) -> Reading:
        boxes = [(100 + 40 * place, 100, 28, 45) for place in range(len(text))]
        found = number(tuple(Digit(int(sign), 0.99, box) for sign, box in zip(text, boxes, strict=True)))
        return Reading("", frame / 30, (400, 300), (found,), {})

    tracker = Tracker(GAIN)
    for frame in range(40):
        tracker.update(seen(frame, "17" if frame % 4 else "11"))
    assert confidence(tracker) < 0.95


def test_old_looks_are_forgotten() -> None:
    one = Looks(LookParameters(memory=1.0))
    random = np.random.default_rng(1)
    for frame in range(5):
        gray = random.integers(0, 256, (60, 60)).astype(np.uint8)
        one.take(3, 0.9, frame / 10, gray, np.array([5.0, 5, 30, 45]), 0.0)
    assert one.count == pytest.approx(5.0)
    one.take(3, 0.9, 9.0, gray, np.array([5.0, 5, 30, 45]), 0.0)
    assert one.count == 1.0


@pytest.mark.parametrize("deviation", [0, 2, 8])
def test_noise(digits: Digits, deviation: float) -> None:
    assert noise_variance(noisy(sheet(digits), 1, deviation)) == pytest.approx(deviation**2, rel=0.5, abs=0.5)
