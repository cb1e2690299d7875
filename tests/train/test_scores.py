"""The networks rejection, pairs and plausibility: examples, tiny fits, cards, and fits made again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from digitlens.models import cards
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.scores import NAMES
from digitlens_convert.stats import wilson
from digitlens_train import page_examples, scores
from digitlens_train.__main__ import main
from digitlens_train.data import DataError
from digitlens_train.page_examples import UNLIKE_PAIRS, Collector
from digitlens_train.page_scores import FEATURES, Examples, Found, ScoresConfig
from digitlens_train.paper.material import Material

pytestmark = pytest.mark.slow

SMALL = ScoresConfig(pages=10, held_out_pages=4, rows=(260, 400), columns=(300, 500), hidden=(3,), epochs=3)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with two processes."""
    out = tmp_path_factory.mktemp("scores") / "scores"
    scores.run(SMALL, out, processes=2)
    return out


@pytest.fixture(scope="module", params=["glyphs", "numbers"])
def found(request: pytest.FixtureRequest, out: Path) -> tuple[str, Found]:
    """The examples of a few pages by drawn hands, found here, and the name of the stage."""
    ink = page_examples._Remembering.load()
    folder = page_examples._keeping_all(out) if request.param == "numbers" else None
    return request.param, Collector(SMALL, Material.load(None, "scores"), ink, "learnt", folder).collect()


@pytest.fixture(scope="module")
def pairs(out: Path) -> Examples:
    """The pairs of a run."""
    return scores.load(out / "glyphs_learnt.npz")[0].examples["pairs"]


def test_examples_are_finite_and_have_both_answers(found: tuple[str, Found]) -> None:
    stage, collected = found
    assert list(collected.examples) == list(scores.GLYPHS if stage == "glyphs" else scores.NUMBERS)
    for name, examples in collected.examples.items():
        assert examples.inputs.shape == (len(examples.answer), len(FEATURES[name]))
        assert np.isfinite(examples.inputs).all()
        assert set(examples.answer.tolist()) == {False, True}
        if name == "pairs":
            assert not set(UNLIKE_PAIRS) & set(examples.layout.tolist())
    if stage == "numbers":
        assert 0 < collected.right <= collected.written


def test_workers_find_the_same(found: tuple[str, Found], out: Path) -> None:
    stage, collected = found
    kept, origin = scores.load(out / f"{stage}_learnt.npz")
    assert origin.config == SMALL
    assert (kept.written, kept.right) == (collected.written, collected.right)
    for name, examples in collected.examples.items():
        for key in ("inputs", "answer", "layout", "page"):
            np.testing.assert_array_equal(getattr(kept.examples[name], key), getattr(examples, key))


def test_cards_hold_the_held_out_figures(out: Path) -> None:
    for name in NAMES:
        stage = "glyphs" if name in scores.GLYPHS else "numbers"
        held, _ = scores.load(out / f"{stage}_held_out.npz")
        network = Perceptron.load(out / f"{name}.npz", len(FEATURES[name]))
        card, _ = cards.load(out / f"{name}.npz")
        right, total = scores.right_answers(network, held.examples[name]), len(held.examples[name].answer)
        assert (card.name, card.kind, card.quantization) == (name, "perceptron", "float32")
        assert (card.accuracy.right, card.accuracy.total) == (right, total)
        assert card.accuracy.interval == pytest.approx(wilson(right, total))
        assert "--pages 10 --held-out-pages 4 --seed 2026" in card.make_again[0]


def test_a_fit_is_made_again_with_its_seed(pairs: Examples) -> None:
    one, same, other = (
        scores.fit(replace(SMALL, seed=seed), pairs).logits(pairs.inputs) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_again_fits_to_the_arrays_at_hand(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (out / "glyphs_learnt.npz").read_bytes()
    assert main(["scores", "--out", str(out), "--again"]) == 0
    assert (out / "glyphs_learnt.npz").read_bytes() == before
    card, _ = cards.load(out / "pairs.npz")
    assert len(card.make_again) == 2
    assert card.make_again[1].endswith("--again, with hidden (32, 16), epochs 15")
    assert "held out" in capsys.readouterr().out


def test_again_needs_the_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scores", "--out", str(tmp_path), "--again"]) == 1
    assert "leave out --again" in capsys.readouterr().err
    (tmp_path / "glyphs_learnt.npz").write_bytes(b"no arrays")
    with pytest.raises(DataError, match="not the arrays"):
        scores.load(tmp_path / "glyphs_learnt.npz")


def test_too_few_examples(pairs: Examples) -> None:
    few = pairs.chosen(pairs.answer)
    with pytest.raises(DataError, match="too few"):
        scores.fit(SMALL, few)
