"""The decision between the lattice's reading of a row and the row network's, and evidence for numbers."""

import numpy as np
import pytest

from digitlens.config.parameters.rows import DecisionParameters, RowParameters
from digitlens.core.readings import Digit, Number, number
from digitlens.models.perceptron import Perceptron
from digitlens.rows import ctc, decision
from digitlens.rows.hypothesis_scores import FEATURES, HypothesisScores, probabilities
from digitlens.rows.recognizer import BLANK, CLASSES, OTHER, RowOutput
from digitlens.rows.rescoring import GlyphProbabilities
from digitlens.rows.row_reading import RowReading

CHOSEN, CHOSEN_ROWS = DecisionParameters(), RowParameters()


def _number(text: str, confidence: float) -> Number:
    return number(tuple(Digit(int(sign), confidence, (20 * at, 0, 16, 24)) for at, sign in enumerate(text)))


def _output(text: str, sure: float, instead: str = "") -> RowOutput:
    """An output that reads `text`, each digit this probable, and `instead` with the rest."""
    columns = []
    for at, sign in enumerate(text):
        column = np.zeros(CLASSES, np.float32)
        column[int(instead[at]) if at < len(instead) else OTHER] = 1 - sure
        column[int(sign)] = sure
        columns += [column, np.eye(CLASSES, dtype=np.float32)[BLANK]]
    return RowOutput([], np.array(columns or [np.eye(CLASSES)[BLANK]], np.float32))


def scores_of(bias: float = 8.0, **weights: float) -> HypothesisScores:
    """Scores of these weights, by feature with _ for spaces and hyphens."""
    layer = np.zeros((len(FEATURES), 1), np.float32)
    names = [name.replace(" ", "_").replace("-", "_") for name in FEATURES]
    for name, weight in weights.items():
        layer[names.index(name)] = weight
    one = np.ones(len(FEATURES), np.float32)
    return HypothesisScores(Perceptron(0 * one, one, ((layer, np.full(1, bias, np.float32)),)))


BY_ROW_NETWORK = scores_of(augmented_log_likelihood_below_the_best=1.0)


def _choose(
    lattice: list[Number],
    reading: RowReading,
    scores: HypothesisScores = BY_ROW_NETWORK,
    probabilities: GlyphProbabilities | None = None,
    only_row: bool = False,
) -> decision.Decision:
    return decision.choose(lattice, reading, probabilities or {}, scores, CHOSEN, only_row)


def _reading(text: str, sure: float, instead: str = "") -> RowReading:
    output = _output(text, sure, instead)
    signs = ctc.search(output.columns, BLANK, CHOSEN_ROWS)
    own = [sign for sign in signs if sign.label < 10]

    def to_numbers(found: list[ctc.Sign]) -> list[Number]:
        digits = [Digit(s.label, s.confidence, (20 * at, 0, 16, 24)) for at, s in enumerate(found)]
        return [number(tuple(digit for digit in digits if digit.value < 10))] if digits else []

    return RowReading(to_numbers(own), output, own, to_numbers=to_numbers)


@pytest.mark.parametrize(
    ("lattice", "network", "chosen", "reason"),
    [
        (("1234", 0.9), ("1284", 0.99), "1284", "row network: probability 0.9"),
        (("1234", 0.9), ("1284", 0.6), "1284", "row network: probability 0."),
        (("14", 0.99), ("15004", 0.9), "15004", "row network: probability"),  # the lattice skipped digits
        (("7714", 0.6), ("714", 0.99), "714", "row network: probability"),  # the lattice cut a digit in two
        (("123", 0.8), ("123", 0.6), "123", "the same reading"),
        (("123", 0.8), ("", 0.9), "123", "lattice kept: the row network finds no digit"),
    ],
)
def test_the_likelier_hypothesis_is_chosen(
    lattice: tuple[str, float], network: tuple[str, float], chosen: str, reason: str
) -> None:
    found = _choose([_number(*lattice)], _reading(*network, instead=lattice[0]))
    assert [one.text for one in found.numbers] == [chosen]
    assert found.reason.startswith(reason)


