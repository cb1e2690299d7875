"""What papers look like: all layouts by name, how often each is drawn, and which ones training leaves out."""

from collections.abc import Callable

import numpy as np

from digitlens_train.paper import combs, empty, everyday, forms, games, notes, rows, sums, tables
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.material import Material

Layout = Callable[[Canvas, Material, np.random.Generator, float], None]
"""Fills a canvas of at least 64 x 64 pixels; the last argument is the height of the writing in pixels."""

_WEIGHED: dict[str, tuple[Layout, float]] = {
    "free_rows": (rows.free_rows, 6),
    "ruled": (rows.ruled, 5),
    "squared": (rows.squared, 5),
    "square_digits": (rows.square_digits, 5),
    "single_row": (rows.single_row, 3),
    "columns": (rows.columns, 3),
    "lists": (rows.lists, 4),
    "notes": (rows.notes, 4),
    "table": (tables.table, 10),
    "small_table": (tables.small_table, 4),
    "marks": (tables.marks, 5),
    "accounts": (tables.accounts, 4),
    "one_column": (tables.one_column, 3),
    "crowded": (tables.crowded, 3),
    "joined_rows": (tables.joined_rows, 4),
    "scorecard": (games.scorecard, 4),
    "results": (games.results, 3),
    "sudoku": (games.sudoku, 4),
    "calendar": (games.calendar, 2),
    "tally": (games.tally, 2),
    "comb": (combs.comb, 7),
    "lone_comb": (combs.lone_comb, 4),
    "boxes": (combs.boxes, 4),
    "form": (forms.form, 5),
    "exam_cover": (forms.exam_cover, 3),
    "bubbles": (forms.bubbles, 2),
    "dates": (forms.dates, 3),
    "cheque": (forms.cheque, 2),
    "answers": (forms.answers, 2),
    "sums": (sums.sums, 5),
    "column_sums": (sums.column_sums, 4),
    "fractions": (sums.fractions, 3),
    "long_division": (sums.long_division, 2),
    "worked": (sums.worked, 3),
    "equations": (sums.equations, 4),
    "meters": (notes.meters, 2),
    "labels": (notes.labels, 3),
    "board": (notes.board, 3),
    "struck_list": (notes.struck_list, 3),
    "annotated": (notes.annotated, 4),
    "overwritten": (notes.overwritten, 3),
    "mark_sheet": (everyday.mark_sheet, 12),
    "exam_marks": (everyday.exam_marks, 6),
    "counts": (everyday.counts, 4),
    "slip": (everyday.slip, 6),
    "one_number": (everyday.one_number, 8),
    "few_numbers": (everyday.few_numbers, 6),
    "one_sum": (everyday.one_sum, 8),
    "ledger": (everyday.ledger, 4),
    "words": (empty.words, 4),
    "printed_page": (empty.printed_page, 2),
    "printed_numbers": (empty.printed_numbers, 3),
    "scribbles": (empty.scribbles, 2),
    "drawings": (empty.drawings, 1),
    "empty_grid": (empty.empty_grid, 2),
    "keys": (empty.keys, 1),
    "texture": (empty.texture, 1),
    "symbols": (empty.symbols, 2),
}

LAYOUTS: dict[str, Layout] = {name: layout for name, (layout, _) in _WEIGHED.items()}
"""All layouts by name."""
HELD_OUT: tuple[str, ...] = ("scorecard", "exam_cover", "long_division")
"""Layouts that training leaves out, to measure what carries over to paper of another kind."""
_SUM = sum(weight for name, (_, weight) in _WEIGHED.items() if name not in HELD_OUT)
WEIGHTS: dict[str, float] = {
    name: 0.0 if name in HELD_OUT else weight / _SUM for name, (_, weight) in _WEIGHED.items()
}
"""Probabilities of the layouts in training, by name; 0 for HELD_OUT, their sum is 1."""
EMPTY: tuple[str, ...] = (
    "words",
    "printed_page",
    "printed_numbers",
    "scribbles",
    "drawings",
    "empty_grid",
    "keys",
    "texture",
    "symbols",
)
"""Layouts without a handwritten digit."""
