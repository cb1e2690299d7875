"""The sizes of combs, labels and tables, millimeters."""

from collections.abc import Sequence

from digitlens.sheets.fields import Field, Table
from digitlens.sheets.typesetting import text_width

LABEL, SMALL = 9.0, 6.5
"""Sizes of the fonts of labels and of captions, points."""
LABEL_HEIGHT, CAPTION_HEIGHT = 4.6, 3.0
"""Heights that a label and a line of captions take up, millimeters."""
COLUMN_GAP, ROW_GAP = 4.0, 1.6
"""Gaps between a table's columns and rows, millimeters."""


def captions(field: Field) -> Sequence[str]:
    """The print above each cell: a choice's choices, a date's letters; nothing of others."""
    if field.kind == "choice":
        return field.choices
    return [letter for letter in field.format if letter.isalpha()]


def separators(field: Field) -> dict[int, str]:
    """The print between two cells, by the number of cells on its left."""
    if field.decimals:
        return {field.cells - field.decimals: "."}
    found, count = {}, 0
    for letter in field.format:
        if letter.isalpha():
            count += 1
        else:
            found[count] = letter
    return found


def cell_width(field: Field) -> float:
    """The width of each of a field's cells, millimeters: a choice's hold their captions."""
    if field.kind != "choice":
        return field.cell_mm[0]
    return max(field.cell_mm[0], *(text_width(choice, SMALL) + 2 for choice in field.choices))


def comb_width(field: Field) -> float:
    """The width of a comb, millimeters."""
    return cell_width(field) * field.cells


def field_height(field: Field) -> float:
    """The height of a field's comb with its label and captions, millimeters."""
    return (
        field.cell_mm[1] + (LABEL_HEIGHT if field.label else 0) + (CAPTION_HEIGHT if captions(field) else 0)
    )


def row_height(table: Table) -> float:
    """The height of a table's rows, without the gap between them, millimeters."""
    return max(column.cell_mm[1] for column in table.columns)


def header_height(table: Table) -> float:
    """The height of a table's header, millimeters."""
    return 6.5 + (CAPTION_HEIGHT if any(captions(column) for column in table.columns) else 0)


def column_width(column: Field) -> float:
    """The width of a table's column: the comb's, or the header's, millimeters."""
    return max(comb_width(column), min(text_width(column.label, LABEL) * 1.06, comb_width(column) + 30))


def labels_width(table: Table) -> float:
    """The width of the rows' labels, millimeters."""
    labels = [*table.rows, table.row_label, str(len(table.rows))]
    return min(max(text_width(label, LABEL) * 1.06 for label in labels) + 1, 70.0)


def table_width(table: Table) -> float:
    """The width of a table, millimeters."""
    columns = sum(column_width(column) + COLUMN_GAP for column in table.columns)
    return labels_width(table) + columns
