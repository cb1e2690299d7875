"""Shards: the columns of a table -> one Parquet, JSON lines or CSV file, and back."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from digitlens.batch.rows import TABLES, Columns, Value
from digitlens.core.errors import BatchError, DependencyError, first_line

FORMATS = ("parquet", "jsonl", "csv")
"""Formats of the tables; also the suffixes of their files."""


def check(kind: str) -> None:
    """See whether a format can be written here.

    Raises:
        DependencyError: it needs a package that is not installed.
    """
    if kind == "parquet":
        _parquet()


def write(path: Path, kind: str, table: str, columns: Columns) -> None:
    """Write a shard and have it on the disk when this returns.

    Args:
        path: of the file, which is replaced.
        kind: one of FORMATS.
        table: a name in TABLES.
        columns: of that table, all of the same length.

    Raises:
        BatchError: it cannot be written.
    """
    try:
        if kind == "parquet":
            _, parquet = _parquet()
            parquet.write_table(arrow_table(table, columns), path, compression="zstd")
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                (_write_csv if kind == "csv" else _write_lines)(file, table, columns)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise BatchError(f"{path}: cannot be written: {first_line(error)}") from error


def arrow_table(table: str, columns: Columns) -> Any:
    """A table's columns as a pyarrow.Table.

    Raises:
        DependencyError: pyarrow is not installed.
    """
    arrow, _ = _parquet()
    return arrow.Table.from_pydict(columns, schema=_schema(arrow, table))


def read(path: Path, kind: str, table: str, names: Sequence[str]) -> Columns:
    """Some columns of a shard.

    Raises:
        BatchError: it cannot be read.
    """
    try:
        if kind == "parquet":
            _, parquet = _parquet()
            # One thread: the workers have the others.
            found: Columns = parquet.read_table(path, columns=list(names), use_threads=False).to_pydict()
            return found
        columns: Columns = {name: [] for name in names}
        with path.open(encoding="utf-8", newline="") as file:
            for row in _read_csv(file, table) if kind == "csv" else map(json.loads, file):
                for name in names:
                    columns[name].append(row[name])
    except (OSError, ValueError, KeyError) as error:  # Arrow's errors are ValueErrors, too
        raise BatchError(f"{path}: cannot be read: {first_line(error)}") from error
    return columns


def _write_lines(file: TextIO, table: str, columns: Columns) -> None:
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(columns, values, strict=True))
        file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def _write_csv(file: TextIO, table: str, columns: Columns) -> None:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(TABLES[table])
    rows.writerows(
        [str(value).lower() if isinstance(value, bool) else value for value in values]
        for values in zip(*columns.values(), strict=True)
    )


def _read_csv(file: TextIO, table: str) -> Iterator[dict[str, Value]]:
    kinds = TABLES[table]
    for row in csv.DictReader(file):
        yield {name: _value(text, kinds[name]) for name, text in row.items() if name in kinds}


def _value(text: str, kind: str) -> Value:
    """A cell of a CSV; an empty one is None."""
    if text == "":
        return None
    if kind == "bool":
        return text == "true"
    return int(text) if kind == "int" else float(text) if kind == "float" else text


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DependencyError(
            "tables in Parquet need pyarrow: pip install 'digitlens[archive]', or --format jsonl or csv"
        ) from error
    return pyarrow, pyarrow.parquet


def _schema(arrow: Any, table: str) -> Any:
    kinds = {"text": arrow.string(), "int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_()}
    return arrow.schema([(name, kinds[kind]) for name, kind in TABLES[table].items()])
