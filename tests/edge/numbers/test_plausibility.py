"""How plausible a number is: what is known of it, and of what the other front reads at its place."""

import numpy as np
import pytest

from digitlens import ModelError
from digitlens.config.parameters import DEFAULT
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Digit, Number, number
from digitlens.numbers.grouping import Grouper
from digitlens.numbers.plausibility import CERTAIN, FAR, FEATURES, Plausibility, compared, features
from digitlens.paper.page import Page

BLANK: Gray = np.zeros((120, 600), np.uint8)


def _number(text: str, x: int, step: int = 30) -> Number:
    return number(tuple(Digit(int(sign), 0.9, (x + step * k, 40, 20, 40)) for k, sign in enumerate(text)))


@pytest.fixture(scope="module")
def grouper() -> Grouper:
    return Grouper.load()


@pytest.fixture(scope="module")
def page() -> Page:
    probabilities: Floats = np.zeros((60, 300, 4), np.float32)
    probabilities[..., 0] = 1
    return Page(BLANK, BLANK, BLANK, others=[(0, 40, 20, 40)], probabilities=probabilities)


def _of(found: Floats, name: str) -> list[float]:
    return np.round(found[:, FEATURES.index(name)], 2).tolist()


def test_what_is_known_of_a_number(grouper: Grouper, page: Page) -> None:
    found = features([_number("12", 60), _number("7", 300)], page, grouper)
    assert found.shape == (2, len(FEATURES))
    assert np.isfinite(found).all()
    assert _of(found, "digits") == pytest.approx([np.log(2), 0], abs=0.01)
    assert _of(found, "mean digit ink") == [1, 1]
    assert _of(found, "fraction of ones") == [0.5, 0]
    assert _of(found, "other writing left") == [1, FAR]
    assert _of(found, "least joint")[1] == CERTAIN
    assert _of(found, "by rules") == [0, 0]


def test_what_the_other_front_reads_there(grouper: Grouper, page: Page) -> None:
    mine = [_number("12", 60), _number("7", 300), _number("5", 500)]
    others = [_number("12", 62), _number("1", 298)]
    names = [f"other front {what}" for what in ("agrees", "differs", "has nothing")]
    known = compared(features(mine, page, grouper, by_rules=True), mine, others)
    assert [_of(known, name) for name in names] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert _of(known, "by rules") == [1, 1, 1]
    unknown = features(mine, page, grouper)
    assert [_of(unknown, name) for name in names] == [[0, 0, 0]] * 3


def test_the_improbable_are_dropped(grouper: Grouper, page: Page) -> None:
    numbers = [_number("12", 60), _number("7", 300)]
    inputs = features(numbers, page, grouper)
    everything = Plausibility.load(0.0)(numbers, inputs)
    assert [found.text for found in everything] == ["12", "7"]
    assert all(0 <= found.confidence <= 1 for found in everything)
    assert Plausibility.load(1.1)(numbers, inputs) == ()
    assert Plausibility.load(0.0)([], inputs[:0]) == ()


def test_no_such_model() -> None:
    with pytest.raises(ModelError, match="nonesuch"):
        Plausibility.load(DEFAULT.reader.least_plausible, "nonesuch")
