"""Prefix beam search, against every row that there could be."""

from itertools import groupby, product

import numpy as np
import pytest

from digitlens.rows import ctc

NOTHING = 2


def _columns(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)


def _labels(signs: list[ctc.Sign]) -> tuple[int, ...]:
    return tuple(sign.label for sign in signs)


def _likeliest(columns: np.ndarray) -> tuple[int, ...]:
    """The row of the greatest probability over all its alignments, by trying all of them."""
    rows: dict[tuple[int, ...], float] = {}
    for way in product(range(columns.shape[1]), repeat=len(columns)):
        row = tuple(label for label, _ in groupby(way) if label != NOTHING)
        rows[row] = rows.get(row, 0.0) + float(np.prod(columns[np.arange(len(way)), way], dtype=np.float64))
    return max(rows, key=lambda row: rows[row])


def test_all_alignments_of_a_row_count() -> None:
    """Each column alone says nothing; together they say that something was there."""
    columns = _columns([[0.4, 0.0, 0.6], [0.4, 0.0, 0.6]])
    (sign,) = ctc.search(columns, NOTHING)
    assert sign.label == 0
    assert sign.confidence == pytest.approx(0.64, abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_the_likeliest_row(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctc, "LEAST", 0.0)
    monkeypatch.setattr(ctc, "SILENT", 1.0)
    columns = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), 6).astype(np.float32)
    assert _labels(ctc.search(columns, NOTHING, width=60)) == _likeliest(columns)


def test_two_of_a_kind_need_nothing_between() -> None:
    held = _columns([[0.98, 0.01, 0.01]] * 4)
    assert _labels(ctc.search(held, NOTHING)) == (0,)
    parted = np.insert(held, 2, [0.01, 0.0, 0.99], axis=0)
    assert _labels(ctc.search(parted, NOTHING)) == (0, 0)
    silent = np.insert(held, [2, 2], [0.0, 0.0, 1.0], axis=0)  # a column that is skipped parts them, too
    assert _labels(ctc.search(silent, NOTHING)) == (0, 0)


def test_a_sign_stands_where_it_is_most_probable() -> None:
    columns = _columns([[0, 0, 1], [0.3, 0, 0.7], [0.9, 0, 0.1], [0, 0, 1], [0, 0.2, 0.8], [0, 0.95, 0.05]])
    first, second = ctc.search(columns, NOTHING)
    assert (first.label, first.column) == (0, 2)
    assert (second.label, second.column) == (1, 5)
    assert first.confidence == pytest.approx(0.93, abs=0.01)  # 1 - 0.7 * 0.1


def test_a_doubtful_sign_says_so() -> None:
    (sign,) = ctc.search(_columns([[0, 0, 1], [0.5, 0.45, 0.05], [0, 0, 1]]), NOTHING)
    assert sign.label == 0
    assert sign.confidence == pytest.approx(0.5, abs=0.03)
    assert sign.shares[1] == pytest.approx(0.45, abs=0.03)


def test_nothing_is_no_sign() -> None:
    assert ctc.search(_columns([[0, 0, 1]] * 5), NOTHING) == []
    assert ctc.search(np.zeros((0, 3), np.float32), NOTHING) == []


@pytest.mark.parametrize("seed", range(12))
def test_likelihood_is_the_sum_over_all_alignments(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the digits' classes parts them and is not told apart."""
    monkeypatch.setattr(ctc, "SILENT", 1.1)
    columns = np.random.default_rng(seed).dirichlet(np.full(4, 0.7), 5).astype(np.float32)
    total: dict[tuple[int, ...], float] = {}
    for way in product(range(4), repeat=len(columns)):
        merged = (min(label, NOTHING) for label in way)
        row = tuple(label for label, _ in groupby(merged) if label != NOTHING)
        total[row] = total.get(row, 0.0) + float(np.prod(columns[np.arange(5), way], dtype=np.float64))
    for row in ((), (0,), (1,), (0, 1), (1, 1), (0, 1, 0), (0, 0, 0)):
        ((told,),) = ctc.likelihoods([columns], [row], NOTHING)
        assert np.exp(told) == pytest.approx(total[row], rel=1e-4)


def test_silent_columns_do_not_count_twice() -> None:
    spoken = _columns([[0.9, 0.05, 0.05], [0.0, 0.01, 0.99], [0.1, 0.8, 0.1]])
    longer = np.insert(spoken, [2, 2, 2], [0.0, 0.01, 0.99], axis=0)
    rows = ((0, 1), (0,), ())
    once, twice = (ctc.likelihoods([columns], rows, NOTHING) for columns in (spoken, longer))
    np.testing.assert_array_equal(once, twice)


def test_looks_and_rows_are_asked_together_as_each_alone() -> None:
    random = np.random.default_rng(4)
    looks = [random.dirichlet(np.full(4, 0.3), 40).astype(np.float32) for _ in range(3)]
    rows = ((0, 1, 1), (), (1,), (0, 1, 0, 1, 0, 0, 1))
    together = ctc.likelihoods(looks, rows, NOTHING)
    assert together.shape == (3, 4)
    for look, told in zip(looks, together, strict=True):
        for row, one in zip(rows, told, strict=True):
            # Where all looks are silent is not where this one is.
            assert one == pytest.approx(ctc.likelihoods([look], [row], NOTHING)[0, 0], abs=0.2)
    assert np.isfinite(ctc.likelihoods([looks[0][:2]], [(0, 1, 0, 1)], NOTHING)).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_likeliest_rows_come_first(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctc, "LEAST", 0.0)
    monkeypatch.setattr(ctc, "NEGLIGIBLE", 0.0)
    columns = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), 6).astype(np.float32)
    columns[3] = 0.02, 0.01, 0.97  # two stretches
    found = ctc.rows(columns, NOTHING, 5, width=60)
    assert len({row.labels for row in found}) == 5
    assert [row.chance for row in found] == sorted((row.chance for row in found), reverse=True)
    told = ctc.likelihoods([columns], [row.labels for row in found], NOTHING)[0]
    assert found[0].labels == ctc.rows(columns, NOTHING, 1, width=60)[0].labels
    assert np.corrcoef(told, np.log([row.chance for row in found]))[0, 1] > 0.9
    for row in found:
        peaks = ctc.peaks(row, columns)
        assert all(start <= peak for start, peak in zip(row.starts, peaks, strict=True))
