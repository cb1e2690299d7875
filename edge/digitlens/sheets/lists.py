"""Values that are allowed, from a column of a CSV file: FILE.csv:COLUMN."""

import csv
from pathlib import Path

from digitlens.core.errors import reason
from digitlens.core.paths import SPECIAL, is_special

MAX_BYTES = 16 << 20
"""Size of a list's file at most, in bytes."""
MAX_VALUES = 200_000
"""Values of a list at most."""


class ListProblem(Exception):  # noqa: N818  # becomes a TemplateError where its line is known
    """An error in a list."""


def load(source: str, folder: Path) -> tuple[str, ...]:
    """The column's values in the file's order, empty ones left out; the file lies in or below `folder`.

    Raises:
        ListProblem: it is not FILE.csv:COLUMN, cannot be read, or has no such column or no value in it.
    """
    name, colon, column = source.rpartition(":")
    if not (colon and name and column):
        raise ListProblem(f'"{source}": write it as FILE.csv:COLUMN')
    path = folder / name
    rows = list(csv.reader(_text(path).splitlines(), dialect=_dialect(_text(path))))
    header = [cell.strip() for cell in rows[0]] if rows else []
    if column not in header:
        raise ListProblem(
            f"{path} has no column {column}; its first line has {', '.join(header) or 'nothing'}"
        )
    place = header.index(column)
    values = [row[place].strip() for row in rows[1:] if len(row) > place]
    values = [value for value in values if value]
    if not values:
        raise ListProblem(f"{path} has nothing in its column {column}")
    if len(values) > MAX_VALUES:
        raise ListProblem(f"{path} has more than {MAX_VALUES} values")
    return tuple(values)


def _text(path: Path) -> str:
    if is_special(path):
        raise ListProblem(f"{path}: {SPECIAL}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ListProblem(f"{path}: {reason(error)}") from error
    if len(content) > MAX_BYTES:
        raise ListProblem(f"{path} is larger than {MAX_BYTES >> 20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListProblem(f"{path} is not UTF-8: save it in that encoding") from error


def _dialect(text: str) -> type[csv.Dialect]:
    """With the separator that the first line has most of: comma, semicolon or tab."""
    first = text.partition("\n")[0]

    class Separated(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Separated
