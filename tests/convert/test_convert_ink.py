"""The ink network's files: float32 and int8 answer alike, for pictures of any size."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import keras

from digitlens.config.parameters.paper import PaperParameters
from digitlens.models import cards
from digitlens.paper.ink import find_ink
from digitlens.paper.network import CLASSES, STEP, InkNetwork
from digitlens_convert import convert_ink, ink_pixels
from digitlens_convert.config import SearchConfig
from digitlens_train import networks
from digitlens_train.run import About

pytestmark = pytest.mark.slow

SIDE = 64
"""Of a patch, pixels."""


def patches(path: Path, count: int, seed: int) -> None:
    """Dark bars on light paper; the class of a bar is digit."""
    random = np.random.default_rng(seed)
    gray = np.full((count, SIDE, SIDE), 220, np.uint8)
    classes = np.zeros((count, SIDE // STEP, SIDE // STEP), np.uint8)
    for picture, truth in zip(gray, classes, strict=True):
        for x in random.integers(0, SIDE // STEP - 4, 3).tolist():
            picture[:, STEP * x : STEP * (x + 4)], truth[:, x : x + 4] = 40, 1
    np.savez(path, gray=gray, classes=classes)


@pytest.fixture(scope="module")
def networks_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, InkNetwork]:
    """The networks of a run that has learnt next to nothing, by their quantization."""
    run, out = tmp_path_factory.mktemp("ink"), tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(3)
    model = networks.ink()
    patches(run / "patches.npz", 24, 1)
    patches(run / "held_out.npz", 8, 2)
    gray, classes = ink_pixels.load(run / "patches.npz")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(gray[..., np.newaxis] * np.float32(networks.INK_SCALE), classes, 8, 30, verbose=0)
    model.save(run / "ink.keras")
    about = About("ink", "ink", "classifies pixels", "bars", ("python -m digitlens_train ink",))
    written = convert_ink.convert(about, run, out, SearchConfig(sets=1, sizes=(8,), compared=8))
    assert [path.parent for path in written] == [run, out]
    return {network.card.quantization: network for network in map(InkNetwork.load, written)}


@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("shape", [(1, 1), (33, 95), (64, 64), (101, 7)])
def test_a_class_for_every_two_by_two_pixels(
    networks_of_a_run: dict[str, InkNetwork], kind: str, shape: tuple[int, int]
) -> None:
    logits = networks_of_a_run[kind].logits(np.full(shape, 200, np.uint8))
    assert logits.shape == (-(-shape[0] // STEP), -(-shape[1] // STEP), CLASSES)
    assert logits.dtype == np.int16


def test_their_cards(networks_of_a_run: dict[str, InkNetwork]) -> None:
    for kind, network in networks_of_a_run.items():
        card = network.card
        assert (card.kind, card.quantization, card.input.shape) == ("ink", kind, (-1, -1, -1, 1))
        assert card.accuracy.total > 0
        assert "digitlens_convert convert" in card.make_again[-1]
    full, small = (networks_of_a_run[kind].card for kind in ("float32", "int8"))
    assert small.bytes < full.bytes
    assert cards.SUFFIXES["ink"] == ".tflite"


def test_both_answer_alike(networks_of_a_run: dict[str, InkNetwork], tmp_path: Path) -> None:
    """The logits are nats in both; the probabilities of the ink are then, too."""
    patches(tmp_path / "more.npz", 4, 5)
    gray, classes = ink_pixels.load(tmp_path / "more.npz")
    chosen, inks = PaperParameters(), {}
    for kind, network in networks_of_a_run.items():
        logits = [network.logits(picture) for picture in gray]
        right = np.mean([one.argmax(axis=2) == truth for one, truth in zip(logits, classes, strict=True)])
        assert right > 0.75, kind
        inks[kind] = [
            find_ink(picture, one, network.scale, chosen.edge, chosen.faintest)
            for picture, one in zip(gray, logits, strict=True)
        ]
    for full, small in zip(inks["float32"], inks["int8"], strict=True):
        assert np.mean(full.mask == small.mask) > 0.98
        both = (full.probabilities.sum(axis=2) > 0) & (small.probabilities.sum(axis=2) > 0)
        assert np.abs(full.probabilities[both] - small.probabilities[both]).mean() < 0.05
