"""What `digitlens batch` has read, in DuckDB and pandas.

    digitlens batch scans/ --out read/
    python examples/tables.py read/

Needs duckdb, pandas and pyarrow: pip install duckdb pandas 'digitlens[archive]'
"""

import sys
from pathlib import Path

import duckdb
import pandas as pd


def main(folder: Path) -> None:
    """Print some of a run's tables."""
    database = duckdb.connect()
    for table in ("numbers", "pages"):
        database.read_parquet(f"{folder}/{table}/*.parquet").create_view(table)

    print("Pages, and how many failed:")
    print(
        database.sql("select count(*) as pages, count(error) as failed, sum(numbers) as numbers from pages")
    )

    print("Why pages failed:")
    print(
        database.sql(
            "select error, count(*) as pages from pages where error is not null "
            "group by error order by pages desc"
        )
    )

    print("The numbers that a person should look at first:")
    print(
        database.sql(
            "select source, page, text, round(confidence, 3) as confidence from numbers "
            "where state = 'read' order by confidence limit 10"
        )
    )

    numbers = pd.read_parquet(folder / "numbers", columns=["source", "page", "value", "confidence", "state"])
    sure = numbers[(numbers["state"] == "read") & (numbers["confidence"] >= 0.95)]
    print("Of each page's sure numbers, how many and their sum:")
    print(sure.groupby(["source", "page"])["value"].agg(["count", "sum"]).head(10))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
