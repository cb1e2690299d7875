"""What many looks add to a confidence: fitted on films, and the films themselves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitlens.config.parameters.tracking import LookParameters
from digitlens.live.looks import gained, log_odds, probability, share
from digitlens.reader import Reader
from digitlens_train import look_films, looks
from digitlens_train.data import load_mnist
from digitlens_train.look_films import Seen

PLAIN = LookParameters(
    counted_looks=3.0,
    gain=0.0,
    digit_shift=0.0,
    number_gain=0.0,
    number_shift=0.0,
    length=0.0,
    disagreement=0.0,
)


def seen(parameters: LookParameters, count: int = 1500) -> list[Seen]:
    """Numbers that are right as often as these parameters have it."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        digits = int(random.integers(1, 4))
        odds = tuple(random.normal(3, 1.5, digits).tolist())
        counts = tuple(random.uniform(1, 8, digits).tolist())
        found.append(Seen(odds, counts, 0.0, float(random.random() < 0.2) * 0.5, 0.0, True))
    sure = looks.confidences(found, parameters)
    return [replace(one, right=bool(random.random() < p)) for one, p in zip(found, sure, strict=True)]


def test_the_fit_finds_what_made_the_numbers_right() -> None:
    films = seen(replace(PLAIN, gain=-0.4, disagreement=3.0))
    right = np.array([one.right for one in films])
    before = looks.figures(looks.confidences(films, PLAIN), right)
    found = looks.fit(films, PLAIN)
    after = looks.figures(looks.confidences(films, found), right)
    assert found.gain < -0.1
    assert found.disagreement > 1
    assert after["calibration_error"] < before["calibration_error"]
    assert after["calibration_error"] < 0.04


def test_the_error_of_right_confidences_is_that_of_chance() -> None:
    films = seen(PLAIN, 300)
    sure = looks.confidences(films, PLAIN)
    found = looks.figures(sure, np.array([one.right for one in films]))
    assert 0.01 < found["error_by_chance"] < 0.06
    assert found["calibration_error"] < 2 * found["error_by_chance"]
    more = looks.figures(np.tile(sure, 16), np.tile(np.array([one.right for one in films]), 16))
    assert more["error_by_chance"] < found["error_by_chance"] / 2


def test_one_look_changes_nothing() -> None:
    one = Seen((2.0, 3.0), (1.0, 1.0), 0.0, 0.0, 0.0, True)
    (sure,) = looks.confidences([one], replace(PLAIN, gain=2.0, digit_shift=1.0, number_shift=-1.0))
    assert sure == pytest.approx(probability(2.0) * probability(3.0))


def test_the_fit_computes_confidences_as_the_tracker_does() -> None:
    """On arrays, for speed."""
    parameters = replace(
        PLAIN, gain=0.3, digit_shift=-0.2, number_gain=-0.3, number_shift=0.4, length=0.2, disagreement=2.0
    )
    films = seen(parameters, 50)
    for one, sure in zip(films, looks.confidences(films, parameters), strict=True):
        digits = [
            probability(gained(odds, count, parameters))
            for odds, count in zip(one.odds, one.counts, strict=True)
        ]
        looked = share(min(one.counts), parameters)
        odds = log_odds(float(np.prod(digits))) * (1 + looked * parameters.number_gain)
        odds += looked * (parameters.number_shift + parameters.length * np.log(len(one.odds)))
        odds -= one.disagreement * parameters.disagreement
        assert sure == pytest.approx(probability(odds))


def test_a_film_and_its_numbers(reader: Reader, mnist: Path) -> None:
    data = load_mnist(mnist)
    page, written = look_films.sheet(data, np.random.default_rng(3))
    assert page.shape == (600, 760, 3)
    assert len(written) == look_films.ROWS * look_films.COLUMNS
    frames = list(look_films.frames(page, 3, np.random.default_rng(3)))
    assert [frame.shape for frame in frames] == [(480, 640)] * 3
    found = look_films.tracked(reader, data, (3, 1))
    assert found
    assert all(len(one.odds) == len(one.counts) and min(one.counts) >= 1 for one in found)
    assert 2 * sum(one.right for one in found) > len(found)
