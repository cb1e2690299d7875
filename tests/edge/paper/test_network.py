"""InkNetwork: pictures of any size, tiles that meet, and files that are none."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from digitlens import Classifier, ModelError
from digitlens.core.arrays import Gray
from digitlens.models import cards
from digitlens.paper.network import CLASSES, DIGIT, MULTIPLE, PAPER, STEP, InkNetwork
from tests.edge.ink import YOUNG, network
from tests.edge.pages import put

Digits = tuple[Gray, Gray]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (31, 33), (32, 64), (101, 7), (480, 641)])
def test_a_class_for_every_two_by_two_pixels(shape: tuple[int, int]) -> None:
    logits = network().logits(np.full(shape, 200, np.uint8))
    assert logits.shape == (-(-shape[0] // STEP), -(-shape[1] // STEP), CLASSES)
    assert logits.dtype == np.int16


def test_the_shipped_network_is_int8_and_takes_gray_levels() -> None:
    card, content = cards.load(cards.find("ink"))
    assert (card.name, card.kind, card.quantization) == ("ink", "ink", "int8")
    assert (card.input.dtype, card.input.shape, card.input.zero_point) == ("uint8", (-1, -1, -1, 9), 0)
    assert len(content) == card.bytes < 250_000
    assert 0.005 < network().scale < 1
    assert card.accuracy.interval[0] < card.accuracy.fraction < card.accuracy.interval[1]


@YOUNG
def test_paper_and_digits(digits: Digits) -> None:
    page = np.full((300, 500), 225, np.uint8)
    x, y, width, height = put(page, "27", digits, 180, 110)
    best = network().logits(page).argmax(axis=2)
    assert np.mean(best[: (y - 10) // STEP] == PAPER) > 0.99
    inside = slice(y // STEP, (y + height) // STEP), slice(x // STEP, (x + width) // STEP)
    assert np.mean(best[inside][page[::STEP, ::STEP][inside] < 100] == DIGIT) > 0.8


def test_a_view_that_is_not_contiguous(digits: Digits) -> None:
    page = np.full((128, 300), 225, np.uint8)
    put(page, "27", digits, 60, 30)
    wide = np.zeros((128, 450), np.uint8)
    wide[:, :300] = page
    np.testing.assert_array_equal(network().logits(wide[:, :300]), network().logits(page))


def test_more_of_the_paper_below_and_right_changes_little(digits: Digits) -> None:
    """A picture is padded to whole multiples: its classes hardly change."""
    page = np.full((4 * MULTIPLE, 8 * MULTIPLE), 225, np.uint8)
    put(page, "27", digits, 60, 30)
    whole = network().logits(page).argmax(axis=2)
    cut = network().logits(page[:-5, :-9]).argmax(axis=2)
    assert np.mean(cut[:-8, :-8] == whole[: cut.shape[0] - 8, : cut.shape[1] - 8]) > 0.99


def test_two_sizes_in_turn_give_what_each_gives_alone() -> None:
    """The interpreter is resized from picture to picture."""
    random = np.random.default_rng(4)
    small, large = (random.integers(0, 256, shape).astype(np.uint8) for shape in ((40, 50), (100, 90)))
    first = network().logits(small)
    network().logits(large)
    np.testing.assert_array_equal(network().logits(small), first)


def test_a_network_for_glyphs_or_rows_does_not_classify_pixels() -> None:
    for name in ("digits", "numbers"):
        with pytest.raises(ModelError, match="does not classify pixels"):
            InkNetwork.load(name)


def test_the_digit_network_is_none_of_it() -> None:
    with pytest.raises(ModelError, match="does not read glyphs"):
        Classifier.load("ink")


def test_a_card_of_another_shape_is_refused(tmp_path: Path) -> None:
    source = cards.find("ink")
    for suffix in (".tflite", ".json"):
        shutil.copy(source.with_suffix(suffix), tmp_path / f"ink{suffix}")
    card, _ = cards.load(tmp_path / "ink.tflite")
    other = msgspec.structs.replace(card, output=msgspec.structs.replace(card.output, shape=(-1, -1, -1, 4)))
    cards.save(other, tmp_path / "ink.json")
    with pytest.raises(ModelError, match="its card says"):
        InkNetwork.load(tmp_path / "ink.tflite")