def test_the_scores_decide() -> None:
    lattice, reading = [_number("1234", 0.9)], _reading("1284", 0.6, instead="1234")
    trusting = scores_of(augmented_log_likelihood_below_the_best=1.0, **{"lattice's": 3.0})
    kept = _choose(lattice, reading, trusting)
    assert kept.numbers is lattice
    assert kept.reason.startswith("lattice kept: probability 0.")
    assert {"1234", "1284"} <= {hypothesis.text for hypothesis in kept.hypotheses}


@pytest.mark.parametrize(("eight", "chosen"), [(0.3, "1284"), (0.001, "1234")])
def test_the_digit_network_scores_what_is_substituted(eight: float, chosen: str) -> None:
    lattice = _number("1234", 0.6)
    three = np.zeros(10, np.float32)
    three[3], three[8] = 1 - eight, eight
    both = scores_of(augmented_log_likelihood_below_the_best=1.0, log_odds_of_substituted_glyphs=1.0)
    probabilities = {lattice.digits[2].box: three}
    found = _choose([lattice], _reading("1284", 0.9, instead="1234"), both, probabilities)
    assert [one.text for one in found.numbers] == [chosen]


def test_digits_that_the_lattice_does_not_find_must_be_probable() -> None:
    doubtful = scores_of(bias=-0.4, augmented_log_likelihood_below_the_best=1.0)
    reading = _reading("714", 0.9999)
    among = _choose([], reading, doubtful)
    assert among.numbers == []
    assert among.reason == "no number: probability 0.40 < 0.50"  # exp(-0.4) to 1
    assert [one.text for one in _choose([], reading, doubtful, only_row=True).numbers] == ["714"]


def test_the_shipped_scores_believe_what_both_networks_see() -> None:
    shipped = HypothesisScores.load()
    sure = _choose([_number("1234", 0.5)], _reading("1284", 0.999, instead="1234"), shipped)
    assert [one.text for one in sure.numbers] == ["1284"]
    found, nats = sure.hypotheses, sure.scores
    assert len(found) == len(nats)
    assert 0.5 < probabilities(nats).sum() <= 1


def test_probabilities_leave_room_for_none() -> None:
    np.testing.assert_allclose(probabilities(np.array([0.0])), [0.5])
    np.testing.assert_allclose(probabilities(np.array([800.0, 800.0])), [0.5, 0.5])
    assert probabilities(np.array([-800.0])).sum() < 1e-6
    assert probabilities(np.zeros(0)).shape == (0,)


def test_equal_readings_take_the_larger_confidences() -> None:
    once = [_number("714", 0.8), _number("25", 0.6)]
    both = decision.agreed(once, [_number("714", 0.95), _number("25", 0.5)])
    assert [[digit.confidence for digit in found.digits] for found in both] == [[0.95] * 3, [0.6] * 2]
    assert both[0].confidence == pytest.approx(0.95**3)
    assert [found.box for found in both] == [found.box for found in once]
    assert decision.agreed(once, [_number("714", 0.95), _number("26", 0.99)]) == once
    assert decision.agreed(once, [_number("71425", 0.95)]) == once


def test_evidence_is_of_both_networks() -> None:
    def evidence(confidence: float, sure: float) -> float:
        return decision.evidence([_number("35", confidence)], RowReading([], _output("35", sure)), CHOSEN)

    assert evidence(0.9, 0.99) > evidence(0.9, 0.9) > evidence(0.6, 0.9) > evidence(0.6, 0.2)
    assert evidence(0.6, 0.2) < 0 < CHOSEN.evidence / 2 < evidence(0.99, 0.999)
    assert np.isfinite([evidence(0.0, 1.0), evidence(1.0, 0.0)]).all()
