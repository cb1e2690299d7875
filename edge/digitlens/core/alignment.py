"""Alignments of two strings: the optimal one, and the one of longest common runs."""

from difflib import SequenceMatcher

Pairs = list[tuple[int, int]]
"""Positions in the first and in the second string of aligned characters, equal or not, left to right."""


def edit_distance(first: str, second: str) -> int:
    """The fewest insertions, deletions and substitutions between two strings (Levenshtein 1966)."""
    return _distances(first, second)[-1][-1]


def align(first: str, second: str) -> Pairs:
    """An alignment of the fewest edits (Wagner and Fischer 1974), substitutions aligned, too."""
    table = _distances(first, second)
    pairs = []
    i, j = len(first), len(second)
    while i and j:
        same = first[i - 1] == second[j - 1]
        if table[i][j] == table[i - 1][j - 1] + (not same):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i][j] == table[i][j - 1] + 1:
            j -= 1
        else:
            i -= 1
    return pairs[::-1]


def align_runs(first: str, second: str) -> Pairs:
    """An alignment of the longest common runs (Ratcliff and Metzener 1988), the rest from left to right.

    The parameters of rows were chosen with it: `align` changes confidences.
    """
    pairs: Pairs = []
    for kind, start, end, other, last in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind in ("equal", "replace"):
            pairs += zip(range(start, end), range(other, last), strict=False)
    return pairs


def _distances(first: str, second: str) -> list[list[int]]:
    """The edit distances of all pairs of prefixes, (first + 1, second + 1)."""
    table = [list(range(len(second) + 1))]
    for i, expected in enumerate(first, 1):
        row = [i]
        for j, found in enumerate(second, 1):
            row.append(min(table[-1][j] + 1, row[j - 1] + 1, table[-1][j - 1] + (expected != found)))
        table.append(row)
    return table
