"""Rescoring a row in doubt: its hypotheses, and what both networks say about each."""

from dataclasses import replace

import numpy as np
import pytest

from digitlens.config.parameters.rows import DecisionParameters, RowParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Digit, Number, number
from digitlens.rows import ctc, decision, rescoring
from digitlens.rows.recognizer import BLANK, CLASSES, RowOutput
from digitlens.rows.row_reading import RowReading
from digitlens.rows.slices import Slices
from tests.edge.pages import write
from tests.edge.rows.row_pages import Digits, crop_of

CHOSEN = DecisionParameters()


def _columns(*columns: dict[int, float]) -> Floats:
    """Columns that are blank but for these probabilities of classes, a blank one after each."""
    found = np.zeros((2 * len(columns), CLASSES), np.float32)
    found[:, BLANK] = 1
    for row, probabilities in zip(found[::2], columns, strict=True):
        for label, p in probabilities.items():
            row[label] = p
        row[BLANK] = 1 - sum(probabilities.values())
    return found


def _search(columns: Floats) -> list[ctc.Sign]:
    return ctc.search(columns, BLANK, RowParameters())


def _to_numbers(signs: list[ctc.Sign]) -> list[Number]:
    own = [sign for sign in signs if sign.label < 10]
    return [number(tuple(Digit(s.label, s.confidence, (20 * at, 0, 16, 24)) for at, s in enumerate(own)))]


def _reading(columns: Floats, augmented: list[Floats], slices: Slices | None = None) -> RowReading:
    output = RowOutput(_search(columns), columns, augment=lambda: augmented)
    return RowReading(
        _to_numbers(output.signs),
        output,
        output.signs,
        slices=None if slices is None else lambda: slices,
        to_numbers=_to_numbers,
    )


def _texts(chosen: decision.Decision) -> list[str]:
    return [found.text for found in chosen.numbers]


DOUBT = _columns({7: 0.99}, {3: 0.55, 8: 0.4}, {4: 0.99})


def test_a_clear_row_is_not_augmented() -> None:
    def augment() -> list[Floats]:
        raise AssertionError("augmented")

    columns = _columns({7: 0.99}, {3: 0.97, 8: 0.02}, {4: 0.99})
    output = RowOutput(_search(columns), columns, augment=augment)
    reading = RowReading(_to_numbers(output.signs), output, output.signs)
    found, scores = rescoring.rescore([], reading, CHOSEN)
    assert found[int(scores.argmax())].text == "734"


@pytest.mark.parametrize(("again", "text"), [(0.9, "784"), (0.2, "734")])
def test_augmentations_count(again: float, text: str) -> None:
    other = _columns({7: 0.99}, {3: 1 - again, 8: again - 0.01}, {4: 0.99})
    found, scores = rescoring.rescore([], _reading(DOUBT, [other, other]), CHOSEN)
    assert found[int(scores.argmax())].text == text
    assert {"734", "784"} <= {hypothesis.text for hypothesis in found}


def test_an_augmentation_adds_its_own_hypothesis() -> None:
    other = _columns({7: 0.99}, {9: 0.98}, {4: 0.99})
    found, _ = rescoring.rescore([], _reading(DOUBT, [other]), CHOSEN)
    assert {hypothesis.text: hypothesis.source for hypothesis in found} == {
        "734": "row network",
        "784": "n-best",
        "74": "n-best",
        "794": "augmented",
    }


@pytest.mark.parametrize("seen", [3, 8])
def test_the_digit_network_scores_slices(seen: int, digits: Digits) -> None:
    def classify(pictures: Gray) -> Floats:
        assert pictures.shape[1:] == (28, 28)
        probabilities = np.full((len(pictures), 10), 0.01, np.float32)
        probabilities[:, [7, 4, seen]] = 0.9
        return probabilities

    reading = _reading(DOUBT, [DOUBT], Slices(crop_of(write("734", digits)), classify))
    found, scores = rescoring.rescore([], reading, CHOSEN)
    assert found[int(scores.argmax())].text == f"7{seen}4"


def test_the_lattices_hypothesis_has_a_bonus() -> None:
    lattice = _to_numbers(
        [sign._replace(label=label) for sign, label in zip(_search(DOUBT), (7, 8, 4), strict=True)]
    )
    kept = decision.choose(lattice, _reading(DOUBT, [DOUBT]), {}, CHOSEN, close_up=True)
    assert _texts(kept) == ["784"]
    assert kept.reason.startswith("rescored: lattice kept: score ")
    without = replace(CHOSEN, lattice_bonus=0.0)
    assert _texts(decision.choose(lattice, _reading(DOUBT, [DOUBT]), {}, without, close_up=True)) == ["734"]
    sure = _columns({7: 0.99}, {3: 0.98, 8: 0.01}, {4: 0.99})
    taken = decision.choose(lattice, _reading(sure, [sure]), {}, CHOSEN, close_up=True)
    assert _texts(taken) == ["734"]
    assert taken.reason.startswith("rescored: row network: score ")
    assert [hypothesis.source for hypothesis in taken.hypotheses[:2]] == ["lattice", "row network"]


def test_a_digits_posterior_sums_over_the_hypotheses() -> None:
    found, scores = rescoring.rescore([], _reading(DOUBT, [DOUBT]), CHOSEN)
    best = int(scores.argmax())
    first, second, third = (sign.confidence for sign in rescoring.posterior(best, found, scores))
    assert first == pytest.approx(third, abs=0.02)
    assert first > 0.95
    assert 0.5 < second < 0.7  # 0.55 of 0.95 that are any digit


def test_scribbles_score_too_low(digits: Digits) -> None:
    def none(pictures: Gray) -> Floats:
        return np.full((len(pictures), 10), 1e-4, np.float32)

    doubt = _columns({7: 0.97}, {3: 0.55, 8: 0.4}, {4: 0.97})
    again = _columns({7: 0.3}, {3: 0.3, 8: 0.2}, {4: 0.3})  # the augmentation shows little of it
    taken = decision.choose([], _reading(doubt, [again]), {}, CHOSEN, only_row=True, close_up=True)
    assert _texts(taken) == ["734"]
    unseen = _reading(doubt, [again], Slices(crop_of(write("734", digits)), none))
    assert _texts(decision.choose([], unseen, {}, CHOSEN, only_row=True, close_up=True)) == []


def test_an_unmoving_row_is_rescored_once(digits: Digits) -> None:
    counts: list[int] = []

    def classify(pictures: Gray) -> Floats:
        counts.append(len(pictures))
        return np.full((len(pictures), 10), 0.1, np.float32)

    reading = _reading(DOUBT, [DOUBT])
    for _ in range(2):
        again = replace(reading, slices=lambda: Slices(crop_of(write("734", digits)), classify))
        rescoring.rescore([], again, CHOSEN)
    assert len(counts) == 1
    rescoring.rescore(_to_numbers(_search(DOUBT)), again, CHOSEN)  # with the lattice's digits it is another
    assert len(counts) == 2
    rescoring.rescore([], again, replace(CHOSEN, slice_weight=0.0))  # and with other parameters
    assert len(counts) == 3
