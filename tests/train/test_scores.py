"""The networks pairs and plausibility: examples of a few pages, a tiny fit, cards, and fitting again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from digitlens.models import cards
from digitlens.models.perceptron import Perceptron
from digitlens_convert.stats import wilson
from digitlens_train import page_scores, scores
from digitlens_train.__main__ import main
from digitlens_train.data import DataError
from digitlens_train.page_scores import FEATURES, UNLIKE_PAIRS, Scores, ScoresConfig
from digitlens_train.paper.material import Material

pytestmark = pytest.mark.slow

SMALL = ScoresConfig(pages=6, held_out_pages=3, rows=(260, 400), columns=(300, 500), hidden=(3,), epochs=3)


@pytest.fixture(scope="module")
def found() -> Scores:
    """The examples of a few pages by drawn hands."""
    ink = page_scores._Remembering.load()
    return page_scores.collect(SMALL, Material.load(None), ink)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with two processes."""
    out = tmp_path_factory.mktemp("scores") / "scores"
    scores.run(SMALL, out, processes=2)
    return out


def test_examples_are_finite_and_have_both_answers(found: Scores) -> None:
    for name, features in FEATURES.items():
        examples = found.of(name)
        assert examples.inputs.shape == (len(examples.answer), len(features))
        assert np.isfinite(examples.inputs).all()
        assert set(examples.answer.tolist()) == {False, True}
    assert not set(UNLIKE_PAIRS) & set(found.pairs.layout.tolist())
    assert 0 < found.right <= found.written


def test_workers_find_the_same(found: Scores, out: Path) -> None:
    kept, origin = scores.load(out / "learnt.npz")
    assert origin.config == SMALL
    assert (kept.written, kept.right) == (found.written, found.right)
    for name in FEATURES:
        for key in ("inputs", "answer", "layout", "page"):
            np.testing.assert_array_equal(getattr(kept.of(name), key), getattr(found.of(name), key))


def test_cards_hold_the_held_out_figures(out: Path) -> None:
    held, _ = scores.load(out / "held_out.npz")
    for name, features in FEATURES.items():
        network = Perceptron.load(out / f"{name}.npz", len(features))
        card, _ = cards.load(out / f"{name}.npz")
        right, total = scores.right_answers(network, held.of(name)), len(held.of(name).answer)
        assert (card.name, card.kind, card.quantization) == (name, "perceptron", "float32")
        assert (card.accuracy.right, card.accuracy.total) == (right, total)
        assert card.accuracy.interval == pytest.approx(wilson(right, total))
        assert "--pages 6 --held-out-pages 3 --seed 2026" in card.make_again[0]


def test_a_fit_is_made_again_with_its_seed(found: Scores) -> None:
    one, same, other = (
        scores.fit(replace(SMALL, seed=seed), found.pairs).logits(found.pairs.inputs) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_again_fits_to_the_arrays_at_hand(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (out / "learnt.npz").read_bytes()
    assert main(["scores", "--out", str(out), "--again"]) == 0
    assert (out / "learnt.npz").read_bytes() == before
    card, _ = cards.load(out / "pairs.npz")
    assert len(card.make_again) == 2
    assert card.make_again[1].endswith("--again, with hidden (24, 12), epochs 60")
    assert "held out" in capsys.readouterr().out


def test_again_needs_the_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scores", "--out", str(tmp_path), "--again"]) == 1
    assert "leave out --again" in capsys.readouterr().err
    (tmp_path / "learnt.npz").write_bytes(b"no arrays")
    with pytest.raises(DataError, match="not the arrays"):
        scores.load(tmp_path / "learnt.npz")


def test_too_few_examples(found: Scores) -> None:
    few = found.pairs.chosen(found.pairs.answer)
    with pytest.raises(DataError, match="too few"):
        scores.fit(SMALL, few)
