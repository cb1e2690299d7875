"""Rescoring a row in doubt: its hypotheses, and what both networks say about each."""

from dataclasses import replace

import numpy as np
import pytest

from digitlens.config.parameters.rows import DecisionParameters, RowParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Digit, Number, number
from digitlens.rows import ctc, decision, rescoring
from digitlens.rows.hypothesis_scores import FEATURES, HypothesisEvidence, HypothesisScores
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


DOUBT = _columns({7: 0.99}, {3: 0.55, 8: 0.4}, {4: 0.99})


def _rescored(
    reading: RowReading, lattice: list[Number] | None = None
) -> tuple[list[rescoring.Hypothesis], HypothesisEvidence]:
    found = rescoring.hypotheses(lattice or [], reading, CHOSEN)
    return found, rescoring.evidence_of(found, lattice or [], reading, {}, CHOSEN)


@pytest.mark.parametrize("again", [0.9, 0.2])
def test_augmentations_count(again: float) -> None:
    other = _columns({7: 0.99}, {3: 1 - again, 8: again - 0.01}, {4: 0.99})
    found, evidence = _rescored(_reading(DOUBT, [other, other]))
    texts = [hypothesis.text for hypothesis in found]
    mean = evidence.likelihoods.mean(axis=0)
    assert (mean[texts.index("784")] > mean[texts.index("734")]) == (again > 0.5)
    below = evidence.inputs()[:, FEATURES.index("augmented log-likelihood below the best")]
    assert below.max() == 0
    assert int(below.argmax()) == int(mean.argmax())


def test_an_augmentation_adds_its_own_hypothesis() -> None:
    other = _columns({7: 0.99}, {9: 0.98}, {4: 0.99})
    found, _ = _rescored(_reading(DOUBT, [other]))
    sources = {hypothesis.text: hypothesis.source for hypothesis in found}
    assert sources["734"] == "row network"
    assert sources["784"] == sources["74"] == "n-best"
    assert sources["794"] == "augmented"


@pytest.mark.parametrize("seen", [3, 8])
def test_the_digit_network_scores_slices(seen: int, digits: Digits) -> None:
    def classify(pictures: Gray) -> Floats:
        assert pictures.shape[1:] == (28, 28)
        probabilities = np.full((len(pictures), 10), 0.01, np.float32)
        probabilities[:, [7, 4, seen]] = 0.9
        return probabilities

    reading = _reading(DOUBT, [DOUBT], Slices(crop_of(write("734", digits)), classify))
    found, evidence = _rescored(reading)
    texts = [hypothesis.text for hypothesis in found]
    best = evidence.inputs()[:, FEATURES.index("slices' mean log-probability")]
    assert best[texts.index(f"7{seen}4")] == best.max()
    assert best[texts.index(f"7{11 - seen}4")] < best.max()


def test_the_lattices_hypothesis_is_marked() -> None:
    signs = [sign._replace(label=label) for sign, label in zip(_search(DOUBT), (7, 8, 4), strict=True)]
    found, evidence = _rescored(_reading(DOUBT, [DOUBT]), _to_numbers(signs))
    assert [hypothesis.source for hypothesis in found[:2]] == ["lattice", "row network"]
    assert found[0].signs is None
    inputs = evidence.inputs()
    assert inputs.shape == (len(found), len(FEATURES))
    assert inputs[:2, FEATURES.index("lattice's")].tolist() == [1, 0]
    assert inputs[:2, FEATURES.index("row network's")].tolist() == [0, 1]
    assert inputs[0, FEATURES.index("lattice finds none")] == 0


def test_a_digits_posterior_sums_over_the_hypotheses() -> None:
    found, evidence = _rescored(_reading(DOUBT, [DOUBT]))
    nats = evidence.likelihoods[0] + 12.0
    best = int(nats.argmax())
    first, second, third = (sign.confidence for sign in rescoring.posterior(best, found, nats))
    assert first == pytest.approx(third, abs=0.02)
    assert first > 0.95
    assert 0.5 < second < 0.7  # 0.55 of 0.95 that are any digit


def test_an_unmoving_row_is_rescored_once(digits: Digits) -> None:
    counts: list[int] = []

    def classify(pictures: Gray) -> Floats:
        counts.append(len(pictures))
        return np.full((len(pictures), 10), 0.1, np.float32)

    scores = HypothesisScores.load()
    reading = _reading(DOUBT, [DOUBT])
    for _ in range(2):
        again = replace(reading, slices=lambda: Slices(crop_of(write("734", digits)), classify))
        decision.choose([], again, {}, scores, CHOSEN)
    assert len(counts) == 1
    signs = [sign._replace(label=label) for sign, label in zip(_search(DOUBT), (7, 8, 4), strict=True)]
    decision.choose(_to_numbers(signs), again, {}, scores, CHOSEN)  # with the lattice's digits it is another
    assert len(counts) == 2
    decision.choose([], again, {}, scores, replace(CHOSEN, slice_floor=0.1))  # and with other parameters
    assert len(counts) == 3
