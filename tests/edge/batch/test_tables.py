"""Tables: rows are read back as they were written, by DuckDB and pandas too; which documents are done."""

import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.batch import tables, writers
from digitlens.batch.done import RECENT, Done
from digitlens.batch.numbers import value_of
from digitlens.batch.rows import NUMBERS, PAGES, Page, PageResult, Row, failure
from digitlens.batch.tables import Tables
from digitlens.core.errors import BatchError
from tests.edge.batch.archive import table

RESULTS = [
    PageResult(
        Page('a,"b"\n.png', "in/a.png", 1, True, 2, 12.5, 640, 480, 1234, None),
        [
            Row("total", "007", 7.0, 0.25, 1, 2, 3, 4, "read", None),
            Row(None, "12.50", 12.5, None, None, None, None, None, "rejected", "more than 10, \u00e4"),
        ],
    ),
    PageResult(Page("b.tif", "b.tif", 1, False, 0, 1.0, 8, 8, 99, None), []),
    failure("c.pdf", "c.pdf", "it has a password"),
]


def filled(folder: Path, kind: str) -> None:
    written = Tables(folder, kind)
    for result in RESULTS:
        written.add(result)
    written.commit()


@pytest.mark.parametrize("kind", writers.FORMATS)
def test_what_is_written_is_read_back(tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    filled(tmp_path, kind)
    pages = table(tmp_path, "pages", kind)
    assert [tuple(row.values()) for row in pages] == [tuple(result.page) for result in RESULTS]
    numbers = table(tmp_path, "numbers", kind)
    assert [tuple(row.values())[3:] for row in numbers] == [
        tuple(row) for result in RESULTS for row in result.rows
    ]
    done = tables.done(tmp_path, kind)
    assert ("c.pdf" in done, "b.tif" in done, done.begin("b.tif"), done.pages) == (True, False, 2, 3)


def test_duckdb_and_pandas_read_them_with_their_types(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    filled(tmp_path, "parquet")
    kinds = {"text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}
    for name, columns in (("numbers", NUMBERS), ("pages", PAGES)):
        found = duckdb.sql(f"describe select * from '{tmp_path}/{name}/*.parquet'").fetchall()  # noqa: S608
        assert {row[0]: row[1] for row in found} == {column: kinds[kind] for column, kind in columns.items()}
    frame = pandas.read_parquet(tmp_path / "numbers")
    assert list(frame["text"].dropna()) == ["007", "12.50"]
    assert frame["value"].sum() == 19.5
    assert frame["confidence"].dtype == "float64"


def test_the_example_of_the_tables_runs(tmp_path: Path, root: Path) -> None:
    for package in ("pyarrow", "duckdb", "pandas"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    filled(tmp_path, "parquet")
    run = subprocess.run(
        [sys.executable, root / "examples" / "tables.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "it has a password" in run.stdout
    assert "007" in run.stdout


def test_a_disk_that_is_full_is_one_line_and_the_shard_is_not_there(tmp_path: Path) -> None:
    written = Tables(tmp_path, "jsonl")
    (tmp_path / "pages" / ".part-000001.jsonl.tmp").mkdir()  # nothing can be written by this name
    written.add(RESULTS[0])
    with pytest.raises(BatchError, match="cannot be written"):
        written.commit()
    assert tables.shards(tmp_path, "jsonl", "pages") == []


def test_a_shard_is_written_after_so_many_pages(tmp_path: Path) -> None:
    written = Tables(tmp_path, "csv", pages=2)
    for result in RESULTS:
        written.add(result)
    assert len(tables.shards(tmp_path, "csv", "pages")) == 1
    written.commit()
    assert [path.name for path in tables.shards(tmp_path, "csv", "numbers")] == [
        "part-000001.csv", "part-000002.csv",
    ]  # fmt: skip


def test_done_knows_many_documents_and_no_others() -> None:
    done = Done()
    count = RECENT + 10
    for number in range(count):
        done.add(f"{number}.png", 1, True)
    assert all(f"{number}.png" in done for number in range(0, count, 997))
    assert not any(f"{number}.png" in done for number in range(count, count + 1000))


@pytest.mark.parametrize(
    ("text", "separator", "value"),
    [
        ("007", "", 7.0),
        ("12,5", ",", 12.5),
        ("1" * 15, "", 111111111111111.0),
        ("1" * 16, "", None),
        ("", "", None),
    ],
)
def test_a_value_is_exact_or_none(text: str, separator: str, value: float | None) -> None:
    assert value_of(text, separator) == value
