"""Alignments of two strings."""

from itertools import product

import pytest

from digitlens.core.alignment import align, align_runs, edit_distance


@pytest.mark.parametrize(
    ("truth", "read", "distance"),
    [("", "", 0), ("123", "123", 0), ("123", "13", 1), ("123", "0123", 1), ("12", "21", 2), ("5", "", 1)],
)
def test_edit_distance(truth: str, read: str, distance: int) -> None:
    assert edit_distance(truth, read) == distance


@pytest.mark.parametrize(
    ("truth", "read", "right"),
    [
        ("123", "123", [1, 1, 1]),
        ("123", "13", [1, 1]),
        ("12", "152", [1, 0, 1]),
        ("12", "72", [0, 1]),
        ("", "7", [0]),
    ],
)
def test_alignment_says_which_digits_are_right(truth: str, read: str, right: list[int]) -> None:
    equal = {there for at, there in align(truth, read) if truth[at] == read[there]}
    assert [at in equal for at in range(len(read))] == [bool(same) for same in right]


def test_an_optimal_alignment_has_the_edits_of_the_distance() -> None:
    texts = ["".join(text) for length in range(5) for text in product("12", repeat=length)]
    for first, second in product(texts, texts):
        pairs = align(first, second)
        assert pairs == sorted(set(pairs))
        changed = sum(first[at] != second[there] for at, there in pairs)
        assert changed + len(first) + len(second) - 2 * len(pairs) == edit_distance(first, second)


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        ("1234", "1284", [(0, 0), (1, 1), (2, 2), (3, 3)]),
        ("7714", "714", [(1, 0), (2, 1), (3, 2)]),
        (
            "1000",
            "1060",
            [(0, 0), (1, 1), (2, 3)],
        ),  # a run of two, then one; a substitution would be one edit, not two
        ("1", "27", [(0, 0)]),
        ("", "7", []),
    ],
)
def test_runs_are_aligned_first(first: str, second: str, pairs: list[tuple[int, int]]) -> None:
    assert align_runs(first, second) == pairs
