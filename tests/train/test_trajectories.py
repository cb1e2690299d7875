"""Hands that learn: pen trajectories as stroke pictures, numbers of one writer, and what is no digit."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import itertools

from digitlens.rows.recognizer import LETTER, NETWORK_BLANK
from digitlens_train import strokes, traced_writing, trajectories
from digitlens_train.paper.material import Material
from digitlens_train.writing import Hand

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "unipen_digits.npz").exists(), reason="needs ../shared/data")


@pytest.fixture(scope="module")
def drawn() -> Material:
    return Material.load(None)


@pytest.fixture(scope="module")
def hands() -> Material:
    return Material.load(DATA, "held_out")


def test_a_digit_is_as_thick_as_the_pen(drawn: Material) -> None:
    for pen in (4.0, 12.0):
        random = np.random.default_rng(1)
        widths = [strokes.width(trajectories.digit(drawn, random, 1, pen=pen)[0]) for _ in range(8)]
        assert np.median(widths) == pytest.approx(pen, rel=0.5)


def test_hurried_paths_keep_their_ends_near_and_lose_their_corners() -> None:
    corner = [np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])]
    (rounded,) = trajectories.hurried(corner, 0.1)
    assert np.abs(rounded[0] - corner[0][0]).max() < 0.1
    assert np.abs(rounded[-1] - corner[0][-1]).max() < 0.1
    assert np.hypot(*(rounded - [1.0, 0.0]).T).min() > 0.03


def test_a_number_without_lifting_the_pen_is_slices_of_one_piece(drawn: Material) -> None:
    hand = Hand.draw(np.random.default_rng(3))
    hand.linked, hand.gap = 1.0, 0.2
    digits = traced_writing.linked(drawn, [2, 3, 5, 0], hand, np.random.default_rng(4))
    assert [digit.label for digit in digits] == [2, 3, 5, 0]
    assert len({len(digit.ink) for digit in digits}) == 1
    assert all(digit.ink.max() > 0.9 for digit in digits)
    # The pen runs over each edge between two slices.
    for left, right in itertools.pairwise(digits):
        assert (left.ink[:, -1] + right.ink[:, 0]).max() > 0.5


@needs_data
def test_a_writer_keeps_his_hand(hands: Material) -> None:
    own = {
        tuple(trajectories.shape_of(hands, np.random.default_rng(seed), 4, writer=9).points[0])
        for seed in range(40)
    }
    any_ = {
        tuple(trajectories.shape_of(hands, np.random.default_rng(seed), 4, writer=None).points[0])
        for seed in range(40)
    }
    assert len(own) < len(any_)


@needs_data
def test_what_writers_wrote_in_one_go_keeps_its_signs(hands: Material) -> None:
    random = np.random.default_rng(5)
    hand = Hand.draw(random)
    found = [traced_writing.string(hands, hand, random) for _ in range(40)]
    classes = {label for one in found if one is not None for label in (one.several or (one.label,))}
    assert len(classes - {*range(10)}) > 2
    assert max(classes) < NETWORK_BLANK
    word = traced_writing.word(hands, hand, random)
    assert word is not None
    assert word.label == LETTER


@needs_data
def test_what_may_be_a_digit_does_not_teach_that_it_is_none(hands: Material) -> None:
    assert hands.upper is not None
    texts = {hands.upper.labels[index] for index in hands.upper.chosen.tolist()}
    assert {"O", "I"} <= texts & trajectories.AMBIGUOUS
    random = np.random.default_rng(6)
    for _ in range(20):
        stroke = trajectories.other(hands, random)
        assert stroke is not None
        assert stroke.max() > 0.9
