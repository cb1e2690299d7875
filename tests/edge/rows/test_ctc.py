"""Prefix beam search and likelihoods, against all labelings and paths that there are."""

from itertools import groupby, product

import numpy as np
import pytest

from digitlens.config.parameters.rows import RowParameters
from digitlens.core.arrays import Floats
from digitlens.rows import ctc

BLANK = 2
CHOSEN = RowParameters()


def _columns(rows: list[list[float]]) -> Floats:
    return np.array(rows, np.float32)


def _labels(signs: list[ctc.Sign]) -> tuple[int, ...]:
    return tuple(sign.label for sign in signs)


def _most_probable(columns: Floats) -> tuple[int, ...]:
    """The labeling with the greatest probability over all its paths, by trying every path."""
    labelings: dict[tuple[int, ...], float] = {}
    for path in product(range(columns.shape[1]), repeat=len(columns)):
        labels = tuple(label for label, _ in groupby(path) if label != BLANK)
        probability = float(np.prod(columns[np.arange(len(path)), path], dtype=np.float64))
        labelings[labels] = labelings.get(labels, 0.0) + probability
    return max(labelings, key=lambda labels: labelings[labels])


def test_all_paths_of_a_labeling_count() -> None:
    """In each column alone blank is likelier; together a label is."""
    columns = _columns([[0.4, 0.0, 0.6], [0.4, 0.0, 0.6]])
    (sign,) = ctc.search(columns, BLANK, CHOSEN)
    assert sign.label == 0
    assert sign.confidence == pytest.approx(0.64, abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_the_most_probable_labeling(seed: int) -> None:
    exhaustive = RowParameters(class_floor=0.0, blank_threshold=1.0, beam_width=60)
    columns = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), 6).astype(np.float32)
    assert _labels(ctc.search(columns, BLANK, exhaustive)) == _most_probable(columns)


def test_equal_labels_need_a_blank_between() -> None:
    held = _columns([[0.98, 0.01, 0.01]] * 4)
    assert _labels(ctc.search(held, BLANK, CHOSEN)) == (0,)
    separated = np.insert(held, 2, [0.01, 0.0, 0.99], axis=0)
    assert _labels(ctc.search(separated, BLANK, CHOSEN)) == (0, 0)
    blank = np.insert(held, [2, 2], [0.0, 0.0, 1.0], axis=0)  # columns that are skipped separate, too
    assert _labels(ctc.search(blank, BLANK, CHOSEN)) == (0, 0)


def test_a_sign_is_where_it_is_most_probable() -> None:
    columns = _columns([[0, 0, 1], [0.3, 0, 0.7], [0.9, 0, 0.1], [0, 0, 1], [0, 0.2, 0.8], [0, 0.95, 0.05]])
    first, second = ctc.search(columns, BLANK, CHOSEN)
    assert (first.label, first.column) == (0, 2)
    assert (second.label, second.column) == (1, 5)
    assert first.confidence == pytest.approx(0.93, abs=0.01)  # 1 - 0.7 * 0.1


def test_a_doubtful_sign_has_the_confidence_of_its_columns() -> None:
    (sign,) = ctc.search(_columns([[0, 0, 1], [0.5, 0.45, 0.05], [0, 0, 1]]), BLANK, CHOSEN)
    assert sign.label == 0
    assert sign.confidence == pytest.approx(0.5, abs=0.03)
    assert sign.probabilities[1] == pytest.approx(0.45, abs=0.03)


def test_blank_is_no_sign() -> None:
    assert ctc.search(_columns([[0, 0, 1]] * 5), BLANK, CHOSEN) == []
    assert ctc.search(np.zeros((0, 3), np.float32), BLANK, CHOSEN) == []


@pytest.mark.parametrize("seed", range(12))
def test_likelihood_is_the_sum_over_all_paths(seed: int) -> None:
    """Classes after the digits all count as blank."""
    every_column = RowParameters(blank_threshold=1.1)
    columns = np.random.default_rng(seed).dirichlet(np.full(4, 0.7), 5).astype(np.float32)
    total: dict[tuple[int, ...], float] = {}
    for path in product(range(4), repeat=len(columns)):
        merged = (min(label, BLANK) for label in path)
        labels = tuple(label for label, _ in groupby(merged) if label != BLANK)
        probability = float(np.prod(columns[np.arange(5), path], dtype=np.float64))
        total[labels] = total.get(labels, 0.0) + probability
    for labels in ((), (0,), (1,), (0, 1), (1, 1), (0, 1, 0), (0, 0, 0)):
        ((found,),) = ctc.log_likelihoods([columns], [labels], BLANK, every_column)
        assert np.exp(found) == pytest.approx(total[labels], rel=1e-4)


def test_consecutive_blank_columns_count_once() -> None:
    short = _columns([[0.9, 0.05, 0.05], [0.0, 0.01, 0.99], [0.1, 0.8, 0.1]])
    longer = np.insert(short, [2, 2, 2], [0.0, 0.01, 0.99], axis=0)
    labelings = ((0, 1), (0,), ())
    once, twice = (ctc.log_likelihoods([columns], labelings, BLANK, CHOSEN) for columns in (short, longer))
    np.testing.assert_array_equal(once, twice)


def test_outputs_and_labelings_score_together_as_each_alone() -> None:
    random = np.random.default_rng(4)
    outputs = [random.dirichlet(np.full(4, 0.3), 40).astype(np.float32) for _ in range(3)]
    labelings = ((0, 1, 1), (), (1,), (0, 1, 0, 1, 0, 0, 1))
    together = ctc.log_likelihoods(outputs, labelings, BLANK, CHOSEN)
    assert together.shape == (3, 4)
    for output, scores in zip(outputs, together, strict=True):
        for labels, one in zip(labelings, scores, strict=True):
            # Columns that are blank in all outputs are fewer than those blank in this one.
            alone = ctc.log_likelihoods([output], [labels], BLANK, CHOSEN)[0, 0]
            assert one == pytest.approx(alone, abs=0.2)
    assert np.isfinite(ctc.log_likelihoods([outputs[0][:2]], [(0, 1, 0, 1)], BLANK, CHOSEN)).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_best_labelings_come_first(seed: int) -> None:
    wide = RowParameters(class_floor=0.0, prefix_floor=0.0, beam_width=60)
    columns = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), 6).astype(np.float32)
    columns[3] = 0.02, 0.01, 0.97  # two stretches
    found = ctc.n_best(columns, BLANK, 5, wide)
    assert len({labeling.labels for labeling in found}) == 5
    probabilities = [labeling.probability for labeling in found]
    assert probabilities == sorted(probabilities, reverse=True)
    scores = ctc.log_likelihoods([columns], [labeling.labels for labeling in found], BLANK, wide)[0]
    assert found[0].labels == ctc.n_best(columns, BLANK, 1, wide)[0].labels
    assert np.corrcoef(scores, np.log(probabilities))[0, 1] > 0.9
    for labeling in found:
        peaks = ctc.peaks(labeling, columns)
        assert all(start <= peak for start, peak in zip(labeling.starts, peaks, strict=True))
