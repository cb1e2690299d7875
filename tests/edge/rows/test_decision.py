"""The decision between the lattice's reading of a row and the row network's, and evidence for numbers."""

import numpy as np
import pytest

from digitlens.config.parameters.rows import DecisionParameters
from digitlens.core.readings import Digit, Number, number
from digitlens.rows import decision
from digitlens.rows.recognizer import BLANK, CLASSES, OTHER, RowOutput
from digitlens.rows.row_reading import RowReading

CHOSEN = DecisionParameters()


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


def _choose(
    lattice: list[Number], reading: RowReading, probabilities: decision.GlyphProbabilities | None = None
) -> decision.Decision:
    return decision.choose(lattice, reading, probabilities or {}, CHOSEN)


def _texts(
    lattice: list[Number], reading: RowReading, probabilities: decision.GlyphProbabilities | None = None
) -> list[str]:
    return [found.text for found in _choose(lattice, reading, probabilities).numbers]


@pytest.mark.parametrize(
    ("lattice", "network", "chosen", "reason"),
    [
        (("1234", 0.9), ("1284", 0.9999), "1284", "row network: log-odds 4.7"),
        (("1234", 0.9), ("1284", 0.9), "1234", "lattice kept: log-odds -2.3 < 3.5"),
        (("1234", 0.05), ("1284", 0.98), "1284", "row network: log-odds"),  # the lattice is unsure
        (("14", 0.99), ("15004", 0.9), "15004", "row network: log-odds"),  # the lattice skipped digits
        (("7714", 0.6), ("714", 0.99), "714", "row network: log-odds"),  # the lattice cut a digit in two
        (("714", 0.6), ("7714", 0.99), "7714", "row network: log-odds"),
        (("714", 0.99), ("7714", 0.6), "714", "lattice kept: log-odds"),
        (("7744", 0.9), ("7774", 0.9999), "7774", "row network: log-odds"),  # runs of other lengths
        (("1", 0.8), ("7", 0.9999), "7", "row network: log-odds"),
        (("123", 0.8), ("123", 0.6), "123", "the same reading"),
        (("123", 0.8), ("", 0.9), "123", "lattice kept: the row network finds no digit"),
    ],
)
def test_the_likelier_reading_is_chosen(
    lattice: tuple[str, float], network: tuple[str, float], chosen: str, reason: str
) -> None:
    numbers = [_number(*network)] if network[0] else []
    found = _choose([_number(*lattice)], RowReading(numbers, _output(*network, instead=lattice[0])))
    assert [one.text for one in found.numbers] == [chosen]
    assert found.reason.startswith(reason)


@pytest.mark.parametrize("text", ["11", "71"])
def test_two_digits_do_not_fit_into_an_upright_box(text: str) -> None:
    digits = [Digit(int(sign), 0.9999, (8 * at, 0, 8, 24)) for at, sign in enumerate(text)]
    narrow = RowReading([number(tuple(digits))], _output(text, 0.9999))
    wide = RowReading([_number(text, 0.9999)], _output(text, 0.9999))
    assert _texts([_number("1", 0.8)], narrow) == ["1"]
    assert _texts([_number("1", 0.8)], wide) == [text]


@pytest.mark.parametrize(("text", "sure", "chosen"), [("71", 0.02, "71"), ("7", 0.06, "714")])
def test_the_lattice_seldom_finds_more_than_one_digit_too_many(text: str, sure: float, chosen: str) -> None:
    lattice = _number("714", 0.6)
    no_digit = np.full(10, 0.005, np.float32)
    probabilities = {digit.box: no_digit for digit in lattice.digits[len(text) :]}
    outputs = [_output(digit, 0.99 if at < len(text) else sure) for at, digit in enumerate("714")]
    columns = np.concatenate([output.columns for output in outputs])
    reading = RowReading([_number(text, 0.99)], RowOutput([], columns))
    assert _texts([lattice], reading, probabilities) == [chosen]


@pytest.mark.parametrize(
    ("eight", "text", "chosen"),
    [
        (0.3, "1284", "1284"),  # the digit network, too, thinks an 8 possible
        (0.001, "1284", "1234"),
        (0.001, "124", "124"),  # whether it is a digit at all, the row network knows best
    ],
)
def test_both_networks_count(eight: float, text: str, chosen: str) -> None:
    lattice = _number("1234", 0.6)
    three = np.zeros(10, np.float32)
    three[3], three[8] = 1 - eight, eight
    third = _output("8", 0.995, "3") if text == "1284" else _output("3", 0.025)
    columns = [_output("12", 0.99).columns, third.columns, _output("4", 0.99).columns]
    reading = RowReading([_number(text, 0.99)], RowOutput([], np.concatenate(columns)))
    assert _texts([lattice], reading, {lattice.digits[2].box: three}) == [chosen]


def test_equal_readings_take_the_larger_confidences() -> None:
    once = [_number("714", 0.8), _number("25", 0.6)]
    both = decision.agreed(once, [_number("714", 0.95), _number("25", 0.5)])
    assert [[digit.confidence for digit in found.digits] for found in both] == [[0.95] * 3, [0.6] * 2]
    assert both[0].confidence == pytest.approx(0.95**3)
    assert [found.box for found in both] == [found.box for found in once]
    assert decision.agreed(once, [_number("714", 0.95), _number("26", 0.99)]) == once
    assert decision.agreed(once, [_number("71425", 0.95)]) == once


def test_digits_that_the_lattice_does_not_find_must_be_probable() -> None:
    def chosen(text: str, sure: float, only_row: bool = False) -> tuple[list[str], str]:
        reading = RowReading([_number(text, sure)], _output(text, sure))
        found = decision.choose([], reading, {}, CHOSEN, only_row)
        return [one.text for one in found.numbers], found.reason

    assert chosen("714", 0.9) == ([], "no number: log-odds 6.6 < 12.0")  # a word may look so
    assert chosen("71", 0.999) == ([], "no number: 2 < 3 digits")
    assert chosen("714", 0.999) == (["714"], "row network: the lattice finds no digit")
    assert chosen("71", 0.6, only_row=True) == ([], "no number: confidence 0.60 < 0.80")
    assert chosen("71", 0.8, only_row=True)[0] == ["71"]


def test_evidence_is_of_both_networks() -> None:
    def evidence(confidence: float, sure: float) -> float:
        return decision.evidence([_number("35", confidence)], RowReading([], _output("35", sure)), CHOSEN)

    assert evidence(0.9, 0.99) > evidence(0.9, 0.9) > evidence(0.6, 0.9) > evidence(0.6, 0.2)
    assert evidence(0.6, 0.2) < 0 < CHOSEN.evidence / 2 < evidence(0.99, 0.999)
    assert np.isfinite([evidence(0.0, 1.0), evidence(1.0, 0.0)]).all()
